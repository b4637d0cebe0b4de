"""What an API surface is: a value. It decides casing, envelopes, page parameters and error shape, and holds no rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.core.errors import Kind

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageParameters:
    """Names and bounds of a list's query parameters; `size` names are tried in order."""

    size: tuple[str, ...]
    default: int
    largest: int = 100
    number: str = "page"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: plain rows, and where it stands."""

    rows: list[Any]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """Return how many pages there are; none where nothing is."""
        return -(-self.total // self.size)


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal on its way out: kind, code in upper snake case, message, field errors by the surface's keys."""

    kind: Kind
    code: str
    message: str
    details: list[dict[str, str]] = field(default_factory=list)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surface:
    """How one of the documents speaks.

    `wrap` makes a success body, `wrap_page` a list (page, plural), `wrap_error` an error body, `deleted` the answer to
    DELETE (status, body) from (noun, id). `key` turns a domain field name into the surface's, `statuses` overrides
    the status of a kind of error.
    """

    name: str
    title: str
    base: str
    pages: PageParameters
    key: Callable[[str], str]
    wrap: Callable[[Any], Any]
    wrap_page: Callable[[Page, str], Any]
    wrap_error: Callable[[Fault], Any]
    deleted: Callable[[str, str], tuple[int, Any]]
    statuses: Mapping[Kind, int]
    search: tuple[str, ...]
    is_limited: bool = False
    admits_shoppers: bool = False

    def status_of(self, kind: Kind) -> int:
        """Return the HTTP status of a kind of error."""
        return self.statuses.get(kind, STATUSES[kind])


STATUSES: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.INVALID: 400,
    Kind.UNPROCESSABLE: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.TIMED_OUT: 408,
    Kind.UNSUPPORTED_MEDIA_TYPE: 415,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
CODES: Mapping[Kind, str] = {
    Kind.MALFORMED: "MALFORMED_REQUEST",
    Kind.INVALID: "VALIDATION_ERROR",
    Kind.UNPROCESSABLE: "UNPROCESSABLE",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.FORBIDDEN: "FORBIDDEN",
    Kind.NOT_FOUND: "NOT_FOUND",
    Kind.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    Kind.CONFLICT: "CONFLICT",
    Kind.TOO_LARGE: "PAYLOAD_TOO_LARGE",
    Kind.TIMED_OUT: "REQUEST_TIMEOUT",
    Kind.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    Kind.RATE_LIMITED: "RATE_LIMITED",
    Kind.UNAVAILABLE: "SERVICE_UNAVAILABLE",
}


def snake(name: str) -> str:
    """Keep a domain field name as it is."""
    return name


def camel(name: str) -> str:
    """Return `first_name` as `firstName`; dotted paths part by part."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
