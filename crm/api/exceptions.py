"""Every exception becomes a fault, every fault a body in its surface's shape. The one place that knows both."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, Error, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from psycopg import errors as pg
from rest_framework import exceptions as drf

from crm.api.renderers import json_response
from crm.api.surfaces import CODES, Problem, Surface
from crm.core.errors import DomainError, ErrorKind

log = logging.getLogger(__name__)

RETRY_SECONDS = 2
INTERNAL = 500

_KINDS: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (drf.ParseError, ErrorKind.MALFORMED),
    (drf.MethodNotAllowed, ErrorKind.METHOD_NOT_ALLOWED),
    (drf.UnsupportedMediaType, ErrorKind.UNSUPPORTED_MEDIA_TYPE),
    (drf.NotFound, ErrorKind.NOT_FOUND),
    (Http404, ErrorKind.NOT_FOUND),
    (drf.PermissionDenied, ErrorKind.FORBIDDEN),
    (PermissionDenied, ErrorKind.FORBIDDEN),
    (RequestDataTooBig, ErrorKind.TOO_LARGE),
    (SuspiciousOperation, ErrorKind.MALFORMED),
    (RecursionError, ErrorKind.MALFORMED),
    (UnicodeError, ErrorKind.MALFORMED),
    # A date or number that no type holds, met after validation (time zones, sums).
    (OverflowError, ErrorKind.INVALID),
)
_REFUSED = (pg.ForeignKeyViolation, pg.CheckViolation, pg.NotNullViolation)
_MESSAGES = {
    ErrorKind.MALFORMED: "The request could not be read.",
    ErrorKind.INVALID: "Invalid input data",
    ErrorKind.NOT_FOUND: "Not found.",
    ErrorKind.FORBIDDEN: "You do not have permission to do this.",
    ErrorKind.TOO_LARGE: "The request is too large.",
    ErrorKind.CONFLICT: "This conflicts with the present state.",
    ErrorKind.UNAVAILABLE: "The service is temporarily unavailable.",
}


def error_response(error: Exception, surface: Surface, rename: Callable[[str], str] | None = None) -> HttpResponse:
    """Return the surface's answer to an exception. `rename` turns a domain field name into the body's key."""
    fault = _fault(error, rename or surface.key)
    if fault is None:
        log.error("Unexpected error", exc_info=error)
        return failure_response(surface)
    response = json_response(surface.wrap_error(fault), surface.status_of(fault.kind))
    if fault.kind is ErrorKind.UNAUTHENTICATED:
        response["WWW-Authenticate"] = "Bearer"
    elif fault.kind is ErrorKind.UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    elif fault.kind is ErrorKind.RATE_LIMITED and "retry_after" in fault.extra:
        response["Retry-After"] = str(fault.extra["retry_after"])
    elif fault.kind in {ErrorKind.TOO_LARGE, ErrorKind.TIMED_OUT}:
        # The rest of the body may still be on its way: the next request must not be read out of it.
        response["Connection"] = "close"
    return response


def failure_response(surface: Surface) -> HttpResponse:
    """Return the answer to a mistake of ours; what happened is in the log."""
    fault = Problem(ErrorKind.UNAVAILABLE, "INTERNAL_ERROR", "Something went wrong on our side.")
    return json_response(surface.wrap_error(fault), INTERNAL)


def _fault(error: Exception, rename: Callable[[str], str]) -> Problem | None:
    if isinstance(error, DomainError):
        details = [{"field": rename(name), "message": str(text)} for name, text in error.details.items()]
        return Problem(error.kind, error.code or CODES[error.kind], error.message, details, error.extra)
    if isinstance(error, drf.ValidationError):
        return Problem(
            ErrorKind.INVALID, CODES[ErrorKind.INVALID], _MESSAGES[ErrorKind.INVALID], list(flatten(error.detail))
        )
    if isinstance(error, ValidationError):
        return Problem(ErrorKind.INVALID, CODES[ErrorKind.INVALID], _MESSAGES[ErrorKind.INVALID], _named(error, rename))
    for family, kind in _KINDS:
        if isinstance(error, family):
            message = str(getattr(error, "detail", "")) or _MESSAGES[kind]
            return Problem(kind, CODES[kind], message)
    if isinstance(error, Error):
        target = _database_kind(error)
        return Problem(target, CODES[target], _MESSAGES[target]) if target else None
    return None


def _named(error: ValidationError, rename: Callable[[str], str]) -> list[dict[str, str]]:
    """Return Django's own validation errors, such as those of passwords or of an id that is no UUID."""
    if not hasattr(error, "error_dict"):
        return [{"field": "", "message": message} for message in error.messages]
    fields = error.message_dict.items()
    return [{"field": rename(name), "message": message} for name, messages in fields for message in messages]


def _database_kind(error: Error) -> ErrorKind | None:
    """Tell what a database error means to a client; None is a bug of ours."""
    cause = error.__cause__
    if isinstance(cause, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure):
        return ErrorKind.CONFLICT
    if isinstance(error, OperationalError | InterfaceError) or isinstance(cause, pg.IdleInTransactionSessionTimeout):
        log.warning("The database is away: %s", error)
        return ErrorKind.UNAVAILABLE
    if isinstance(cause, pg.UniqueViolation | pg.ExclusionViolation):
        return ErrorKind.CONFLICT
    if isinstance(error, DataError) or isinstance(cause, _REFUSED):
        log.warning("A value passed validation and was refused by the database", exc_info=error)
        return ErrorKind.INVALID
    return None


def flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield DRF's nested errors as `{"field": "items.0.quantity", "message": …}`."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from flatten(value, f"{path}.{name}" if path and name else path or name)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            if isinstance(value, dict | list):
                if value:
                    yield from flatten(value, f"{path}.{index}" if path else str(index))
            else:
                yield {"field": path, "message": str(value)}
    else:
        yield {"field": path, "message": str(detail)}
