"""Races are run by the order of locks alone: a deadlock must not hide behind the second attempt that clients get."""

import pytest

from crm.core.db import locks


@pytest.fixture(autouse=True)
def one_attempt(request, monkeypatch):
    """Do nothing again, but where a test asks for `second_attempts`."""
    if "second_attempts" not in request.fixturenames:
        monkeypatch.setattr(locks, "ATTEMPTS", 1)


@pytest.fixture
def second_attempts():
    """Let deadlocks' victims be done again, as in production."""
