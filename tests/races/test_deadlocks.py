"""A deadlock that no order of locks has foreseen is nothing that a client is told of."""

from threading import Barrier, BrokenBarrierError

import pytest

from contacts.api.team import TeamContactViewSet
from contacts.models import Contact
from tests.races.concurrency import crowd

pytestmark = pytest.mark.races


@pytest.fixture
def crossing(acme, client_for, monkeypatch):
    """Return what two clients are answered who each hold a contact and want the other's."""
    clients = [client_for(acme.manager) for _ in range(2)]
    pks = [client.post("contacts", {"firstName": f"C{n}"}).json()["data"]["id"] for n, client in enumerate(clients)]
    both_hold = Barrier(2)

    def rename_both(self, request, pk):
        for place in (pk, *(other for other in pks if other != str(pk))):
            Contact.objects.of(self.actor).filter(pk=place).update(job_title=request.data["jobTitle"])
            try:
                both_hold.wait(2)
            except BrokenBarrierError:  # the second time there is nobody to wait for
                continue
        return self.respond({})

    monkeypatch.setattr(TeamContactViewSet, "partial_update", rename_both)

    def answers():
        return [
            response.status_code
            for response in crowd(2, lambda n: clients[n].patch(f"contacts/{pks[n]}", {"jobTitle": f"T{n}"}))
        ]

    def titles():
        with acme.inside():
            return set(Contact.objects.of(acme.id).filter(pk__in=pks).values_list("job_title", flat=True))

    return answers, titles


def test_a_deadlocks_victim_is_done_again(crossing, second_attempts):
    answers, titles = crossing

    assert answers() == [200, 200]
    assert titles() in ({"T0"}, {"T1"})


def test_the_control_without_another_attempt_one_is_refused(crossing):
    answers, _ = crossing

    assert sorted(answers()) == [200, 409]
