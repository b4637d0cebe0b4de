"""What an action says of itself, and what every surface says: envelopes and refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crm.api.surfaces import Fault, Surface
from crm.core.errors import Kind

Json = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

MARK = object()
DESCRIPTION = "_described"
JSON_MEDIA = "application/json"


@dataclass(frozen=True, slots=True)
class Description:
    """What an action takes and answers; see `describes`."""

    body: Any = None
    answer: Any = None
    page: Any = None
    status: int = 200
    bare: bool = False
    adds: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[int] = ()
    others: Mapping[int, Any] = field(default_factory=dict)
    media: str = JSON_MEDIA
    takes: str = JSON_MEDIA
    partial: bool = False
    deletes: bool = False
    said: frozenset[str] = frozenset()  # the names that were given, also where they say the default


def describes(**told: Any) -> Callable[[View], View]:
    """Describe an action: `@describes(body=Login, answer={"token": str, "user": User | None}, status=201)`.

    A form is a shape, a field, a Python type, `[form]` for a list, `(one, of, these)` for fixed values, choices,
    `{key: form}` for an object (`NotRequired[form]` for a key that may be absent), `form | None`, or the name of
    an attribute of the view that holds one. `page` is a list in the surface's pages, `bare` an answer without the
    envelope, `adds` keys that may stand beside a shape's own, `query` parameters, `errors` further status codes with
    the surface's error body, `others` answers of another form by status, `media` and `takes` the media types where
    they are not JSON.
    """
    description = Description(**told, said=frozenset(told))

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
    fault = Fault(Kind.INVALID, "CODE", "Message.", [{"field": "name", "message": "Message."}])
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
