"""Kept counts equal the rows, whatever happened to them and whoever folds meanwhile."""

import random
import threading

import pytest
from django.db import connections

from contacts.models import Company, Contact
from contacts.services import companies, contacts
from crm.core import counters
from crm.core.errors import NotFound
from crm.core.models import RowCounter


def counted(tenant, kind, model):
    """What the counters say and what is there, for those who see all and for each owner."""
    told, there = {}, {}
    with tenant.inside():
        told["all"] = counters.total(tenant.actor("owner"), kind)
        there["all"] = model.objects.of(tenant.id).alive().count()
        for role in ("staff", "manager"):
            user = tenant.users[role]
            own = RowCounter.objects.filter(organization_id=tenant.id, kind=kind, owner_id=user.pk)
            told[role] = sum(own.values_list("n", flat=True))
            there[role] = model.objects.of(tenant.id).alive().filter(owner=user).count()
    return told, there


def busy(tenant, seed, steps):
    """A random sequence of changes to contacts and companies, each committed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    with tenant.inside():
        actor = tenant.actor("manager")
    owners = [tenant.manager.pk, tenant.staff.pk, None]
    makers = {
        Contact: (contacts.create_contact, contacts.update_contact, contacts.delete_contact, contacts.restore_contact),
        Company: (
            companies.create_company,
            companies.update_company,
            companies.delete_company,
            companies.restore_company,
        ),
    }
    for step in range(steps):
        model = chance.choice([Contact, Contact, Company])
        create, update, delete, restore = makers[model]
        with tenant.inside():
            rows = list(model.objects.of(tenant.id).order_by("id"))
            move = chance.choice(["create", "create", "update", "delete", "restore"])
            try:
                if move == "create" or not rows:
                    name = {"name": f"C {step}"} if model is Company else {"first_name": f"C {step}"}
                    create(actor, **name, owner_id=chance.choice(owners))
                elif move == "update":
                    update(actor, chance.choice(rows), owner_id=chance.choice(owners), phone=f"{step}")
                else:
                    (delete if move == "delete" else restore)(actor, chance.choice(rows))
            except NotFound:
                pass  # it is deleted already


@pytest.mark.parametrize("seed", range(3))
def test_counters_equal_the_rows_after_any_sequence(acme, seed):
    busy(acme, seed, 40)

    for kind, model in (("contacts", Contact), ("companies", Company)):
        told, there = counted(acme, kind, model)
        assert told == there


def test_counters_equal_the_rows_while_beat_compacts(acme):
    stop = threading.Event()
    wrong = []

    def fold():
        while not stop.is_set():
            counters.compact()
        connections.close_all()

    def watch():
        while not stop.is_set():
            with acme.inside():
                if counters.total(acme.actor("owner"), "contacts") < 0:
                    wrong.append("negative")
        connections.close_all()

    threads = [threading.Thread(target=work) for work in (fold, fold, watch)]
    for thread in threads:
        thread.start()
    busy(acme, 7, 60)
    stop.set()
    for thread in threads:
        thread.join()

    counters.compact()

    told, there = counted(acme, "contacts", Contact)
    assert (told, wrong) == (there, [])
    with acme.inside():
        kept = RowCounter.objects.filter(organization_id=acme.id, kind="contacts")
        assert kept.count() == len({row.owner_id for row in kept})


def test_an_unfiltered_list_tells_the_tally(acme, client_for):
    busy(acme, 11, 25)

    for role in ("manager", "staff"):
        data = client_for(acme.users[role]).get("contacts", pageSize=100).json()["data"]
        assert data["meta"]["pagination"]["total"] == len(data["contacts"])
