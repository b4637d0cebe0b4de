"""The back office as an operator's browser sees it."""

import re
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from accounts.services import registration
from crm.core import db


def add_operator(password: str) -> str:
    """Make an operator of the platform and return their address."""
    email = f"operator.{uuid4().hex[:8]}@example.com"
    with db.operator("command"):
        registration.add_operator(email=email, password=password)
    return email


def signed_in(email: str, password: str) -> Client:
    """A browser that has signed in through the admin's own form."""
    browser = Client(raise_request_exception=True)
    response = browser.post("/admin/login/?next=/admin/", {"username": email, "password": password})
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    return browser


def within(tenant: Any) -> dict[str, str]:
    """The filter that keeps a list to one organization."""
    return {"organization__id__exact": str(tenant.id)}


def text_of(response: HttpResponse) -> str:
    """The text of a page that opened."""
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def saved(response: Any) -> None:
    """Assert that a form was taken, telling its errors where it was not."""
    form = getattr(response, "context_data", None)
    assert response.status_code == 302, form and (form["adminform"].form.errors, response.content.decode()[:500])
