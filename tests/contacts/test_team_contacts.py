"""`/api/contacts`: the calls of the Team's document, over HTTP."""

from uuid import uuid4

import pytest

from contacts.models import Contact
from crm.core.models import Event

ADA = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "Ada@Example.com",
    "phone": "+44 20 7946 0123",
    "jobTitle": "Analyst",
    "company": "Analytical Engines",
    "lifecycleStage": "customer",
    "leadStatus": "qualified",
    "temperature": "hot",
    "source": "Referral",
    "tags": ["vip", "press"],
    "address": {"street": "1 St James's Sq", "city": "London", "state": "", "zip": "SW1Y", "country": "UK"},
    "notes": "Prefers letters.",
    "customFields": {"Shoe Size": 38, "likes_tea": True},
    "doNotContact": False,
}


@pytest.fixture
def team(acme, client_for):
    return client_for(acme.manager)


def created(client, **fields):
    response = client.post("contacts", fields)
    assert response.status_code == 201, response.content
    return response.json()["data"]


def fields_in_error(response):
    return [detail["field"] for detail in response.json()["error"]["details"]]


def names(response):
    return [contact["fullName"] for contact in response.json()["data"]["contacts"]]


def events_of(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id"))


def test_a_contact_is_created_with_every_field_of_the_page(acme, team):
    contact = created(team, **ADA)

    company = contact["company"]
    assert company["name"] == "Analytical Engines"
    assert contact["companyId"] == company["id"]
    assert contact["fullName"] == "Ada Lovelace"
    assert contact["address"] == {**ADA["address"], "state": None}
    assert contact["owner"] == {"id": str(acme.manager.pk), "fullName": acme.manager.full_name}
    assert contact["ownerId"] == str(acme.manager.pk)
    assert contact["status"] == "active"
    assert contact["createdAt"].endswith("Z")
    for key in ADA.keys() - {"company", "address"}:
        assert contact[key] == ADA[key], key
    assert "duplicateOf" not in contact


def test_a_contact_is_read_as_it_was_answered(team):
    contact = created(team, **ADA)

    response = team.get(f"contacts/{contact['id']}")

    assert response.status_code == 200
    assert response.json() == {"success": True, "data": contact}


@pytest.mark.parametrize("identity", [{"firstName": "Ada"}, {"lastName": "Lovelace"}, {"email": "a@example.com"}])
def test_a_name_or_an_address_is_enough(team, identity):
    contact = created(team, **identity)

    assert contact["lifecycleStage"] == "lead"
    assert contact["leadStatus"] == "new"
    for key in ("phone", "jobTitle", "temperature", "source", "address", "notes", "company", "companyId", "rating"):
        assert contact[key] is None, key
    assert (contact["tags"], contact["customFields"], contact["doNotContact"]) == ([], {}, False)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "firstName"),
        ({"jobTitle": "Analyst"}, "firstName"),
        ({"firstName": " ", "email": ""}, "firstName"),
        ({"firstName": "A" * 101}, "firstName"),
        ({"email": "no address"}, "email"),
        ({"firstName": "Ada", "lifecycleStage": "unheard of"}, "lifecycleStage"),
        ({"firstName": "Ada", "leadStatus": ""}, "leadStatus"),
        ({"firstName": "Ada", "temperature": "boiling"}, "temperature"),
        ({"firstName": "Ada", "tags": "vip"}, "tags"),
        ({"firstName": "Ada", "tags": ["x" * 61]}, "tags.0"),
        ({"firstName": "Ada", "address": {"planet": "Mars"}}, "address.planet"),
        ({"firstName": "Ada", "address": "1 Main Street"}, "address"),
        ({"firstName": "Ada", "customFields": []}, "customFields"),
        ({"firstName": "Ada", "doNotContact": "perhaps"}, "doNotContact"),
        ({"firstName": "Ada", "rating": 5.1}, "rating"),
        ({"firstName": "Ada", "first_name": "Ada"}, "first_name"),
        ({"firstName": "Ada", "ownerId": str(uuid4())}, "ownerId"),
        ({"firstName": "Ada", "ownerId": "me"}, "ownerId"),
        ({"firstName": "Ada", "companyId": str(uuid4())}, "companyId"),
        ({"firstName": "Ada", "company": "x" * 201}, "company"),
    ],
)
def test_what_is_not_valid_is_named_and_nothing_is_stored(acme, team, body, field):
    with acme.inside():
        before = Contact.objects.of(acme.id).count()

    response = team.post("contacts", body)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "VALIDATION_ERROR"
    assert field in fields_in_error(response)
    with acme.inside():
        assert Contact.objects.of(acme.id).count() == before


def test_what_the_server_makes_may_be_sent_back(team):
    contact = created(team, firstName="Ada", email="ada@example.com")
    echo = {key: value for key, value in contact.items() if key != "company"}

    response = team.patch(f"contacts/{contact['id']}", echo | {"jobTitle": "Countess"})

    assert response.status_code == 200
    assert response.json()["data"]["jobTitle"] == "Countess"


def test_a_change_takes_only_what_was_sent(acme, team):
    contact = created(team, **ADA)

    response = team.patch(f"contacts/{contact['id']}", {"phone": "+44 20 7946 0999", "temperature": None})

    changed = response.json()["data"]
    assert response.status_code == 200
    assert (changed["phone"], changed["temperature"]) == ("+44 20 7946 0999", None)
    assert changed.keys() == contact.keys()
    same = contact.keys() - {"phone", "temperature", "updatedAt"}
    assert {key: changed[key] for key in same} == {key: contact[key] for key in same}
    event = events_of(acme, contact["id"])[-1]
    assert event.name == "contact.updated"
    assert event.changes == {
        "phone": {"from": "+44 20 7946 0123", "to": "+44 20 7946 0999"},
        "temperature": {"from": "hot", "to": ""},
    }
    assert event.content == ("Phone changed from +44 20 7946 0123 to +44 20 7946 0999\nTemperature removed (was hot)")


