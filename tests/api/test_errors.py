"""Every exception a request can meet, as the answer each surface makes of it."""

import json

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from django.http import Http404
from psycopg import errors as pg
from rest_framework import exceptions as drf

from crm.api.exceptions import error_response, flatten
from crm.api.platform import PLATFORM
from crm.api.storefront import STOREFRONT
from crm.api.team import TEAM
from crm.core.errors import Conflict, Invalid, RateLimited, TimedOut, Unauthenticated, Unavailable


def caused(error: Exception, cause: Exception) -> Exception:
    """The error as Django raises it: with the driver's behind it."""
    error.__cause__ = cause
    return error


ANSWERS = [
    (drf.ParseError("bad"), 400, "MALFORMED_REQUEST"),
    (drf.UnsupportedMediaType("text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    (drf.NotFound(), 404, "NOT_FOUND"),
    (Http404(), 404, "NOT_FOUND"),
    (drf.PermissionDenied(), 403, "FORBIDDEN"),
    (PermissionDenied(), 403, "FORBIDDEN"),
    (RequestDataTooBig(), 413, "PAYLOAD_TOO_LARGE"),
    (TimedOut(), 408, "REQUEST_TIMEOUT"),
    (SuspiciousOperation("x"), 400, "MALFORMED_REQUEST"),
    (RecursionError(), 400, "MALFORMED_REQUEST"),
    ("\ud800", 400, "MALFORMED_REQUEST"),
    (OverflowError("date value out of range"), 400, "VALIDATION_ERROR"),
    (ValidationError("“x” is not a valid UUID."), 400, "VALIDATION_ERROR"),
    (DataError("integer out of range"), 400, "VALIDATION_ERROR"),
    (caused(IntegrityError(), pg.UniqueViolation()), 409, "CONFLICT"),
    (caused(IntegrityError(), pg.ExclusionViolation()), 409, "CONFLICT"),
    (caused(IntegrityError(), pg.ForeignKeyViolation()), 400, "VALIDATION_ERROR"),
    (caused(IntegrityError(), pg.CheckViolation()), 400, "VALIDATION_ERROR"),
    (caused(IntegrityError(), pg.NotNullViolation()), 400, "VALIDATION_ERROR"),
    (caused(OperationalError(), pg.LockNotAvailable()), 409, "CONFLICT"),
    (caused(OperationalError(), pg.DeadlockDetected()), 409, "CONFLICT"),
    (OperationalError("server closed the connection"), 503, "SERVICE_UNAVAILABLE"),
    (InterfaceError("connection already closed"), 503, "SERVICE_UNAVAILABLE"),
    (caused(InternalError(), pg.IdleInTransactionSessionTimeout()), 503, "SERVICE_UNAVAILABLE"),
    (caused(InternalError(), pg.ReadOnlySqlTransaction()), 500, "INTERNAL_ERROR"),
    (ProgrammingError("column does not exist"), 500, "INTERNAL_ERROR"),
    (KeyError("x"), 500, "INTERNAL_ERROR"),
    (ValueError("x"), 500, "INTERNAL_ERROR"),
]


@pytest.mark.parametrize(("error", "status", "code"), ANSWERS, ids=lambda part: repr(part)[:60])
def test_an_exception_becomes_the_answer(error, status, code):
    if isinstance(error, str):
        error = UnicodeEncodeError("utf-8", error, 0, 1, "surrogates not allowed")

    response = error_response(error, TEAM)

    assert (response.status_code, json.loads(response.content)["error"]["code"]) == (status, code)
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("surface", "status", "body"),
    [
        (
            TEAM,
            400,
            (
                b'{"success":false,"error":{"code":"VALIDATION_ERROR","message":"Invalid input data",'
                b'"details":[{"field":"firstName","message":"No."}]}}'
            ),
        ),
        (
            PLATFORM,
            422,
            (
                b'{"error":{"code":"VALIDATION_ERROR","message":"Invalid input data",'
                b'"details":[{"field":"first_name","message":"No."}]}}'
            ),
        ),
        (
            STOREFRONT,
            400,
            (
                b'{"error":{"code":"validation_error","message":"Invalid input data",'
                b'"details":[{"field":"first_name","message":"No."}]}}'
            ),
        ),
    ],
    ids=["team", "platform", "storefront"],
)
def test_a_refused_field_is_named_in_the_shape_of_the_surface(surface, status, body):
    response = error_response(Invalid({"first_name": "No."}), surface)

    assert (response.status_code, response.content) == (status, body)


def test_a_failure_tells_nothing_of_the_inside():
    response = error_response(KeyError("secret_column"), PLATFORM)

    assert response.content == (
        b'{"error":{"code":"INTERNAL_ERROR","message":"Something went wrong on our side.","details":[]}}'
    )


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (Unauthenticated(), "WWW-Authenticate", "Bearer"),
        (Unavailable(), "Retry-After", "2"),
        (RateLimited(extra={"retry_after": 7}), "Retry-After", "7"),
        (RequestDataTooBig(), "Connection", "close"),
        (TimedOut(), "Connection", "close"),
    ],
    ids=["401", "503", "429", "413", "408"],
)
def test_a_refusal_carries_the_header_that_tells_what_to_do(error, header, value):
    assert error_response(error, TEAM)[header] == value


def test_what_a_refusal_adds_stands_beside_its_code():
    response = error_response(Conflict("Which?", code="ORGANIZATION_REQUIRED", extra={"organizations": ["a"]}), TEAM)

    assert response.content == (
        b'{"success":false,"error":{"code":"ORGANIZATION_REQUIRED","message":"Which?","details":[],'
        b'"organizations":["a"]}}'
    )


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        ("No.", [("", "No.")]),
        (["No.", "Never."], [("", "No."), ("", "Never.")]),
        ({"name": ["No."]}, [("name", "No.")]),
        ({"name": "No."}, [("name", "No.")]),
        ({"non_field_errors": ["No."]}, [("", "No.")]),
        ({"items": [{}, {"quantity": ["No."]}]}, [("items.1.quantity", "No.")]),
        ({"items": {"0": ["No."]}}, [("items.0", "No.")]),
        ({"address": {"non_field_errors": ["No."]}}, [("address", "No.")]),
        ({"a": {"b": {"c": ["No."]}}}, [("a.b.c", "No.")]),
    ],
)
def test_nested_errors_become_dotted_names(detail, flat):
    assert [(found["field"], found["message"]) for found in flatten(detail)] == flat


@pytest.mark.parametrize("name", ["code", "message", "details", "extra", "self", "error"])
def test_a_field_of_any_name_may_be_refused(name):
    body = json.loads(error_response(Invalid({name: "No."}), PLATFORM).content)

    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert body["error"]["details"] == [{"field": name, "message": "No."}]


def test_a_field_called_code_is_named_by_its_refusal(acme, client_for):
    response = client_for(acme.owner, "platform").post(
        "promotions", {"code": "A\0B", "type": "percentage", "value": 10}
    )

    assert response.json()["error"]["code"] == "VALIDATION_ERROR"
    assert [fault["field"] for fault in response.json()["error"]["details"]] == ["code"]
