"""POST under an `Idempotency-Key`: the first response is stored in the transaction of its effect, and repeated."""

from typing import Any

from django.http import HttpResponse

from crm.api import authentication
from crm.core import db, idempotency
from crm.core.errors import ErrorKind
from crm.core.idempotency import IdempotentRequest, StoredResponse
from crm.core.tokens import Claims

STORED_REFUSALS = frozenset({409})  # final business refusals, stored like successes


def respond_once(view: Any, claims: Claims, key: str) -> HttpResponse:
    """Return the response of a view's action, or what it was when the key was first used."""
    django_request = view.django_request
    state = dict(vars(view))
    request = None
    try:
        for attempt in db.deadlock_attempts():
            with attempt, authentication.enter(claims) as actor:
                fresh = view.fresh(state)
                fresh.check_access(actor)
                route = f"{django_request.method} {django_request.path}"
                request = IdempotentRequest.of(actor, route, key, django_request.body)
                return _run_once(fresh, request)
    except Exception as error:
        if request is not None:
            _store_refusal(view, request, error)
        raise
    raise AssertionError  # the last attempt returns or raises


def _run_once(view: Any, request: IdempotentRequest) -> HttpResponse:
    def run() -> StoredResponse:
        response = view.run(request.actor)
        return StoredResponse(response.status_code, response.content, view.subject)

    stored, is_repeat = idempotency.run_once(request, run)
    response = HttpResponse(stored.body, status=stored.status, content_type="application/json")
    response["Content-Length"] = str(len(stored.body))
    if is_repeat:
        response["Idempotent-Replayed"] = "true"
    return response


def _store_refusal(view: Any, request: IdempotentRequest, error: Exception) -> None:
    if (
        getattr(error, "kind", None) is not ErrorKind.CONFLICT
        or getattr(error, "code", "") == "IDEMPOTENCY_IN_PROGRESS"
    ):
        return
    response = view.handle_exception(error)
    if response.status_code in STORED_REFUSALS:
        idempotency.store_refusal(request, StoredResponse(response.status_code, response.content, view.subject))
