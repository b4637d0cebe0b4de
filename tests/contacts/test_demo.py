"""`manage.py seed_demo`: bulk rows are what the services would have made, and the same seed invents the same people."""

import json
import stat
from contextlib import redirect_stdout
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Q
from django.test import Client

from contacts.demo import founding
from contacts.demo.invention import Invention
from contacts.models import Company, Contact
from contacts.services import search_index
from crm.core import clock, counters, db, search
from crm.core.actor import system_actor
from crm.core.models import Event
from tests.support.back_office import signed_in
from tests.support.clients import ApiClient
from tests.support.demo import seeded as demo_of

PEOPLE_ALONE = ("--products", "0", "--orders", "0", "--deals", "0", "--activities", "0")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A seeded organization, and what the command said."""
    said = StringIO()
    with redirect_stdout(said):
        demo = demo_of(tmp_path_factory.mktemp("data"), "--contacts", "150", *PEOPLE_ALONE)
    return demo.organization, said.getvalue()


def rows(organization, model):
    return model.objects.of(organization.pk).order_by("created_at", "id")


def test_derived_columns_are_what_the_services_make(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        for contact in rows(organization, Contact).select_related("company"):
            kept = {name: getattr(contact, name) for name in search_index.DERIVED if name != "search"}
            company = contact.company.name if contact.company else ""
            words = search.lexemes(organization.pk, contact.full_name, contact.email, contact.phone, company)
            search_index.refresh(contact, contact.company)
            assert {name: getattr(contact, name) for name in kept} == kept
            assert set(words) == lexemes_in(contact.pk, Contact)
        for company in rows(organization, Company)[:20]:
            name = company.name_normalized
            search_index.refresh_company(company)
            assert company.name_normalized == name
            words = search.lexemes(organization.pk, company.name, company.phone, company.website)
            assert set(words) == lexemes_in(company.pk, Company)


def lexemes_in(pk, model):
    stored = model.objects.filter(pk=pk).values_list("search", flat=True).get()
    return {word.partition(":")[0].strip("'") for word in stored.split(" ")}


def test_every_contact_has_its_events(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        contacts = list(rows(organization, Contact))
        events = Event.objects.of(organization.pk)
        created = set(events.filter(name="contact.created").values_list("subject_id", flat=True))
        deleted = set(events.filter(name="contact.deleted").values_list("subject_id", flat=True))
        kinds = dict(events.values_list("kind").annotate(n=Count("id")))
        touched = len([contact for contact in contacts if contact.last_contacted_at])
        latest = events.filter(kind__in=["call", "email", "meeting"]).aggregate(n=Count("contact_id", distinct=True))[
            "n"
        ]

    assert created == {contact.pk for contact in contacts}
    assert deleted == {contact.pk for contact in contacts if contact.deleted_at}
    assert touched == latest
    assert {"note", "call", "email", "meeting", "update"} <= kinds.keys()


def test_counters_count_what_was_loaded_in_bulk(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        for kind, model in (("contacts", Contact), ("companies", Company)):
            alive = rows(organization, model).alive().count()
            assert counters.total(system_actor(organization.pk), kind) == alive > 0


def test_it_looks_like_a_company(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        contacts = list(rows(organization, Contact).select_related("owner"))
        companies = rows(organization, Company).count()

    letters = "".join(contact.full_name for contact in contacts)
    for first, last in (("А", "я"), ("Α", "ω"), ("ا", "ي"), ("一", "龥"), ("あ", "ん"), ("À", "ž")):
        assert any(first <= letter <= last for letter in letters), (first, last)
    assert 30 <= companies <= 60
    assert len({contact.owner_id for contact in contacts}) >= 5
    assert any(contact.tags for contact in contacts)
    assert len({contact.email for contact in contacts if contact.email}) > 130


def test_the_sign_ins_sign_in(seeded):
    organization, said = seeded
    domain = f"{organization.slug}.example"

    for role in ("owner", "manager", "staff", "viewer"):
        client = ApiClient("team")
        answer = client.post("auth/login", {"email": f"{role}@{domain}", "password": founding.PASSWORD})
        assert answer.status_code == 200, answer.content
        assert f"{role}@{domain}" in said
    shop = ApiClient("storefront", shop=organization.slug)
    answer = shop.post("auth/login", {"email": f"shopper@{domain}", "password": founding.PASSWORD})
    assert answer.status_code == 200


def test_what_was_loaded_is_found_over_http(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        contact = rows(organization, Contact).filter(~Q(email=""), deleted_at=None).last()
    client = ApiClient("team")
    login = {"email": f"owner@{organization.slug}.example", "password": founding.PASSWORD}
    client.token = client.post("auth/login", login).json()["accessToken"]

    found = client.get("contacts", search=contact.email).json()["data"]["contacts"]

    assert [row["id"] for row in found] == [str(contact.pk)]
    assert client.get(f"contacts/{contact.pk}/timeline").json()["data"]["timeline"][-1]["title"].endswith("created")


def test_if_empty_does_nothing_to_one_that_exists(seeded):
    organization, _ = seeded
    with db.tenant(organization.pk):
        before = rows(organization, Contact).count()

    call_command("seed_demo", "--if-empty", "--organization", organization.slug)

    with db.tenant(organization.pk):
        assert rows(organization, Contact).count() == before


def test_the_demo_leaves_its_sign_ins_for_make_demo(settings, tmp_path, monkeypatch):
    settings.CRM_DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(founding, "SLUG", f"northwind-{uuid4().hex[:8]}")

    call_command("seed_demo", "--organization", founding.SLUG, "--contacts", "3", *PEOPLE_ALONE)

    kept = json.loads((tmp_path / "data" / "demo.json").read_text())
    assert kept["organization"] == founding.SLUG
    assert [entry["role"] for entry in kept["sign_ins"]] == [
        "owner",
        "manager",
        "staff",
        "viewer",
        "shopper",
        "operator",
    ]
    *people, operator = kept["sign_ins"]
    assert all(entry["password"] == founding.PASSWORD and "@" in entry["email"] for entry in people)
    assert stat.S_IMODE((tmp_path / "data" / "demo.json").stat().st_mode) == 0o600
    assert signed_in(operator["email"], operator["password"])


def test_the_demos_operator_has_another_password_each_time(settings, tmp_path, monkeypatch):
    settings.CRM_DATA_DIR = tmp_path
    passwords = []
    for _ in range(2):
        monkeypatch.setattr(founding, "SLUG", f"northwind-{uuid4().hex[:8]}")
        call_command("seed_demo", "--organization", founding.SLUG, "--contacts", "1", *PEOPLE_ALONE)
        passwords.append(json.loads((tmp_path / "demo.json").read_text())["sign_ins"][-1]["password"])

    assert len({*passwords, founding.PASSWORD}) == 3
    refused = Client().post("/admin/login/", {"username": founding.OPERATOR, "password": passwords[0]})
    assert refused.status_code == 200
    assert signed_in(founding.OPERATOR, passwords[1])


def test_production_takes_no_demo(settings):
    settings.IS_PRODUCTION = True
    slug = f"never-{uuid4().hex[:8]}"

    with pytest.raises(CommandError, match="does not run in production"):
        call_command("seed_demo", "--organization", slug, "--contacts", "1", *PEOPLE_ALONE)

    assert founding.find_organization(slug) is None


def test_another_organization_is_filled_without_new_people(acme, settings, tmp_path):
    settings.CRM_DATA_DIR = tmp_path

    call_command("seed_demo", "--organization", acme.slug, "--contacts", "20", *PEOPLE_ALONE)

    with acme.inside():
        assert Contact.objects.of(acme.id).filter(owner__in=[acme.owner, acme.manager, acme.staff]).count() == 20
    assert not (tmp_path / "demo.json").exists()


def test_the_same_seed_invents_the_same_people():
    today = clock.now()

    def people(seed):
        return list(Invention(seed, contacts=50, owners=3, today=today).contacts(telling=50))

    assert people(1) == people(1)
    assert people(1) != people(2)
