"""What browsers may do with the site's pages: a Content-Security-Policy for each kind of them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_CLOSED = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
# Styles are written into elements, and images come from data: URLs, by Swagger UI as by the admin's theme.
_OWN = "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
# Alpine.js, by which the admin's theme works, evaluates attributes as code. No page has inline scripts.
ADMIN = f"{_CLOSED}; form-action 'self'; script-src 'self' 'unsafe-eval'; {_OWN}"
DOCUMENTATION = f"{_CLOSED}; form-action 'none'; script-src 'self'; {_OWN}"
OTHER = f"{_CLOSED}; form-action 'none'"


class ContentSecurityPolicy:
    """Add the policy of the page; API answers, which go no further than their lane, have their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose by the path."""
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = policy_of(request.path_info)
        return response


def policy_of(path: str) -> str:
    """Return the policy of a page."""
    if path.startswith("/admin"):
        return ADMIN
    return DOCUMENTATION if path == "/api-docs" else OTHER
