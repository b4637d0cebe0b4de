"""The admin works across organizations: its requests run in the operator's scope, everybody else's do not."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

from crm.core.db import operator

# Pages that compare passwords or codes. Attempts must stay counted whatever becomes of the request, and no transaction
# may wait for a hash, so these open transactions of their own.
UNWRAPPED = ("/admin/login", "/admin/two-factor", "/admin/password_change")
STARTED_AT = "started_at"
SEEN_AT = "seen_at"
SEEN_PRECISION_SECONDS = 60


def start_session(session: SessionBase) -> None:
    """Note when an operator signed in; both limits of the session count from it. Times in epoch seconds."""
    session[STARTED_AT] = session[SEEN_AT] = int(time.time())


class SessionLimits:
    """End an operator's session `ADMIN_SESSION_AGE` after the sign-in, and after `ADMIN_SESSION_IDLE` without use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check sessions of requests to the admin, before anybody asks who sends them."""
        if request.path_info.startswith("/admin") and SESSION_KEY in request.session:
            _keep_or_end(request.session)
        return self.get_response(request)


def _keep_or_end(session: SessionBase) -> None:
    now = int(time.time())
    started_at, seen_at = session.get(STARTED_AT, 0), session.get(SEEN_AT, 0)
    is_over = now - started_at >= settings.ADMIN_SESSION_AGE.total_seconds()
    if is_over or now - seen_at >= settings.ADMIN_SESSION_IDLE.total_seconds():
        session.flush()
    elif now - seen_at >= SEEN_PRECISION_SECONDS:  # one write a minute, however many pages are opened
        session[SEEN_AT] = now


class OperatorScope:
    """Open the operator's transaction around requests to `/admin`; Django's own checks decide who gets in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Wrap requests to the admin."""
        path = request.path_info
        if not path.startswith("/admin") or path.startswith(UNWRAPPED):
            return self.get_response(request)
        with operator("back_office"):
            response = self.get_response(request)
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response = response.render()
            if response.status_code >= 500:  # Django has made an answer of the exception: undo what was done before it
                transaction.set_rollback(True)
            return response
