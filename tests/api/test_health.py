"""Liveness and readiness: what they say, how fast, and that nobody is counted for asking."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.test import Client

from crm.api import health


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word: a frozen server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept: list[socket.socket] = []
        stop = threading.Event()
        listening.settimeout(0.1)

        def take() -> None:
            while not stop.is_set():
                try:
                    kept.append(listening.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=take)
        thread.start()
        yield listening.getsockname()[1]
        stop.set()
        thread.join()
        for connection in kept:
            connection.close()


def test_the_site_says_that_it_lives():
    response = Client().get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_platform_answers_a_ping():
    response = Client().get("/api/v1/ping")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_an_open_shop_is_well(acme):
    response = Client().get(f"/shop/{acme.slug}/api/v1/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_without_a_worker_the_platform_is_degraded():
    response = Client().get("/api/v1/health")

    assert response.status_code == 200
    assert response.json() == {
        "status": "degraded",
        "components": {"database": "ok", "redis": "ok", "search": "ok", "worker": "down"},
    }


def test_with_a_frozen_redis_the_platform_is_down_within_two_seconds(settings, silent_server):
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server}/0"

    began = time.monotonic()
    response = Client().get("/api/v1/health")

    assert time.monotonic() - began < 4  # 1.8 of its own, and room for a busy machine
    assert response.status_code == 503
    assert response.json()["status"] == "down"
    assert response.json()["components"] | {"worker": ""} == {
        "database": "ok",
        "redis": "down",
        "search": "ok",
        "worker": "",
    }


def test_with_a_frozen_database_the_platform_is_down_within_two_seconds(monkeypatch, silent_server):
    settings_dict = health.connections["default"].settings_dict
    monkeypatch.setitem(settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(settings_dict, "PORT", str(silent_server))

    began = time.monotonic()
    response = Client().get("/api/v1/health")

    assert time.monotonic() - began < 4
    assert response.status_code == 503
    assert response.json()["components"]["database"] == "down"
    assert response.json()["components"]["search"] == "down"


def test_with_the_database_gone_the_platform_is_down_at_once(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    settings_dict = health.connections["default"].settings_dict
    monkeypatch.setitem(settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(settings_dict, "PORT", str(free))

    response = Client().get("/api/v1/health")

    assert response.status_code == 503
    assert response.json()["components"]["database"] == "down"


def test_asking_is_not_counted(limits):
    limits.RATE_LIMIT_GENERAL = (2, 3600)

    answers = [Client().get("/api/v1/ping") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"2"}
    assert {answer["X-RateLimit-Remaining"] for answer in answers} == {"2"}
