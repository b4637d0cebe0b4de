"""What can go wrong, as facts. A surface picks the words and the status (`crm.api.exceptions`)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ErrorKind(StrEnum):
    """The families a surface maps to status codes."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    UNPROCESSABLE = "unprocessable"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """A refusal. `code` is the machine's word in upper snake case, `details` field errors by domain field name."""

    kind = ErrorKind.INVALID
    code = ""
    message = "The request cannot be carried out."

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        details: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.details = dict(details or {})
        self.extra = dict(extra or {})
        super().__init__(self.message)


class Malformed(DomainError):
    """The request could not be read: bad JSON, bad encoding, bad header."""

    kind = ErrorKind.MALFORMED
    message = "The request could not be read."


class TimedOut(DomainError):
    """The request did not come within the time for it."""

    kind = ErrorKind.TIMED_OUT
    message = "The request took too long to arrive."


class Invalid(DomainError):
    """Field errors by domain field name: `Invalid({"email": "Enter a valid e-mail address."})`."""

    kind = ErrorKind.INVALID
    message = "Invalid input data"

    def __init__(self, details: Mapping[str, str] | None = None, *, message: str = "", code: str = "") -> None:
        super().__init__(message, code=code, details=details)


class Unauthenticated(DomainError):
    """No valid access token, or a wrong password."""

    kind = ErrorKind.UNAUTHENTICATED
    message = "Authentication required."


class Forbidden(DomainError):
    """The actor may see the thing but not do this."""

    kind = ErrorKind.FORBIDDEN
    message = "You do not have permission to do this."


class NotFound(DomainError):
    """Missing, deleted, foreign or outside what the actor may see: all the same from outside."""

    kind = ErrorKind.NOT_FOUND
    message = "Not found."


class MethodNotAllowed(DomainError):
    """The path is there, the method is not."""

    kind = ErrorKind.METHOD_NOT_ALLOWED
    message = "This method is not allowed here."


class Conflict(DomainError):
    """The present state does not allow it."""

    kind = ErrorKind.CONFLICT
    message = "This conflicts with the present state."


class RateLimited(DomainError):
    """Too many requests; `extra["retry_after"]` says how many seconds to wait."""

    kind = ErrorKind.RATE_LIMITED
    message = "Too many requests."


class Unavailable(DomainError):
    """A dependency is away or not configured."""

    kind = ErrorKind.UNAVAILABLE
    message = "The service is temporarily unavailable."
