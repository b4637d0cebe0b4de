"""`/api/v1/accounts`, `/contacts` and `/customers`: the calls of the Platform's documents, over HTTP."""

from uuid import uuid4

import pytest

JANE = {  # as the document writes it
    "name": "Jane Doe",
    "email": "jane@example.com",
    "phone": "+1-555-0124",
    "company": "Tech Solutions Inc",
    "address": {"street": "123 Main St", "city": "New York", "state": "NY", "zip": "10001", "country": "USA"},
    "tags": ["vip", "enterprise"],
    "notes": "High-value customer",
}


@pytest.fixture
def platform(acme, client_for):
    return client_for(acme.manager, "platform")


def created(client, path, **fields):
    response = client.post(path, fields)
    assert response.status_code == 201, response.content
    return response.json()


def listed(client, path, key="id", **query):
    response = client.get(path, **query)
    assert response.status_code == 200, response.content
    return [item[key] for item in response.json()["items"]]


# --- Accounts


def test_an_account_is_created_read_and_changed(acme, platform):
    account = created(
        platform,
        "accounts",
        name="Globex",
        website="https://globex.example",
        phone="+1 555 0100",
        industry="Energy",
        tier="enterprise",
        lifecycle_stage="customer",
        country="Brasil",
        employee_count=250,
        annual_revenue=12500000.75,
        address={"city": "São Paulo"},
        tags=["key"],
        owner_id=str(acme.staff.pk),
    )

    assert account["owner"] == {"id": str(acme.staff.pk), "full_name": acme.staff.full_name}
    assert account["annual_revenue"] == 12500000.75
    assert account["address"] == {"street": None, "city": "São Paulo", "state": None, "zip": None, "country": None}
    assert platform.get(f"accounts/{account['id']}").json() == account
    changed = platform.patch(f"accounts/{account['id']}", {"tier": "small", "annual_revenue": None}).json()
    assert (changed["tier"], changed["annual_revenue"], changed["name"]) == ("small", None, "Globex")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Globex", "annual_revenue": 1.001}, "annual_revenue"),
        ({"name": "Globex", "annual_revenue": -1}, "annual_revenue"),
        ({"name": "Globex", "annual_revenue": 1e17}, "annual_revenue"),
        ({"name": "Globex", "employee_count": 2**31}, "employee_count"),
        ({"name": "Globex", "employee_count": 1.5}, "employee_count"),
        ({"name": "Globex", "owner_id": str(uuid4())}, "owner_id"),
        ({"name": "Globex", "colour": "red"}, "colour"),
    ],
)
def test_an_account_that_is_not_valid_is_refused(platform, body, field):
    response = platform.post("accounts", body)

    assert response.status_code == 422
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]
    assert listed(platform, "accounts") == []


def test_accounts_are_filtered(acme, platform):
    globex = created(
        platform, "accounts", name="Globex", industry="Energy", tier="Gold", country="BR", lifecycle_stage="customer"
    )
    initech = created(platform, "accounts", name="Initech", industry="Software", owner_id=str(acme.staff.pk))

    assert listed(platform, "accounts") == [initech["id"], globex["id"]]
    for query in ({"q": "glo"}, {"search": "GLOBEX"}, {"industry": "energy"}, {"tier": "gold"}, {"country": "br"}):
        assert listed(platform, "accounts", **query) == [globex["id"]], query
    assert listed(platform, "accounts", lifecycle_stage="customer") == [globex["id"]]
    assert listed(platform, "accounts", owner_id=str(acme.staff.pk)) == [initech["id"]]
    assert listed(platform, "accounts", owner_id=str(uuid4())) == []
    assert listed(platform, "accounts", sort="name", order="asc") == [globex["id"], initech["id"]]
    for query in ({"lifecycle_stage": "x"}, {"owner_id": "x"}, {"sort": "x"}, {"order": "up"}, {"page": "0"}):
        assert platform.get("accounts", **query).status_code == 422, query


def test_a_deleted_account_is_gone_until_it_is_restored(platform):
    account = created(platform, "accounts", name="Globex")
    contact = created(platform, "contacts", first_name="Hank", account_id=account["id"])

    deleted = platform.delete(f"accounts/{account['id']}")

    assert (deleted.status_code, deleted.json()) == (200, {"message": "Account deleted successfully"})
    assert listed(platform, "accounts") == []
    assert platform.get(f"accounts/{account['id']}").status_code == 404
    assert platform.get(f"contacts/{contact['id']}").json()["account"] == {"id": account["id"], "name": "Globex"}
    refused = platform.post("contacts", {"first_name": "Hank", "account_id": account["id"]})
    assert refused.json()["error"]["details"][0]["field"] == "account_id"
    successor = created(platform, "accounts", name="Globex")
    restored = platform.post(f"accounts/{account['id']}/restore")
    assert restored.status_code == 200
    assert listed(platform, "accounts") == [successor["id"], account["id"]]


