"""What an action says of itself, and what every surface says: envelopes and refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crm.api.surfaces import Problem, Surface
from crm.core.errors import ErrorKind

Json = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

MARK = object()
DESCRIPTION = "_described"
JSON_MEDIA = "application/json"


@dataclass(frozen=True, slots=True)
class Description:
    """What an action takes and answers; see `extend_schema`."""

    request: Any = None
    response: Any = None
    page: Any = None
    status: int = 200
    unwrapped: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    error_statuses: Sequence[int] = ()
    other_responses: Mapping[int, Any] = field(default_factory=dict)
    response_media_type: str = JSON_MEDIA
    request_media_type: str = JSON_MEDIA
    partial: bool = False
    deletes: bool = False
    given: frozenset[str] = frozenset()  # the names that were given, also where they say the default


def extend_schema(**options: Any) -> Callable[[View], View]:
    """Describe an action: `@extend_schema(body=Login, answer={"token": str, "user": User | None}, status=201)`.

    A type is a serializer, a field, a Python type, `[type]` for a list, `(one, of, these)` for fixed values, choices,
    `{key: type}` for an object (`NotRequired[type]` for a key that may be absent), `type | None`, or the name of an
    attribute of the view that holds one. `page` is a list in the surface's pages, `unwrapped` a response without the
    envelope, `extra` keys that may stand beside a serializer's own, `parameters` those of the query string,
    `error_statuses` further ones with the surface's error body, `other_responses` responses of another type by status.
    What drf-spectacular's own `extend_schema` does for one API, this does for the envelope of each surface.
    """
    description = Description(**options, given=frozenset(options))

    def mark(action: View) -> View:
        setattr(action, DESCRIPTION, description)
        return action

    return mark


def described(sample: Any, inner: Any) -> Any:
    """Return the JSON schema of an envelope from a sample in which MARK stands for the content."""
    if sample is MARK:
        return inner
    if isinstance(sample, dict):
        properties = {key: described(value, inner) for key, value in sample.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    if isinstance(sample, list):
        return {"type": "array", "items": described(sample[0], inner) if sample else {}}
    for python, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(sample, python):
            return {"type": name}
    return {"type": "string"}


def error_schema(surface: Surface) -> Json:
    """Return the schema of the surface's error body."""
    fault = Problem(ErrorKind.INVALID, "CODE", "Message.", [{"field": "name", "message": "Message."}])
    schema: Json = described(surface.wrap_error(fault), None)
    schema["properties"]["error"]["description"] = "Some errors carry further keys beside these."
    return schema


# The error answers by status: the component's name and what it says.
ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request could not be read, or a value in it is not valid; `details` names the fields."),
    401: ("Unauthenticated", "There is no valid access token."),
    403: ("Forbidden", "The user may not do this."),
    404: ("NotFound", "It is not there, or not for this user to see."),
    409: ("Conflict", "The present state does not allow it."),
    413: ("PayloadTooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body has another media type than this address takes."),
    422: ("Unprocessable", "The values are not valid (`details` names them), or cannot be carried out."),
    429: ("RateLimited", "Too many requests; `Retry-After` says how many seconds to wait."),
    503: ("Unavailable", "A part that this needs is away or not configured."),
}
