"""What an API surface is: a value. It decides casing, envelopes, page parameters and error shape, and holds no rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm.core.errors import ErrorKind

if TYPE_CHECKING:
    from crm.api.serializers import Serializer

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
class Problem:
    """A refusal on its way out: kind, code in upper snake case, message, field errors by the surface's keys."""

    kind: ErrorKind
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
    wrap_error: Callable[[Problem], Any]
    deleted: Callable[[str, str], tuple[int, Any]]
    statuses: Mapping[ErrorKind, int]
    search: tuple[str, ...]
    is_limited: bool = False
    admits_shoppers: bool = False

    def serializer(self, declared: type["Serializer"]) -> type["Serializer"]:
        """Return a serializer with the surface's keys."""
        return declared.cased(self.key)

    def status_of(self, kind: ErrorKind) -> int:
        """Return the HTTP status of a kind of error."""
        return self.statuses.get(kind, STATUSES[kind])


STATUSES: Mapping[ErrorKind, int] = {
    ErrorKind.MALFORMED: 400,
    ErrorKind.INVALID: 400,
    ErrorKind.UNPROCESSABLE: 422,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.METHOD_NOT_ALLOWED: 405,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.TIMED_OUT: 408,
    ErrorKind.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
CODES: Mapping[ErrorKind, str] = {
    ErrorKind.MALFORMED: "MALFORMED_REQUEST",
    ErrorKind.INVALID: "VALIDATION_ERROR",
    ErrorKind.UNPROCESSABLE: "UNPROCESSABLE",
    ErrorKind.UNAUTHENTICATED: "UNAUTHENTICATED",
    ErrorKind.FORBIDDEN: "FORBIDDEN",
    ErrorKind.NOT_FOUND: "NOT_FOUND",
    ErrorKind.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    ErrorKind.CONFLICT: "CONFLICT",
    ErrorKind.TOO_LARGE: "PAYLOAD_TOO_LARGE",
    ErrorKind.TIMED_OUT: "REQUEST_TIMEOUT",
    ErrorKind.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    ErrorKind.RATE_LIMITED: "RATE_LIMITED",
    ErrorKind.UNAVAILABLE: "SERVICE_UNAVAILABLE",
}


def snake(name: str) -> str:
    """Keep a domain field name as it is."""
    return name


def camel(name: str) -> str:
    """Return `first_name` as `firstName`; dotted paths part by part."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
