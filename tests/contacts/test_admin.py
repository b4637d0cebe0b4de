"""The back office of companies and contacts, over HTTP, signed in as an operator."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Company, Contact
from contacts.services import companies, contacts
from crm.core.models import Event
from tests.support.back_office import saved, text_of


@pytest.fixture
def ada(acme):
    with acme.inside():
        return contacts.create_contact(
            acme.actor("manager"), first_name="Ada", last_name="Łove", email="Ada@Example.com", company="Ünion"
        )


def form_of(row, **changed):
    """The fields of a contact's or company's page as a browser would send them."""
    names = {
        Contact: (
            *("first_name", "last_name", "email", "phone", "job_title", "status", "lifecycle_stage", "lead_status"),
            *("temperature", "rating", "source", "notes"),
        ),
        Company: (
            *("name", "website", "phone", "industry", "tier", "country", "lifecycle_stage", "employee_count"),
            "annual_revenue",
        ),
    }[type(row)]
    told = {name: getattr(row, name) for name in names}
    told |= {"owner": row.owner_id, "tags": ",".join(row.tags)}
    if isinstance(row, Contact):
        told["company"] = row.company_id
    return {name: "" if value is None else value for name, value in (told | changed).items()}


def events_of(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id"))


@pytest.mark.parametrize("search", ["ada@exa", "id", "words"])
def test_a_contact_is_found(acme, ada, back_office, search):
    query = {"ada@exa": {"q": "ada@exa"}, "id": {"q": str(ada.pk)}, "words": {"q": "lov uni"}}[search]
    if search != "id":
        query["organization__id__exact"] = str(acme.id)
    if search == "ada@exa":
        del query["organization__id__exact"]

    page = text_of(back_office.get("/admin/contacts/contact/", query))

    assert "Ada Łove" in page


def test_a_company_is_found_by_the_beginning_of_its_name(ada, back_office):
    page = text_of(back_office.get("/admin/contacts/company/", {"q": "UNI"}))

    assert str(ada.company_id) in page


def test_a_contact_is_changed_by_the_service(acme, ada, back_office):
    address = f"/admin/contacts/contact/{ada.pk}/change/"
    assert "Ada@Example.com" in text_of(back_office.get(address))

    saved(back_office.post(address, form_of(ada, last_name="Lovelace", tags="vip, press", owner=acme.staff.pk)))

    with acme.inside():
        ada = Contact.objects.get(pk=ada.pk)
    assert (ada.full_name, ada.name_normalized, ada.owner_id) == ("Ada Lovelace", "ada lovelace", acme.staff.pk)
    assert ada.tags == ["vip", "press"]
    event = events_of(acme, ada.pk)[-1]
    assert (event.name, event.actor_id) == ("contact.updated", None)
    assert event.changes.keys() == {"last_name", "owner_id", "tags"}


def test_a_refusal_is_told_and_nothing_is_saved(acme, ada, back_office):
    address = f"/admin/contacts/contact/{ada.pk}/change/"

    response = back_office.post(address, form_of(ada, first_name="", last_name="", email=""), follow=True)

    assert "A name or an e-mail address is needed." in text_of(response)
    assert [event.name for event in events_of(acme, ada.pk)] == ["contact.created"]


@pytest.mark.parametrize("reference", ["owner", "company"])
def test_another_organizations_owner_or_company_is_refused(acme, other, ada, back_office, reference):
    with other.inside():
        company = companies.create_company(other.actor("owner"), name="Foreign")
    foreign = {"owner": other.staff.pk, "company": company.pk}[reference]

    response = back_office.post(f"/admin/contacts/contact/{ada.pk}/change/", form_of(ada, **{reference: foreign}))

    assert "This belongs to another organization." in text_of(response)
    assert len(events_of(acme, ada.pk)) == 1


def test_a_contact_is_made_in_an_organization(acme, back_office):
    page = "/admin/contacts/contact/add/"
    assert back_office.get(page).status_code == 200
    body = {
        "tenant": str(acme.id),
        "first_name": "Grace",
        "email": f"{uuid4().hex}@example.com",
        "lifecycle_stage": "lead",
        "lead_status": "new",
    }

    saved(back_office.post(page, body))

    with acme.inside():
        grace = Contact.objects.of(acme.id).get(email=body["email"])
        assert list(Contact.objects.of(acme.id).searched(acme.id, "grace")) == [grace]
    assert [event.name for event in events_of(acme, grace.pk)] == ["contact.created"]


def test_a_companys_revenue_is_asked_for_in_major_units(acme, back_office):
    with acme.inside():
        company = companies.create_company(acme.actor("owner"), name="Globex", annual_revenue=Decimal(1500))
    address = f"/admin/contacts/company/{company.pk}/change/"
    assert 'value="1500.00"' in text_of(back_office.get(address))

    saved(back_office.post(address, form_of(company, annual_revenue="1750.50")))

    with acme.inside():
        assert Company.objects.get(pk=company.pk).annual_revenue == 175050
    unchanged = back_office.post(address, form_of(company, annual_revenue="1750.5", tier="gold"))
    saved(unchanged)
    assert events_of(acme, company.pk)[-1].changes.keys() == {"tier"}
    refused = back_office.post(address, form_of(company, annual_revenue="1.001"), follow=True)
    assert "USD has 2 decimals" in text_of(refused)


def test_rows_are_deleted_and_restored_by_the_services(acme, ada, back_office):
    def act(action):
        return back_office.post(
            "/admin/contacts/contact/", {"action": action, "_selected_action": [str(ada.pk)]}, follow=True
        )

    assert "1 deleted." in text_of(act("delete_rows"))
    with acme.inside():
        assert Contact.objects.get(pk=ada.pk).deleted_at is not None
    assert back_office.post(f"/admin/contacts/contact/{ada.pk}/change/", form_of(ada)).status_code == 403
    assert "1 restored." in text_of(act("restore_rows"))
    assert [event.name for event in events_of(acme, ada.pk)] == [
        "contact.created",
        "contact.deleted",
        "contact.restored",
    ]


@pytest.mark.parametrize("model", ["contact", "company"])
def test_a_list_counts_no_further_than_it_shows_and_reads_no_row_alone(acme, back_office, model):
    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            text_of(back_office.get(f"/admin/contacts/{model}/", query))
        return [query["sql"] for query in captured]

    with acme.inside():
        for number in range(3):
            contacts.create_contact(acme.actor("manager"), first_name=f"C{number}", company=f"Company {number}")
    within = {"organization__id__exact": str(acme.id)}
    few = queries(**within)
    with acme.inside():
        for number in range(3, 20):
            contacts.create_contact(acme.actor("manager"), first_name=f"C{number}", company=f"Company {number}")
    many = queries(**within)

    assert len(few) == len(many)
    counts = [
        statement for statement in queries() if "COUNT(" in statement.upper() and f"contacts_{model}" in statement
    ]
    assert counts
    assert all("LIMIT 1000" in statement for statement in counts)
