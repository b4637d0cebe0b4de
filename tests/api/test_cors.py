"""Browsers of the front end may call the API, others may not, and requests from no browser pay nothing for it."""

import pytest
from django.conf import settings
from django.test import Client


@pytest.mark.parametrize("origin", ["", "https://elsewhere.example"])
def test_only_known_origins_are_let_in(origin):
    headers = {"Origin": origin} if origin else {}

    answer = Client().get("/api/v1/ping", headers=headers)

    assert answer.status_code == 200
    assert answer["Vary"] == "origin"
    assert not answer.has_header("Access-Control-Allow-Origin")


def test_the_front_end_may_call_and_read_the_limits():
    answer = Client().get("/api/v1/ping", headers={"Origin": settings.FRONTEND_URL})

    assert answer["Access-Control-Allow-Origin"] == settings.FRONTEND_URL
    assert "X-RateLimit-Remaining" in answer["Access-Control-Expose-Headers"]


def test_a_preflight_is_answered_without_a_token():
    asked = {"Origin": settings.FRONTEND_URL, "Access-Control-Request-Method": "POST"}

    answer = Client().options("/api/contacts", headers=asked)

    assert answer.status_code == 200
    assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
