"""PostgreSQL, Redis and the worker killed, frozen, emptied under load: nothing acknowledged is lost, mails arrive."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from uuid import uuid4

import pytest

from crm.core import outbox
from devstack.postgres import PostgresServer
from devstack.process import descendants
from tests.faults.conftest import SlowMailbox
from tests.faults.shopping import HALF_ORDERS, ORPHANS, WRONG_BALANCES, Shopping
from tests.faults.site import HOST, Site, now
from tests.faults.traffic import Answer, Traffic, p95

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]

FROZEN_SECONDS = 20.0
BEAT_SECONDS = 5.0  # between two deliveries that nobody rang for


def invite(site: Site, number: int = 1) -> list[str]:
    """Invite people to the team and return their addresses, all acknowledged."""
    client, addresses = site.client(), [f"{uuid4().hex}@example.com" for _ in range(number)]
    for address in addresses:
        status, _, answer = client.send("POST", "/api/auth/invite", {"email": address, "role": "staff"})
        assert status == 201, answer
    return addresses


def arrived(letters: SlowMailbox, addresses: list[str]) -> bool:
    return all(letters.ids_for(address) for address in addresses)


def crash(server: PostgresServer) -> None:
    server.kill()


def stop_at_once(server: PostgresServer) -> None:
    """Shut down in PostgreSQL's immediate mode: no checkpoint, recovery at the next start."""
    assert server.pid
    assert server.child
    os.kill(server.pid, signal.SIGQUIT)
    server.child.wait(20)
    server.stop()


def stop_in_order(server: PostgresServer) -> None:
    server.stop()


