"""`/api/v1/opportunities`, over HTTP."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from contacts.services import shoppers
from crm.core.models import Event
from sales.models import Deal


@pytest.fixture
def staff(acme, client_for):
    return client_for(acme.staff, "platform")


def names(client, **query):
    response = client.get("opportunities", **query)
    assert response.status_code == 200, response.content
    assert response.json()["total"] == len(response.json()["items"])
    return [item["name"] for item in response.json()["items"]]


def field_of(response):
    return response.status_code, response.json()["error"]["details"][0]["field"]


def told(tenant, deal):
    with tenant.inside():
        rows = Event.objects.of(tenant.id).filter(subject_id=deal["id"]).order_by("id")
        return [(event.name, event.title) for event in rows]


def test_an_opportunity_is_created_read_and_changed(acme, platform, stages, opportunity):
    account = platform.post("accounts", {"name": "Globex"}).json()
    contact = platform.post("contacts", {"first_name": "Ada", "last_name": "L", "account_id": account["id"]}).json()
    deal = opportunity(
        "Renewal",
        amount=1500.5,
        currency="eur",
        contact_id=contact["id"],
        stage_id=stages["Qualified"],
        priority="high",
        expected_close_date="2026-12-31",
        source="Fair",
        tags=["big", "big", "new"],
        description="Long",
        owner_id=str(acme.staff.pk),
    )

    assert deal["account"] == {"id": account["id"], "name": "Globex"}
    assert deal["contact"] == {"id": contact["id"], "name": "Ada L"}
    assert deal["owner"] == {"id": str(acme.staff.pk), "name": acme.staff.full_name}
    assert deal["stage"] == {"id": stages["Qualified"], "name": "Qualified"}
    assert deal["pipeline"]["name"] == "Sales"
    expected = {"amount": 1500.5, "currency": "EUR", "probability": 25, "status": "open", "tags": ["big", "new"]}
    assert {key: deal[key] for key in expected} == expected
    assert (deal["expected_close_date"], deal["closed_at"], deal["lost_reason"]) == ("2026-12-31", None, None)
    assert platform.get(f"opportunities/{deal['id']}").json() == deal

    path = f"opportunities/{deal['id']}"
    changed = platform.patch(path, {"amount": 99, "probability": 60, "account_id": None, "tags": []}).json()
    assert (changed["amount"], changed["probability"], changed["account"], changed["tags"]) == (99, 60, None, [])
    assert platform.patch(path, {"probability": None}).json()["probability"] == 25
    platform.patch(path, {"probability": None})
    assert [name for name, _ in told(acme, deal)] == ["deal.created", "deal.updated", "deal.updated"]


def test_what_is_left_out_is_the_usual(acme, platform, staff, stages):
    for client, person in ((platform, acme.manager), (staff, acme.staff)):
        deal = client.post("opportunities", {"name": "Plain"}).json()
        assert (deal["stage_id"], deal["amount"], deal["currency"]) == (stages["Lead"], 0, "USD")
        assert (deal["owner_id"], deal["priority"], deal["contact"]) == (str(person.pk), "medium", None)


def test_names_and_amounts_have_two_names(platform):
    deal = platform.post("opportunities", {"title": "T", "value": "12.30"}).json()
    assert (deal["name"], deal["amount"]) == ("T", 12.3)
    deal = platform.patch(f"opportunities/{deal['id']}", {"title": "U", "value": None}).json()
    assert (deal["name"], deal["amount"]) == ("U", 0)


def test_the_stage_is_the_first_open_one_of_the_pipeline_named(platform, stages, opportunity):
    other = platform.post("pipelines?seed=true", {"name": "Partners"}).json()
    mine = {stage["name"]: stage["id"] for stage in other["stages"]}
    platform.patch(f"pipelines/{other['id']}/stages/{mine['Won']}", {"position": 0})

    assert opportunity(pipeline_id=other["id"])["stage_id"] == mine["Lead"]
    assert opportunity(stage_id=mine["Won"])["status"] == "won"
    refused = platform.post("opportunities", {"name": "X", "pipeline_id": other["id"], "stage_id": stages["Lead"]})
    assert field_of(refused) == (422, "stage_id")


@pytest.mark.parametrize("field", ["stage_id", "pipeline_id", "status"])
def test_a_patch_does_not_move(acme, platform, stages, opportunity, field):
    deal = opportunity()
    value = {"stage_id": stages["Won"], "pipeline_id": deal["pipeline_id"], "status": "won"}[field]

    answer = platform.patch(f"opportunities/{deal['id']}", {"name": "Changed", field: value})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "STAGE_CHANGE_NOT_ALLOWED")
    assert field_of(answer) == (422, field)
    assert platform.get(f"opportunities/{deal['id']}").json() == deal


@pytest.mark.parametrize("field", ["account_id", "contact_id", "pipeline_id", "stage_id", "owner_id"])
def test_every_id_is_there_and_within_sight(acme, platform, staff, other, client_for, field):
    stranger = client_for(other.owner, "platform")
    foreign = {
        "account_id": lambda: stranger.post("accounts", {"name": "A"}).json()["id"],
        "contact_id": lambda: stranger.post("contacts", {"first_name": "A"}).json()["id"],
        "pipeline_id": lambda: stranger.get("pipelines").json()["items"][0]["id"],
        "stage_id": lambda: stranger.get("pipelines").json()["items"][0]["stages"][0]["id"],
        "owner_id": lambda: str(other.owner.pk),
    }[field]()

    for value in (foreign, str(uuid4()), "x"):
        assert field_of(platform.post("opportunities", {"name": "X", field: value})) == (422, field)
    if field in {"account_id", "contact_id"}:
        path = field.removesuffix("_id") + "s"
        unseen = platform.post(path, {"name": "A"} if path == "accounts" else {"first_name": "A"}).json()["id"]
        assert field_of(staff.post("opportunities", {"name": "X", field: unseen})) == (422, field)
    assert names(platform) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"amount": -1}, "amount"),
        ({"amount": 10.005}, "amount"),
        ({"amount": 10**14}, "amount"),
        ({"amount": 0.5, "currency": "JPY"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"probability": 101}, "probability"),
        ({"priority": "huge"}, "priority"),
        ({"expected_close_date": "31.12.2026"}, "expected_close_date"),
        ({"tags": "a"}, "tags"),
        ({"lost_reason": "Too dear"}, "lost_reason"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_fields_are_refused_and_store_nothing(platform, opportunity, body, field):
    assert field_of(platform.post("opportunities", {"name": "X", **body})) == (422, field)
    deal = opportunity("Kept")
    assert field_of(platform.patch(f"opportunities/{deal['id']}", body)) == (422, field)
    assert platform.get(f"opportunities/{deal['id']}").json() == deal
    assert names(platform) == ["Kept"]


def test_another_currency_keeps_the_figure(platform, opportunity):
    deal = opportunity(amount=12)
    path = f"opportunities/{deal['id']}"

    assert platform.patch(path, {"currency": "jpy"}).json()["amount"] == 12
    assert platform.patch(path, {"currency": "KWD", "amount": 1.234}).json()["amount"] == 1.234
    assert field_of(platform.patch(path, {"currency": "USD"})) == (422, "currency")


def test_every_filter_narrows(acme, platform, stages):
    account = platform.post("accounts", {"name": "Globex"}).json()["id"]
    contact = platform.post("contacts", {"first_name": "Ádám", "account_id": account}).json()["id"]
    second = platform.post("pipelines?seed=true", {"name": "Partners"}).json()["id"]
    staff = str(acme.staff.pk)
    for body in (
        {
            "name": "Alpha",
            "amount": 100,
            "contact_id": contact,
            "priority": "low",
            "source": "Fair",
            "tags": ["a", "b"],
        },
        {"name": "Beta", "amount": 2000.5, "stage_id": stages["Won"], "expected_close_date": "2026-06-15"},
        {"name": "Gamma", "amount": 150, "currency": "JPY", "owner_id": staff, "probability": 40, "tags": ["b"]},
        {"name": "Delta", "pipeline_id": second, "expected_close_date": "2026-07-01"},
    ):
        assert platform.post("opportunities", body).status_code == 201
    everything = ["Delta", "Gamma", "Beta", "Alpha"]

    for query, expected in [
        ({}, everything),
        ({"q": "alp"}, ["Alpha"]),
        ({"search": "adam"}, ["Alpha"]),
        ({"q": "globex alpha"}, ["Alpha"]),
        ({"q": "globex beta"}, []),
        ({"status": "won"}, ["Beta"]),
        ({"status": "lost"}, []),
        ({"priority": "low"}, ["Alpha"]),
        ({"owner_id": staff}, ["Gamma"]),
        ({"account_id": account}, ["Alpha"]),
        ({"contact_id": contact}, ["Alpha"]),
        ({"pipeline_id": second}, ["Delta"]),
        ({"stage_id": stages["Won"]}, ["Beta"]),
        ({"source": "FAIR"}, ["Alpha"]),
        ({"source": " "}, everything),
        ({"currency": "jpy"}, ["Gamma"]),
        ({"tags": "a"}, ["Alpha"]),
        ({"tags": "a,b"}, ["Gamma", "Alpha"]),
        ({"tags": "a,b", "tags_match": "all"}, ["Alpha"]),
        ({"amount_min": "100"}, ["Gamma", "Beta", "Alpha"]),
        ({"amount_min": "100.01"}, ["Gamma", "Beta"]),
        ({"amount_max": "100"}, ["Delta", "Alpha"]),
        ({"amount_max": "149.999"}, ["Delta", "Alpha"]),
        ({"amount_min": "-1e30", "amount_max": "1e30"}, everything),
        ({"probability_min": "40"}, ["Gamma", "Beta"]),
        ({"probability_max": "10"}, ["Delta", "Alpha"]),
        ({"probability_min": "10.5", "probability_max": "99.5"}, ["Gamma"]),
        ({"expected_close_from": "2026-06-15"}, ["Delta", "Beta"]),
        ({"expected_close_to": "2026-06-15"}, ["Beta"]),
        ({"expected_close_from": "2026-06-16", "expected_close_to": "2026-07-01"}, ["Delta"]),
        ({"created_from": "2020-01-01", "created_to": "2020-12-31"}, []),
        ({"closed_from": "2020-01-01"}, ["Beta"]),
        ({"closed_to": "2020-01-01"}, []),
        ({"status": "open", "priority": "medium", "currency": "USD", "tags": "", "q": "delta"}, ["Delta"]),
    ]:
        for _ in range(2):  # the second time compiled
            assert names(platform, **query) == expected, query


def test_a_to_date_includes_its_day_in_the_organization_s_time_zone(acme, organization, client_for):
    tenant = organization(roles=("owner",))
    platform = client_for(tenant.owner, "platform")
    client_for(tenant.owner).patch("settings/organization", {"timezone": "Pacific/Auckland"})
    deal = platform.post("opportunities", {"name": "Late"}).json()
    with tenant.inside():  # 23:30 of June the 15th in Auckland
        Deal.objects.of(tenant.id).filter(pk=deal["id"]).update(created_at="2026-06-15T11:30:00Z")

    for query, expected in [
        ({"created_to": "2026-06-15"}, ["Late"]),
        ({"created_to": "2026-06-14"}, []),
        ({"created_from": "2026-06-15"}, ["Late"]),
        ({"created_from": "2026-06-16"}, []),
        ({"created_from": "2026-06-15T11:30:00Z", "created_to": "2026-06-15T11:30:00Z"}, ["Late"]),
        ({"created_from": "2026-06-15T11:30:01Z"}, []),
        ({"created_to": "2026-06-15T13:29:59+02:00"}, []),
        ({"created_from": "0001-01-01", "created_to": "9999-12-31"}, ["Late"]),
    ]:
        assert names(platform, **query) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        {"status": "gone"},
        {"priority": "x"},
        {"owner_id": "me"},
        {"amount_min": "much"},
        {"amount_max": "NaN"},
        {"probability_min": "x"},
        {"expected_close_from": "2026-13-01"},
        {"created_to": "yesterday"},
        {"closed_from": "2026-02-30"},
        {"sort": "colour"},
        {"limit": "0"},
    ],
)
def test_a_bad_query_names_its_parameter(platform, query):
    assert field_of(platform.get("opportunities", **query)) == (422, next(iter(query)))


def test_lists_are_ordered(platform, opportunity):
    for name, amount, due in (("B", 1, "2026-01-02"), ("A", 3, "2026-01-03"), ("C", 2, "2026-01-01")):
        opportunity(name, amount=amount, expected_close_date=due)

    for query, expected in [
        ({}, "CAB"),
        ({"order": "asc"}, "BAC"),
        ({"sort": "name"}, "ABC"),
        ({"sort": "amount", "order": "desc"}, "ACB"),
        ({"sort": "-value"}, "ACB"),
        ({"sort": "expected_close_date"}, "CBA"),
    ]:
        assert "".join(names(platform, **query)) == expected, query


def test_deals_are_found_under_new_names(acme, platform, opportunity):
    account = platform.post("accounts", {"name": "Before"}).json()["id"]
    contact = platform.post("contacts", {"first_name": "Jane", "account_id": account}).json()["id"]
    opportunity("Chair", contact_id=contact)
    deleted = opportunity("Table", account_id=account)
    platform.delete(f"opportunities/{deleted['id']}")

    platform.patch(f"contacts/{contact}", {"first_name": "Joan"})
    platform.patch(f"accounts/{account}", {"name": "After"})
    platform.post(f"opportunities/{deleted['id']}/restore")

    assert (names(platform, q="jane"), names(platform, q="joan")) == ([], ["Chair"])
    assert (names(platform, q="before"), names(platform, q="after")) == ([], ["Table", "Chair"])


def test_deleting_and_restoring(acme, platform, opportunity, column, stages):
    first, second = opportunity("First"), opportunity("Second")
    path = f"opportunities/{first['id']}"

    assert platform.delete(path).json() == {"message": "Opportunity deleted successfully"}
    assert platform.get(path).status_code == platform.delete(path).status_code == 404
    assert platform.get(f"{path}/history").status_code == 404
    assert (names(platform), column(stages["Lead"])) == (["Second"], ["Second"])

    for _ in range(2):
        assert platform.post(f"{path}/restore").json()["id"] == first["id"]
    assert column(stages["Lead"]) == ["Second", "First"]
    assert [name for name, _ in told(acme, first)] == ["deal.created", "deal.deleted", "deal.restored"]
    assert second["stage_id"] == stages["Lead"]


def test_an_open_deal_is_not_restored_into_a_deleted_pipeline(acme, platform, client_for, opportunity):
    second = platform.post("pipelines?seed=true", {"name": "Partners"}).json()["id"]
    deal = opportunity(pipeline_id=second)
    platform.delete(f"opportunities/{deal['id']}")
    owner = client_for(acme.owner, "platform")
    owner.delete(f"pipelines/{second}")

    refused = platform.post(f"opportunities/{deal['id']}/restore")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "PIPELINE_DELETED")

    owner.post(f"pipelines/{second}/restore")
    assert platform.post(f"opportunities/{deal['id']}/restore").status_code == 200


def test_deals_follow_a_contact_that_became_one_with_another(acme, platform, opportunity):
    shopper = acme.add("customer", email="ada@example.org", first_name="Old", last_name="")
    earlier = platform.post("contacts", {"first_name": "New", "email": "ADA@example.org"}).json()["id"]
    with acme.inside():
        Contact.objects.of(acme.id).filter(pk=earlier).update(created_at="2020-01-01T00:00:00Z")
        own = Contact.objects.of(acme.id).get(user=shopper)
    deal = opportunity("Chair", contact_id=str(own.pk))

    with acme.inside():
        shoppers.merge_verified(shopper)

    assert platform.get(f"opportunities/{deal['id']}").json()["contact"] == {"id": earlier, "name": "New"}
    assert (names(platform, q="old"), names(platform, q="new chair")) == ([], ["Chair"])
    assert names(platform, contact_id=earlier) == ["Chair"]


def test_the_contact_s_timeline_tells_of_its_deals(acme, platform, staff, client_for, stages, opportunity):
    contact = staff.post("contacts", {"first_name": "Ada"}).json()["id"]
    mine = staff.post("opportunities", {"name": "Mine", "contact_id": contact}).json()["id"]
    theirs = opportunity("Theirs", contact_id=contact)["id"]
    for deal in (mine, theirs):
        platform.post(f"opportunities/{deal}/move", {"stage_id": stages["Won"], "note": "At last"})

    def timeline(client):
        items = client.get(f"contacts/{contact}/timeline", type="deal").json()["items"]
        return [(item["title"], item["content"]) for item in items]

    won = "Deal {} won: moved from Lead to Won"
    assert timeline(staff) == [(won.format("Mine"), "At last"), ("Deal Mine created", None)]
    assert timeline(platform) == [
        (won.format("Theirs"), "At last"),
        (won.format("Mine"), "At last"),
        ("Deal Theirs created", None),
        ("Deal Mine created", None),
    ]


def test_a_change_is_told_in_words(acme, platform, opportunity):
    contact = platform.post("contacts", {"first_name": "Ada"}).json()["id"]
    deal = opportunity("Chair", amount=10)
    body = {"amount": 1200.5, "contact_id": contact, "expected_close_date": "2026-12-01"}
    platform.patch(f"opportunities/{deal['id']}", body)

    with acme.inside():
        event = Event.objects.of(acme.id).get(name="deal.updated")
    assert set(event.content.splitlines()) == {
        "Expected close date set to 2026-12-01",
        "Amount changed from 10.00 USD to 1,200.50 USD",
        "Contact set to Ada",
    }
    assert (str(event.contact_id), str(event.deal_id)) == (contact, deal["id"])


def test_a_page_takes_the_same_number_of_statements_however_long(platform, opportunity):
    def count(**query):
        platform.get("opportunities", **query)
        with CaptureQueriesContext(connection) as queries:
            assert platform.get("opportunities", **query).status_code == 200
        return len(queries)

    counts = []
    for rows in (1, 20):
        for _ in range(rows):
            opportunity()
        counts.append(
            (count(limit=100), count(q="deal", status="open"), count(amount_min=0, created_from="2020-01-01"))
        )

    assert counts[0] == counts[1]
    assert max(counts[0]) <= 4


def test_creating_and_moving_take_few_statements(platform, stages, opportunity):
    account = platform.post("accounts", {"name": "Globex"}).json()["id"]
    contact = platform.post("contacts", {"first_name": "Ada", "account_id": account}).json()["id"]

    def count(work):
        work()
        with CaptureQueriesContext(connection) as queries:
            work()
        return len(queries)

    assert count(lambda: opportunity(contact_id=contact)) <= 10
    deal = opportunity()["id"]
    there_and_back = [stages["Won"], stages["Lead"]] * 2
    assert count(lambda: platform.post(f"opportunities/{deal}/move", {"stage_id": there_and_back.pop()})) <= 10


def test_moments_are_those_of_the_move(acme, client_for, platform, stages, opportunity, time_after):
    deal = opportunity()
    for days, stage in ((3, "Proposal"), (4.5, "Won")):
        with time_after(days=days):
            client = client_for(acme.manager, "platform")
            won = client.post(f"opportunities/{deal['id']}/move", {"stage_id": stages[stage]}).json()

    steps = platform.get(f"opportunities/{deal['id']}/history").json()["items"]
    assert [step["days_in_stage"] for step in steps] == [None, 3.0, 1.5]
    assert won["closed_at"] == won["stage_entered_at"] == steps[-1]["moved_at"]
