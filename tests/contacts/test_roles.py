"""Who may do what with companies and contacts, as one table; and what lies outside what one sees."""

from uuid import uuid4

import pytest

ROLES = ("owner", "manager", "staff", "customer_experience", "viewer", "customer")
# surface, method, path below the base ({own}: the staff member's, {others}: the manager's), body, status by role
TABLE = [
    ("team", "GET", "contacts", None, (200, 200, 200, 200, 200, 403)),
    ("team", "GET", "contacts/{own}", None, (200, 200, 200, 200, 200, 403)),
    ("team", "GET", "contacts/{others}", None, (200, 200, 404, 200, 200, 403)),
    ("team", "GET", "contacts/{own}/timeline", None, (200, 200, 200, 200, 200, 403)),
    ("team", "GET", "contacts/{others}/timeline", None, (200, 200, 404, 200, 200, 403)),
    ("team", "POST", "contacts", {"firstName": "New"}, (201, 201, 201, 403, 403, 403)),
    ("team", "PATCH", "contacts/{own}", {"jobTitle": "x"}, (200, 200, 200, 403, 403, 403)),
    ("team", "PATCH", "contacts/{others}", {"jobTitle": "x"}, (200, 200, 404, 403, 403, 403)),
    ("team", "POST", "contacts/{own}/timeline", {"type": "call"}, (201, 201, 201, 403, 403, 403)),
    ("team", "POST", "contacts/{others}/timeline", {"type": "call"}, (201, 201, 404, 403, 403, 403)),
    ("team", "DELETE", "contacts/{own}", None, (200, 200, 403, 403, 403, 403)),
    ("team", "POST", "contacts/{own}/restore", None, (200, 200, 403, 403, 403, 403)),
    ("team", "GET", "dashboard/kpis", None, (200, 200, 200, 200, 200, 403)),
    ("platform", "GET", "contacts", None, (200, 200, 200, 200, 200, 403)),
    ("platform", "POST", "contacts", {"email": "new@example.com"}, (201, 201, 201, 403, 403, 403)),
    ("platform", "PATCH", "contacts/{others}", {"phone": "1"}, (200, 200, 404, 403, 403, 403)),
    ("platform", "DELETE", "contacts/{own}", None, (200, 200, 403, 403, 403, 403)),
    ("platform", "POST", "contacts/{own}/restore", None, (200, 200, 403, 403, 403, 403)),
    ("platform", "GET", "customers/{own}", None, (200, 200, 200, 200, 200, 403)),
    ("platform", "GET", "customers/{others}", None, (200, 200, 404, 200, 200, 403)),
    ("platform", "POST", "customers", {"name": "New"}, (201, 201, 201, 403, 403, 403)),
    ("platform", "PUT", "customers/{own}", {"rating": 4}, (200, 200, 200, 403, 403, 403)),
    ("platform", "DELETE", "customers/{own}", None, (200, 200, 403, 403, 403, 403)),
    ("platform", "GET", "accounts", None, (200, 200, 200, 200, 200, 403)),
    ("platform", "GET", "accounts/{company}", None, (200, 200, 404, 200, 200, 403)),
    ("platform", "POST", "accounts", {"name": "New"}, (201, 201, 201, 403, 403, 403)),
    ("platform", "PATCH", "accounts/{company}", {"tier": "x"}, (200, 200, 404, 403, 403, 403)),
    ("platform", "DELETE", "accounts/{company}", None, (200, 200, 403, 403, 403, 403)),
    ("platform", "POST", "accounts/{company}/restore", None, (200, 200, 403, 403, 403, 403)),
    ("platform", "GET", "dashboard/summary", None, (200, 200, 200, 200, 200, 403)),
    ("platform", "GET", "dashboard/activity-feed", None, (200, 200, 200, 200, 200, 403)),
]