def is_json(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("application/json")


def has_its_surfaces_shape(answer: Answer) -> bool:
    body = json.loads(answer.body)
    error = body["error"]
    is_team = answer.path.startswith("/api/contacts")
    code = "service_unavailable" if answer.path.startswith("/shop/") else "SERVICE_UNAVAILABLE"
    return set(body) == ({"success", "error"} if is_team else {"error"}) and error["code"] == code


def require_everything_acknowledged(site: Site, traffic: Traffic) -> None:
    """Each acknowledged contact is there with its one fact; no fact speaks of a contact that is not."""
    acknowledged = {answer.made for answer in traffic.answers if answer.is_write and answer.status == 201}
    there = {str(row[0]) for row in site.rows("SELECT id FROM contacts_contact")}
    facts = [str(row[0]) for row in site.rows("SELECT subject_id FROM core_event WHERE name = 'contact.created'")]
    assert len(acknowledged) > 50
    assert acknowledged <= there
    assert len(facts) == len(set(facts))
    assert set(facts) == there


def test_a_site_at_rest_is_healthy(site: Site) -> None:
    """The worker answers pings without heartbeats too."""

    def health() -> dict[str, object]:
        found: dict[str, object] = json.loads(site.client().send("GET", "/api/v1/health")[2])
        return found

    whole = {"status": "ok", "components": dict.fromkeys(("database", "redis", "search", "worker"), "ok")}
    assert site.wait(lambda: health() == whole, 30), health()


def test_a_refusal_given_before_the_body_came_keeps_the_connection(site: Site) -> None:
    """The next request on it is answered too: a client that keeps connections sends it without looking."""
    connection, body = HTTPConnection(HOST, site.port, timeout=10), b'{"firstName": ""}'
    for _ in range(20):
        connection.putrequest("POST", "/api/contacts")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        site.pass_time(0.01)
        connection.send(body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 401
    connection.close()


def test_postgresql_comes_and_goes_and_nothing_acknowledged_is_lost(site: Site, letters: SlowMailbox) -> None:
    ends: list[Callable[[PostgresServer], None]] = [crash, stop_at_once, stop_in_order, crash]
    gone, coming, back = [], [], []

    with Traffic(site) as traffic:
        for end in ends:
            site.pass_time(1)
            end(site.postgres)
            gone.append(now())
            site.pass_time(1)
            coming.append(now())
            site.postgres.start()
            back.append(now())
            assert site.wait(lambda: len(traffic.since(back[-1])) >= 100, 20)

    assert [answer for answer in traffic.answers if answer.status not in {200, 201, 503}] == []
    refused = [answer for answer in traffic.answers if answer.status == 503]
    assert all(is_json(answer) and has_its_surfaces_shape(answer) for answer in refused)
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert {answer.path.split("/")[1] for answer in refused} == {"api", "shop"}
    for from_, to in zip(gone, coming, strict=True):
        while_away = [answer for answer in traffic.answers if from_ < answer.began and answer.ended < to]
        assert {answer.status for answer in while_away} == {503}
    for moment in back:
        assert [answer.status for answer in traffic.since(moment)[:100] if answer.status >= 400] == []
    assert max(answer.seconds for answer in refused) < 5
    require_everything_acknowledged(site, traffic)
    guests = invite(site)
    assert site.wait(lambda: arrived(letters, guests), 30), "the worker sends nothing after PostgreSQL was away"


def require_undisturbed(traffic: Traffic, since: float) -> None:
    """Every answer a success, 95 of 100 within a second."""
    answers = traffic.since(since)
    assert [answer for answer in answers if answer.status not in {200, 201}] == []
    assert len(answers) > 50
    assert p95(answers) < 1.0


def test_redis_frozen_delays_no_request_and_the_mails_go_out_after_it(site: Site, letters: SlowMailbox) -> None:
    guests = []
    with Traffic(site) as traffic:
        site.pass_time(2)
        frozen = now()
        site.redis.pause()
        try:
            while now() - frozen < FROZEN_SECONDS:
                guests += invite(site)
                site.pass_time(1)
        finally:
            site.redis.resume()
        thawed = now()
        assert site.wait(lambda: arrived(letters, guests), 30), "mails are missing after Redis was frozen"
        took = now() - thawed

    require_undisturbed(traffic, frozen)
    require_everything_acknowledged(site, traffic)
    assert len(guests) > 10
    assert took < 30
    assert [len(set(letters.ids_for(guest))) for guest in guests] == [1] * len(guests)


def test_redis_killed_and_started_empty_loses_no_mail(site: Site, letters: SlowMailbox) -> None:
    guests = []
    with Traffic(site) as traffic:
        site.pass_time(2)
        began = now()
        for _ in range(2):
            guests += invite(site, 3)
            site.redis.kill()
            guests += invite(site, 3)
            site.pass_time(1)
            guests += invite(site, 3)
            site.redis.start()
            guests += invite(site, 3)
        assert site.wait(lambda: arrived(letters, guests), 30), "mails are missing after Redis was emptied"

    require_undisturbed(traffic, began)
    require_everything_acknowledged(site, traffic)
    assert [len(set(letters.ids_for(guest))) for guest in guests] == [1] * len(guests)


def test_a_worker_killed_while_it_sends_loses_no_mail(site: Site, letters: SlowMailbox) -> None:
    kills = 2
    guests = invite(site)
    assert site.wait(lambda: arrived(letters, guests), 30)  # somebody is at work
    letters.delay = 0.4
    try:
        guests += invite(site, 8)
        assert site.wait(lambda: len(letters.ids_for(guests[2])) > 0, 20)
        site.worker.kill()  # the pool and its parent; the supervisor starts them again
        more = invite(site, 4)
        assert site.wait(lambda: arrived(letters, more[:1]), 30)
        assert site.worker.pid
        for child in descendants(site.worker.pid):  # the pool alone; its parent makes a new one
            with suppress(ProcessLookupError):  # it may just have ended by itself
                os.kill(child, signal.SIGKILL)
        guests += more
        patience = outbox.LEASE.total_seconds() + 2 * BEAT_SECONDS + len(guests) * letters.delay
        assert site.wait(lambda: arrived(letters, guests), patience), "mails are missing after a worker was killed"
    finally:
        letters.delay = 0.0

    assert site.wait(lambda: not waiting(site), 40), "messages stay undelivered"
    counts = [letters.ids_for(guest) for guest in guests]
    assert all(len(set(ids)) == 1 for ids in counts)
    assert sum(len(ids) - 1 for ids in counts) <= kills * 2  # one for each process of the pool that was sending


def test_a_web_process_killed_in_the_middle_of_checkouts_leaves_no_half_order(site: Site) -> None:
    kills = 4
    with Shopping(site) as shopping:
        for number in range(1, kills + 1):
            assert site.wait(lambda so_many=8 * number: len(shopping.ordered) >= so_many, 30)
            # The parent makes a new one, or gives up on so many deaths and is itself started again.
            assert site.wait(lambda: kill_web_process(site), 30)
        assert site.wait(lambda: len(shopping.ordered) >= 12 * kills, 60), "nobody sells after a web process was killed"

    there = {str(row[0]) for row in site.rows("SELECT id FROM commerce_order")}
    # Nobody lost an order they were told of; one whose answer was lost may be there, or else its cart was empty.
    assert set(shopping.ordered) <= there
    assert len(there) - len(shopping.ordered) <= shopping.unanswered
    assert {status for status, _ in shopping.refused} <= {400}
    assert all(b"cart_empty" in content for _, content in shopping.refused)
    assert shopping.unanswered > 0
    assert [site.rows(statement) for statement in (HALF_ORDERS, ORPHANS, WRONG_BALANCES)] == [[], [], []]


def kill_web_process(site: Site) -> bool:
    """Kill one that is there; the one before may have gone, and its successor be on its way."""
    for pid in reversed(list(descendants(site.web.pid)) if site.web.pid else []):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def waiting(site: Site) -> int:
    return int(site.rows("SELECT count(*) FROM core_outboxmessage WHERE done_at IS NULL")[0][0])