def test_a_renamed_account_is_found_under_its_new_name_with_its_contacts(platform):
    account = created(platform, "accounts", name="Globex")
    contact = created(platform, "contacts", first_name="Hank", account_id=account["id"])

    platform.patch(f"accounts/{account['id']}", {"name": "Initech"})

    assert listed(platform, "contacts", q="initech") == [contact["id"]]
    assert listed(platform, "contacts", q="globex") == []
    assert listed(platform, "accounts", q="initech") == [account["id"]]


# --- Contacts


def test_full_name_and_dedupe_hash_are_made_here(platform):
    contact = created(
        platform, "contacts", first_name="Hank", last_name="Scorpio", full_name="Somebody", dedupe_hash="0" * 64
    )
    same = created(platform, "contacts", first_name=" HANK", last_name="Scörpio ")
    other = created(platform, "contacts", first_name="Hank", last_name="Scorpio", phone="555 0100")

    assert contact["full_name"] == "Hank Scorpio"
    assert len(contact["dedupe_hash"]) == 64
    assert contact["dedupe_hash"] != "0" * 64
    assert same["duplicate_of"] == [contact["id"]]
    assert "duplicate_of" not in other


def test_an_update_that_meets_another_contact_tells_or_refuses(platform):
    hank = created(platform, "contacts", email="hank@example.com")
    homer = created(platform, "contacts", email="homer@example.com")

    refused = platform.patch(f"contacts/{homer['id']}?on_duplicate=reject", {"email": "HANK@example.com"})
    told = platform.patch(f"contacts/{homer['id']}", {"email": "HANK@example.com"})

    assert refused.status_code == 409
    assert refused.json()["error"]["duplicate_of"] == [hank["id"]]
    assert told.status_code == 200
    assert told.json()["duplicate_of"] == [hank["id"]]
    assert platform.get(f"contacts/{homer['id']}").json()["email"] == "HANK@example.com"


def test_contacts_are_filtered(acme, platform):
    account = created(platform, "accounts", name="Globex")
    hank = created(
        platform,
        "contacts",
        first_name="Hank",
        account_id=account["id"],
        lifecycle_stage="customer",
        lead_status="open",
        temperature="hot",
        do_not_contact=True,
    )
    homer = created(platform, "contacts", first_name="Homer", owner_id=str(acme.staff.pk))

    for query in (
        {"q": "han"},
        {"search": "globex"},
        {"account_id": account["id"]},
        {"lifecycle_stage": "customer"},
        {"lead_status": "open"},
        {"temperature": "hot"},
        {"do_not_contact": "true"},
        {"q": "hank", "temperature": "hot", "account_id": account["id"]},
    ):
        assert listed(platform, "contacts", **query) == [hank["id"]], query
    assert listed(platform, "contacts", owner_id=str(acme.staff.pk)) == [homer["id"]]
    assert hank["id"] not in listed(platform, "contacts", do_not_contact="false")
    for query in ({"do_not_contact": "perhaps"}, {"account_id": "x"}, {"temperature": "x"}, {"lead_status": "x"}):
        answer = platform.get("contacts", **query)
        assert answer.status_code == 422
        assert [detail["field"] for detail in answer.json()["error"]["details"]] == list(query)


# --- Customers


def test_the_documents_customer_is_created(platform):
    customer = created(platform, "customers", **JANE)

    assert {key: customer[key] for key in JANE} == JANE
    assert customer["status"] == "active"
    assert customer["rating"] is None
    assert (customer["total_orders"], customer["total_value"]) == (0, 0.0)
    assert isinstance(customer["total_value"], float)
    assert customer.keys() == {
        *("id", "name", "email", "phone", "company", "status", "rating", "total_orders", "total_value"),
        *("address", "tags", "notes", "last_contact", "created_at", "updated_at"),
    }
    assert platform.get(f"customers/{customer['id']}").json() == customer


def test_the_documents_update_takes_any_part(platform):
    customer = created(platform, "customers", **JANE)
    body = {
        "name": "John Smith Jr.",
        "phone": "+1-555-0125",
        "status": "active",
        "rating": 5.0,
        "notes": "Upgraded to premium service",
    }

    response = platform.put(f"customers/{customer['id']}", body)

    assert response.status_code == 200
    assert response.json() == customer | body | {"updated_at": response.json()["updated_at"]}
    contact = platform.get(f"contacts/{customer['id']}").json()
    assert (contact["first_name"], contact["last_name"]) == ("John", "Smith Jr.")