@pytest.fixture
def things(acme, client_for):
    """Ids of the staff member's contact, the manager's, and the manager's company."""
    manager = client_for(acme.manager)
    own = {"firstName": "Own", "ownerId": str(acme.staff.pk)}
    return {
        "own": manager.post("contacts", own).json()["data"]["id"],
        "others": manager.post("contacts", {"firstName": "Others"}).json()["data"]["id"],
        "company": manager.post("companies", {"name": "Globex"}).json()["data"]["id"],
    }


@pytest.mark.parametrize("role", ROLES)
def test_the_table_of_roles(acme, client_for, things, role):
    found = {}
    for surface, method, path, body, statuses in TABLE:
        response = client_for(acme.users[role], surface).request(method, path.format(**things), body)
        expected = statuses[ROLES.index(role)]
        if response.status_code != expected:
            found[f"{surface} {method} {path}"] = (response.status_code, expected)
        if method == "DELETE" and response.status_code == 200:
            client_for(acme.owner, surface).post(f"{path.format(**things)}/restore")

    assert found == {}


def test_staff_see_their_own_rows_alone(acme, client_for, things):
    mine = client_for(acme.staff).post("contacts", {"firstName": "Mine"}).json()["data"]

    rows = client_for(acme.staff).get("contacts").json()["data"]

    assert mine["ownerId"] == str(acme.staff.pk)
    assert [row["id"] for row in rows["contacts"]] == [mine["id"], things["own"]]
    assert rows["meta"]["pagination"]["total"] == 2


def test_only_those_who_see_all_give_rows_away(acme, client_for, things):
    staff = client_for(acme.staff)

    given = staff.patch(f"contacts/{things['own']}", {"ownerId": str(acme.manager.pk)})
    made = staff.post("contacts", {"firstName": "New", "ownerId": str(acme.manager.pk)})
    kept = staff.patch(f"contacts/{things['own']}", {"ownerId": str(acme.staff.pk)})
    left = staff.post("contacts", {"firstName": "New", "ownerId": None})

    assert (given.status_code, made.status_code, kept.status_code) == (403, 403, 200)
    assert left.json()["data"]["ownerId"] == str(acme.staff.pk)


@pytest.mark.parametrize("who", ["customer", "gone", "foreign"])
def test_nobody_but_an_active_member_becomes_an_owner(acme, other, client_for, things, who):
    gone = acme.add("staff", is_active=False)
    owner = {"customer": acme.customer, "gone": gone, "foreign": other.staff}[who]

    response = client_for(acme.manager).patch(f"contacts/{things['own']}", {"ownerId": str(owner.pk)})

    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == "ownerId"


def test_another_organizations_ids_are_as_unknown_as_any(acme, other, client_for, things):
    stranger = client_for(other.owner, "platform")

    for path in (f"contacts/{things['own']}", f"customers/{things['own']}", f"accounts/{things['company']}"):
        foreign, unknown = stranger.get(path), stranger.get(f"{path.partition('/')[0]}/{uuid4()}")
        assert (foreign.status_code, foreign.json()) == (404, unknown.json())
        assert stranger.delete(path).status_code == 404
    body = {"first_name": "Spy", "account_id": things["company"]}
    refused = stranger.post("contacts", body)
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["field"] == "account_id"
    assert stranger.get("contacts", account_id=things["company"]).json()["items"] == []


def test_staff_attach_only_companies_that_they_see(acme, client_for, things):
    staff = client_for(acme.staff)

    by_id = staff.patch(f"contacts/{things['own']}", {"companyId": things["company"]})
    by_name = staff.patch(f"contacts/{things['own']}", {"company": "Globex"})
    client_for(acme.manager).patch(f"contacts/{things['own']}", {"companyId": things["company"]})
    again = staff.patch(f"contacts/{things['own']}", {"companyId": things["company"], "jobTitle": "x"})

    assert by_id.status_code == 400
    assert by_name.json()["data"]["companyId"] not in {None, things["company"]}  # another one, of the same name
    assert again.status_code == 200
