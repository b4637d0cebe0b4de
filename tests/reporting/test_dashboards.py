"""The dashboards' contact figures and recent activity, over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

KPIS = {"totalContacts", "totalDeals", "tasksDueToday", "recentActivities"}
SUMMARY = {
    *("contacts", "accounts", "open_opportunities", "pipeline_open", "pipeline_weighted", "won_this_month"),
    *("won_value_this_month", "lost_this_month", "conversion_rate", "avg_cycle"),
    *("activities_due_today", "activities_overdue", "by_currency"),
}


@pytest.fixture
def company_of_three(organization):
    return organization(roles=("owner", "manager", "staff"))


@pytest.fixture
def manager(company_of_three, client_for):
    return client_for(company_of_three.manager, "platform")


def summary(client):
    response = client.get("dashboard/summary")
    assert response.status_code == 200
    return response.json()


def feed(client, **query):
    response = client.get("dashboard/activity-feed", **query)
    assert response.status_code == 200
    return response.json()["items"]


def test_a_new_organizations_dashboards_are_empty(company_of_three, client_for, manager):
    kpis = client_for(company_of_three.manager).get("dashboard/kpis").json()

    assert kpis == {
        "success": True,
        "data": {"totalContacts": 0, "totalDeals": 0, "tasksDueToday": 0, "recentActivities": []},
    }
    figures = summary(manager)
    assert figures.keys() == SUMMARY
    assert {name: figure for name, figure in figures.items() if figure} == {}
    assert figures["avg_cycle"] is None
    assert feed(manager) == []


def test_figures_count_what_is_there_and_what_one_sees(company_of_three, client_for, manager):
    staff = str(company_of_three.staff.pk)
    first = manager.post("contacts", {"first_name": "Ada", "owner_id": staff}).json()["id"]
    manager.post("customers", {"name": "Bea", "company": "Globex"})
    manager.post("accounts", {"name": "Initech", "owner_id": staff})

    def figures(client):
        told = summary(client)
        return told["contacts"], told["accounts"]

    staffs = client_for(company_of_three.staff, "platform")
    assert (figures(manager), figures(staffs)) == ((2, 2), (1, 1))
    assert client_for(company_of_three.staff).get("dashboard/kpis").json()["data"]["totalContacts"] == 1

    manager.delete(f"contacts/{first}")

    assert (figures(manager), figures(staffs)) == ((1, 2), (0, 1))


def test_recent_activity_names_people_and_things(company_of_three, client_for, manager):
    tenant = company_of_three
    customer = manager.post("customers", {"email": "bea@example.com", "company": "Globex", "phone": "1"}).json()
    manager.patch(f"contacts/{customer['id']}", {"owner_id": str(tenant.staff.pk)})

    updated, created, company = feed(manager)

    person = {"id": str(tenant.manager.pk), "name": tenant.manager.full_name}
    account = {"id": manager.get("accounts").json()["items"][0]["id"], "name": "Globex"}
    assert updated == {
        "id": updated["id"],
        "type": "contact.updated",
        "description": "Contact bea@example.com updated",
        "actor": person,
        "owner": {"id": str(tenant.staff.pk), "name": tenant.staff.full_name},
        "contact": {"id": customer["id"], "name": "bea@example.com"},
        "account": account,
        "opportunity": None,
        "timestamp": updated["timestamp"],
    }
    assert created["type"] == "contact.created"
    assert (company["type"], company["contact"], company["account"]) == ("company.created", None, account)
    assert company["owner"] == person
    activities = client_for(tenant.manager).get("dashboard/kpis").json()["data"]["recentActivities"]
    assert [activity["id"] for activity in activities] == [updated["id"], created["id"], company["id"]]
    assert activities[0] == {
        "id": updated["id"],
        "type": "update",
        "description": "Contact bea@example.com updated",
        "contact": {"id": customer["id"], "name": "bea@example.com"},
        "actor": person,
        "createdAt": updated["timestamp"],
    }


def test_staff_hear_of_their_own_things_alone(company_of_three, client_for, manager):
    manager.post("contacts", {"first_name": "Ada"})
    manager.post("contacts", {"first_name": "Bea", "owner_id": str(company_of_three.staff.pk)})
    staff = client_for(company_of_three.staff, "platform")
    staff.post("accounts", {"name": "Mine"})

    assert [item["description"] for item in feed(staff)] == ["Company Mine created", "Contact Bea created"]


def test_sign_ins_and_settings_are_not_in_the_feed(company_of_three, client_for, manager):
    client_for(company_of_three.owner).patch("settings/profile", {"firstName": "New"})
    manager.post("contacts", {"first_name": "Ada"})

    assert [item["type"] for item in feed(manager)] == ["contact.created"]


def test_the_feed_is_as_long_as_asked(manager):
    for number in range(25):
        manager.post("contacts", {"first_name": f"C{number}"})

    assert len(feed(manager)) == 20
    assert [item["contact"]["name"] for item in feed(manager, limit=2)] == ["C24", "C23"]
    assert len(feed(manager, limit=1000)) == 25
    for bad in ("0", "-1", "x", "1.5"):
        response = manager.get("dashboard/activity-feed", limit=bad)
        assert response.status_code == 422
        assert response.json()["error"]["details"][0]["field"] == "limit"


def test_dashboards_take_the_same_number_of_queries_however_much_there_is(company_of_three, client_for, manager):
    team = client_for(company_of_three.staff)

    def count():
        with CaptureQueriesContext(connection) as queries:
            team.get("dashboard/kpis")
            feed(manager)
            summary(manager)
        return len(queries)

    count()
    before = count()
    for number in range(20):
        manager.post("customers", {"name": f"C{number}", "company": f"Company {number}"})

    assert count() == before
    assert before <= 10


def test_another_organizations_activity_stays_its_own(company_of_three, other, client_for, manager):
    manager.post("contacts", {"first_name": "Ada"})

    told = feed(client_for(other.owner, "platform"), limit=100)

    assert "Contact Ada created" not in [item["description"] for item in told]
