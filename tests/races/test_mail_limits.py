"""Limits on mails hold however many ask at once; with a control that counts by reading and writing."""

import time
from collections import Counter
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from crm.core import rate_limits
from crm.core.rate_limits import RateLimitStatus
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races

SIZE = 12
LIMIT = 4


@pytest.fixture
def few(limits):
    limits.RATE_LIMIT_MAILS_ORGANIZATION, limits.RATE_LIMIT_MAILS_RECIPIENT = (LIMIT, 86_400), (1000, 3600)
    return limits


def invite_at_once(tenant, client_for):
    clients = [client_for(tenant.owner) for _ in range(SIZE)]

    def invite(number):
        return clients[number].post("auth/invite", {"email": f"{uuid4().hex}@mailed.example", "role": "staff"})

    return Counter(response.status_code for response in crowd(SIZE, invite))


def sent(tenant, waiting):
    return sum(message.topic == "mail.invitation" for message in waiting(tenant))


def test_of_many_invitations_at_once_the_limit_is_mailed(acme, few, client_for, waiting):
    answers = invite_at_once(acme, client_for)

    assert answers == {201: LIMIT, 429: SIZE - LIMIT}
    assert sent(acme, waiting) == LIMIT


def test_an_address_invited_by_many_organizations_at_once_gets_the_limit(organization, few, client_for, waiting):
    few.RATE_LIMIT_MAILS_RECIPIENT = (LIMIT, 3600)
    tenants = [organization(roles=()) for _ in range(SIZE)]
    clients = [client_for(tenant.owner) for tenant in tenants]
    body = {"email": f"{uuid4().hex}@mailed.example", "role": "staff"}

    answers = crowd(SIZE, lambda number: clients[number].post("auth/invite", body))

    assert Counter(answer.status_code for answer in answers) == {201: LIMIT, 429: SIZE - LIMIT}
    assert sum(sent(tenant, waiting) for tenant in tenants) == LIMIT


def test_control_counting_by_reading_and_writing_lets_more_through(acme, few, client_for, waiting, monkeypatch):
    all_have_read = Barrier(SIZE)

    def read_then_write(key, limit, seconds):
        with connection.cursor() as cursor:
            cursor.execute("SELECT hits FROM core_ratecounter WHERE key = %s", [key])
            found = cursor.fetchone()
            hits = (found[0] if found else 0) + 1
            if ":members" in key:
                all_have_read.wait(60)
            cursor.execute(
                "INSERT INTO core_ratecounter (key, window_ends_at, hits) VALUES (%s, now() + interval '1 day', %s) "
                "ON CONFLICT (key) DO UPDATE SET hits = EXCLUDED.hits",
                [key, hits],
            )
        return RateLimitStatus(limit, hits, int(time.time()) + seconds)

    monkeypatch.setattr(rate_limits, "hit_durable", read_then_write)

    invite_at_once(acme, client_for)

    assert sent(acme, waiting) > LIMIT