def test_a_change_that_changes_nothing_records_nothing(acme, team):
    contact = created(team, **ADA)

    response = team.patch(f"contacts/{contact['id']}", ADA)

    assert response.json()["data"] == contact
    assert [event.name for event in events_of(acme, contact["id"])] == ["contact.created"]


def test_the_last_identity_cannot_be_taken_away(team):
    contact = created(team, email="ada@example.com")

    response = team.patch(f"contacts/{contact['id']}", {"email": None})

    assert response.status_code == 400
    assert team.get(f"contacts/{contact['id']}").json()["data"]["email"] == "ada@example.com"


def test_a_company_is_found_by_its_name_or_made_once(team):
    first = created(team, firstName="Ada", company="Ünion Café")
    second = created(team, firstName="Bea", company="  UNION   cafe ")
    third = created(team, firstName="Cleo", companyId=first["companyId"])
    moved = team.patch(f"contacts/{third['id']}", {"company": "Elsewhere"}).json()["data"]
    freed = team.patch(f"contacts/{third['id']}", {"company": None}).json()["data"]

    assert second["company"] == first["company"] == third["company"]
    assert moved["company"]["name"] == "Elsewhere"
    assert (freed["company"], freed["companyId"]) == (None, None)
    companies = team.get("companies").json()["data"]["companies"]
    assert [company["name"] for company in companies] == ["Elsewhere", "Ünion Café"]


def test_deleting_hides_and_restoring_brings_back(acme, team):
    contact = created(team, **ADA)
    address = f"contacts/{contact['id']}"

    deleted = team.delete(address)

    assert (deleted.status_code, deleted.json()) == (200, {"success": True, "data": {"id": contact["id"]}})
    assert contact["fullName"] not in names(team.get("contacts"))
    assert names(team.get("contacts", status="inactive")) == ["Ada Lovelace"]
    for response in (
        team.get(address),
        team.patch(address, {"status": "active"}),
        team.delete(address),
        team.get(f"{address}/timeline"),
        team.post(f"{address}/timeline", {"type": "note", "content": "too late"}),
    ):
        assert response.status_code == 404

    restored = team.post(f"{address}/restore")
    again = team.post(f"{address}/restore")

    assert (restored.status_code, again.status_code) == (200, 200)
    assert restored.json()["data"]["status"] == "active"
    assert again.json() == restored.json()
    assert contact["fullName"] in names(team.get("contacts"))
    assert [event.name for event in events_of(acme, contact["id"])] == [
        "contact.created",
        "contact.deleted",
        "contact.restored",
    ]


def test_inactive_is_also_a_state_that_hides_nothing(team):
    contact = created(team, **ADA)

    team.patch(f"contacts/{contact['id']}", {"status": "inactive"})

    assert team.get(f"contacts/{contact['id']}").json()["data"]["status"] == "inactive"
    assert names(team.get("contacts", status="inactive")) == ["Ada Lovelace"]
    assert "Ada Lovelace" not in names(team.get("contacts", status="active"))
    assert "Ada Lovelace" in names(team.get("contacts"))
    restored = team.post(f"contacts/{contact['id']}/restore").json()["data"]
    assert restored["status"] == "inactive"


def test_the_address_of_a_deleted_contact_is_free_again(team):
    gone = created(team, email="ada@example.com")
    team.delete(f"contacts/{gone['id']}")

    successor = created(team, email="ADA@example.com")
    restored = team.post(f"contacts/{gone['id']}/restore").json()["data"]

    assert "duplicateOf" not in successor
    assert restored["duplicateOf"] == [successor["id"]]


def test_a_contact_of_the_same_identity_is_told_or_refused(team):
    ada = created(team, email="ada@example.com")

    told = created(team, email="ADA@Example.com", firstName="Ada")
    refused = team.request("POST", "contacts?onDuplicate=reject", {"email": "ada@example.com"})

    assert told["duplicateOf"] == [ada["id"]]
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "DUPLICATE_CONTACT"
    assert team.request("POST", "contacts?onDuplicate=maybe", {"email": "b@example.com"}).status_code == 400


@pytest.mark.parametrize("pk", ["7b660fcf-9d83-4d8b-8b61-c077cd5c816c", "42", "not-an-id", "%00"])
def test_an_unknown_or_malformed_id_is_not_found(team, pk):
    for response in (
        team.get(f"contacts/{pk}"),
        team.patch(f"contacts/{pk}", {"phone": "1"}),
        team.delete(f"contacts/{pk}"),
        team.post(f"contacts/{pk}/restore"),
        team.get(f"contacts/{pk}/timeline"),
    ):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "NOT_FOUND"


def test_companies_stand_on_the_team_surface_too(team):
    made = team.post("companies", {"name": "Ünion", "annualRevenue": 1500000.5, "employeeCount": 12})

    company = made.json()["data"]
    assert made.status_code == 201
    assert (company["annualRevenue"], company["employeeCount"]) == (1500000.5, 12)
    assert team.get(f"companies/{company['id']}").json()["data"] == company


def test_a_number_that_json_columns_spell_in_full_can_be_changed_again(acme, client_for):
    manager = client_for(acme.manager)
    path = f"contacts/{manager.post('contacts', {'firstName': 'Ada'}).json()['data']['id']}"

    for value in (1e22, 2e22):
        changed = manager.patch(path, {"customFields": {"far": value}})
        assert changed.json()["data"]["customFields"] == {"far": value}