def test_the_documents_delete_answers_its_message(platform):
    customer = created(platform, "customers", **JANE)

    response = platform.delete(f"customers/{customer['id']}")

    assert (response.status_code, response.json()) == (200, {"message": "Customer deleted successfully"})
    assert platform.get(f"customers/{customer['id']}").status_code == 404
    assert platform.put(f"customers/{customer['id']}", {"status": "active"}).status_code == 404


def test_inactive_customers_are_the_switched_off_and_the_deleted(platform):
    jane = created(platform, "customers", **JANE)
    joan = created(platform, "customers", name="Joan")
    platform.put(f"customers/{jane['id']}", {"status": "inactive"})
    platform.delete(f"customers/{joan['id']}")

    assert listed(platform, "customers", status="inactive") == [joan["id"], jane["id"]]
    assert jane["id"] not in listed(platform, "customers", status="active")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"phone": "1"}, "name"),
        ({"name": ""}, "name"),
        ({"name": None, "email": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": ["Jane"]}, "name"),
        ({"name": "Jane", "rating": 6}, "rating"),
        ({"name": "Jane", "status": "gone"}, "status"),
        ({"name": "Jane", "email": "jane"}, "email"),
        ({"name": "Jane", "company": {"name": "x"}}, "company"),
        ({"name": "Jane", "first_name": "Jane"}, "first_name"),
    ],
)
def test_a_customer_that_is_not_valid_is_refused(platform, body, field):
    response = platform.post("customers", body)

    assert response.status_code == 422
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]


def test_customers_are_searched_and_sorted(platform):
    jane = created(platform, "customers", name="Jane Doe", email="zoe@example.com")
    adam = created(platform, "customers", name="adam Ant", email="b@example.com")
    zora = created(platform, "customers", name="Zora", email="a@example.com")
    shopper = listed(platform, "customers", search="customer")

    assert listed(platform, "customers", search="doe") == [jane["id"]]
    assert listed(platform, "customers", search="ZOE@EXAMPLE.com") == [jane["id"]]
    assert [pk for pk in listed(platform, "customers", sort="name") if pk not in shopper] == [
        adam["id"],
        jane["id"],
        zora["id"],
    ]
    assert [pk for pk in listed(platform, "customers", sort="email", order="desc") if pk not in shopper] == [
        jane["id"],
        adam["id"],
        zora["id"],
    ]
    assert listed(platform, "customers", sort="created_at", order="desc", limit=1) == [zora["id"]]


def test_a_customer_that_exists_is_told_or_refused(platform):
    jane = created(platform, "customers", **JANE)

    assert created(platform, "customers", **JANE)["duplicate_of"] == [jane["id"]]
    assert platform.request("POST", "customers?on_duplicate=reject", JANE).status_code == 409


# --- One thing behind every door


def test_the_same_contact_stands_behind_every_surface(acme, client_for, platform):
    team = client_for(acme.manager)
    pk = created(platform, "customers", **JANE)["id"]

    team.patch(f"contacts/{pk}", {"lastName": "Deer", "temperature": "hot"})
    platform.patch(f"contacts/{pk}", {"lead_status": "qualified"})
    team.post(f"contacts/{pk}/timeline", {"type": "call", "occurredAt": "2026-01-15T10:30:00Z"})

    on_team = team.get(f"contacts/{pk}").json()["data"]
    on_platform = platform.get(f"contacts/{pk}").json()
    as_customer = platform.get(f"customers/{pk}").json()
    assert on_team["fullName"] == on_platform["full_name"] == as_customer["name"] == "Jane Deer"
    assert on_team["temperature"] == on_platform["temperature"] == "hot"
    assert on_team["leadStatus"] == on_platform["lead_status"] == "qualified"
    assert on_team["company"] == on_platform["account"]
    assert on_team["company"]["name"] == as_customer["company"] == "Tech Solutions Inc"
    assert on_team["lastContactedAt"] == as_customer["last_contact"] == "2026-01-15T10:30:00Z"
    assert platform.get(f"contacts/{pk}/timeline").json()["items"][-1]["type"] == "call"
    platform.delete(f"customers/{pk}")
    assert team.get(f"contacts/{pk}").status_code == platform.get(f"contacts/{pk}").status_code == 404
