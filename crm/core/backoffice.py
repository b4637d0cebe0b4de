"""The admin works across organizations: its requests run in the operator's scope, everybody else's do not."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

from crm.core.tenancy import operator


class OperatorScope:
    """Open the operator's transaction around every request to `/admin`; Django's own checks decide who gets in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Wrap requests to the admin."""
        if not request.path_info.startswith("/admin"):
            return self.get_response(request)
        with operator("back_office"):
            response = self.get_response(request)
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response = response.render()
            if response.status_code >= 500:  # Django has made an answer of the exception: undo what was done before it
                transaction.set_rollback(True)
            return response
