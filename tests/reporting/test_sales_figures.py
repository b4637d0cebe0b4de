"""The figures of sales on the dashboards: the same on both surfaces, within what one sees and may view."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.accounts.roles import member_who_may


@pytest.fixture
def firm(organization):
    return organization(roles=("owner", "manager", "staff", "viewer"))


@pytest.fixture
def manager(firm, client_for):
    return client_for(firm.manager, "platform")


@pytest.fixture
def stages(manager):
    """The ids of the default pipeline's stages, by name."""
    return {stage["name"]: stage["id"] for stage in manager.get("pipelines").json()["items"][0]["stages"]}


def made(client, path, **body):
    response = client.post(path, body)
    assert response.status_code == 201, response.content
    return response.json()


def moved(client, deal, stage):
    response = client.post(f"opportunities/{deal['id']}/move", {"stage_id": stage})
    assert response.status_code == 200, response.content


def summary(client):
    response = client.get("dashboard/summary")
    assert response.status_code == 200, response.content
    return response.json()


def kpis(client):
    response = client.get("dashboard/kpis")
    assert response.status_code == 200, response.content
    return response.json()["data"]


def sell(manager, stages, **body):
    """Three open deals, one won, one lost."""
    made(manager, "opportunities", name="A", amount=1000, stage_id=stages["Lead"], **body)
    made(manager, "opportunities", name="B", amount=200.25, stage_id=stages["Proposal"], probability=80, **body)
    made(manager, "opportunities", name="C", amount=10, currency="EUR", stage_id=stages["Lead"], **body)
    won = made(manager, "opportunities", name="D", amount=5000, stage_id=stages["Lead"], **body)
    lost = made(manager, "opportunities", name="E", amount=70, stage_id=stages["Lead"], **body)
    moved(manager, won, stages["Won"])
    moved(manager, lost, stages["Lost"])


def test_the_summary_says_how_sales_stand(manager, stages):
    sell(manager, stages)

    figures = summary(manager)

    assert {name: figures[name] for name in figures if "activit" not in name} == {
        "contacts": 0,
        "accounts": 0,
        "open_opportunities": 3,
        "pipeline_open": 1200.25,
        "pipeline_weighted": 260.2,
        "won_this_month": 1,
        "won_value_this_month": 5000.0,
        "lost_this_month": 1,
        "conversion_rate": 50.0,
        "avg_cycle": 0.0,
        "by_currency": {"EUR": {"pipeline_open": 10.0, "pipeline_weighted": 1.0, "won_value_this_month": 0.0}},
    }


def test_every_surface_and_view_says_the_same(firm, manager, stages, client_for):
    sell(manager, stages)
    sell(manager, stages, owner_id=str(firm.staff.pk))

    for user in (firm.manager, firm.staff, firm.viewer):
        platform, team = client_for(user, "platform"), client_for(user)
        figures, board = summary(platform), platform.get("dashboard/pipeline").json()
        stats = team.get("pipelines").json()["data"]["pipelines"][0]["stats"]
        open_stages = [stage for stage in board["stages"] if stage["type"] == "open"]

        assert kpis(team)["totalDeals"] == board["total_count"] == platform.get("opportunities").json()["total"]
        assert figures["open_opportunities"] == stats["open"]["count"] == sum(stage["count"] for stage in open_stages)
        assert figures["pipeline_open"] == stats["open"]["value"] == sum(stage["value"] for stage in open_stages)
        assert figures["pipeline_weighted"] == stats["weighted"]["value"]
        assert figures["conversion_rate"] == stats["conversionRate"]
        assert figures["avg_cycle"] == stats["averageCycle"]
        assert figures["won_this_month"] == stats["won"]["count"]
        assert figures["by_currency"]["EUR"]["pipeline_open"] == stats["open"]["valuesByCurrency"]["EUR"]
    assert kpis(client_for(firm.staff))["totalDeals"] == 5


def test_deleting_and_restoring_moves_the_figures(manager, stages):
    deal = made(manager, "opportunities", name="A", amount=1000, stage_id=stages["Lead"])

    manager.delete(f"opportunities/{deal['id']}")
    assert (summary(manager)["open_opportunities"], summary(manager)["pipeline_open"]) == (0, 0.0)
    manager.post(f"opportunities/{deal['id']}/restore")
    assert (summary(manager)["open_opportunities"], summary(manager)["pipeline_open"]) == (1, 1000.0)


def test_a_deal_opened_again_is_no_longer_won(manager, stages):
    deal = made(manager, "opportunities", name="A", amount=1000, stage_id=stages["Lead"])
    moved(manager, deal, stages["Won"])
    assert summary(manager)["conversion_rate"] == 100.0

    moved(manager, deal, stages["Lead"])

    figures = summary(manager)
    assert (figures["won_this_month"], figures["conversion_rate"], figures["avg_cycle"]) == (0, 0.0, None)


def test_the_average_cycle_is_in_days(firm, manager, stages, client_for):
    deal = made(manager, "opportunities", name="A", stage_id=stages["Lead"])

    with time_machine.travel(datetime.now(UTC) + timedelta(days=3, hours=12)):
        moved(client_for(firm.manager, "platform"), deal, stages["Won"])

    assert summary(manager)["avg_cycle"] == 3.5


def test_what_is_won_as_it_is_made_took_no_time(firm, manager, stages, client_for):
    made(manager, "opportunities", name="A", stage_id=stages["Won"])

    assert str(summary(manager)["avg_cycle"]) == "0.0"  # not -0.0
    (pipeline,) = client_for(firm.manager).get("pipelines").json()["data"]["pipelines"]
    assert str(pipeline["stats"]["averageCycle"]) == "0.0"


def test_this_month_is_the_organizations(firm, manager, stages, client_for):
    """Won at 11:30 on 1 March in UTC, which on Kiritimati is the 2nd, and in Pago Pago still the last of February."""
    deal = made(manager, "opportunities", name="A", stage_id=stages["Lead"])
    with time_machine.travel(datetime(2027, 3, 1, 10, 30, tzinfo=UTC), tick=False):
        moved(client_for(firm.manager, "platform"), deal, stages["Won"])
    owner = client_for(firm.owner)

    def won(zone, at):
        assert owner.patch("settings/organization", {"timezone": zone}).status_code == 200
        with time_machine.travel(at, tick=False):
            return summary(client_for(firm.manager, "platform"))["won_this_month"]

    february, march = datetime(2027, 2, 27, 12, tzinfo=UTC), datetime(2027, 3, 20, 12, tzinfo=UTC)
    assert [won("Pacific/Kiritimati", at) for at in (february, march)] == [0, 1]
    assert [won("Pacific/Pago_Pago", at) for at in (february, march)] == [1, 0]


def test_today_is_the_rest_of_the_persons_own(firm, manager, client_for):
    team = client_for(firm.staff)
    team.patch("settings/profile", {"timezone": "Pacific/Kiritimati"})
    local = datetime.now(ZoneInfo("Pacific/Kiritimati")).replace(hour=0, minute=0, second=0, microsecond=0)
    begins, ends = local.astimezone(UTC), (local + timedelta(days=1)).astimezone(UTC)
    second = timedelta(seconds=1)
    for due in (begins - second, begins, ends - second, ends):
        made(team, "tasks", title="T", dueDate=due.isoformat())
    made(team, "tasks", title="A whole day", dueDate=local.date().isoformat())
    contact = made(team, "contacts", firstName="Ada")["data"]["id"]
    call = {"type": "call", "subject": "C", "contact_id": contact, "due_at": (ends - second).isoformat()}
    platform = client_for(firm.staff, "platform")
    made(platform, "activities", **call)

    # The Team counts tasks, the Platform activities of every type.
    counts = team.get("tasks/reminders").json()["data"]["counts"]
    assert kpis(team)["tasksDueToday"] == counts["today"] == 2
    told = summary(platform)
    assert (told["activities_due_today"], told["activities_overdue"], counts["overdue"]) == (3, 2, 2)
    for task in team.get("tasks").json()["data"]["tasks"]:
        team.post(f"tasks/{task['id']}/complete")

    assert kpis(team)["tasksDueToday"] == 0
    assert (summary(platform)["activities_due_today"], summary(platform)["activities_overdue"]) == (1, 0)


def test_overdue_is_what_one_sees(firm, manager, client_for):
    team = client_for(firm.manager)
    late = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    made(team, "tasks", title="Theirs", dueDate=late, assigneeId=str(firm.manager.pk))
    made(team, "tasks", title="Given away", dueDate=late, assigneeId=str(firm.staff.pk))
    made(client_for(firm.staff), "tasks", title="Asked for", dueDate=late, assigneeId=str(firm.manager.pk))

    overdue = [summary(client_for(user, "platform"))["activities_overdue"] for user in (firm.manager, firm.staff)]

    assert overdue == [3, 2]


def test_what_one_may_not_view_is_nothing(firm, manager, stages, client_for):
    sell(manager, stages)
    contact = made(manager, "contacts", first_name="Ada")["id"]
    made(manager, "activities", subject="Late", contact_id=contact, due_at="2020-01-01T00:00:00Z")

    def told(*permissions):
        client = client_for(member_who_may(firm, ["reports:view", *permissions]), "platform")
        return {name for name, figure in summary(client).items() if figure}, client

    only, client = told()
    assert only == set()
    assert client.get("dashboard/pipeline").status_code == 403
    assert told("contacts:view")[0] == {"contacts"}
    assert told("activities:view")[0] == {"activities_overdue"}
    assert "pipeline_open" in told("deals:view")[0]


def test_the_feed_names_the_opportunity_and_whose_it_is(firm, manager, stages, client_for):
    contact = made(manager, "contacts", first_name="Ada")
    deal = made(
        manager,
        "opportunities",
        name="Boat",
        contact_id=contact["id"],
        owner_id=str(firm.staff.pk),
        stage_id=stages["Lead"],
    )
    moved(manager, deal, stages["Won"])

    entry = manager.get("dashboard/activity-feed", limit=1).json()["items"][0]

    assert entry["type"] == "deal.moved"
    assert entry["opportunity"] == {"id": deal["id"], "name": "Boat"}
    assert entry["contact"] == {"id": contact["id"], "name": "Ada"}
    assert entry["owner"] == {"id": str(firm.staff.pk), "name": firm.staff.full_name}
    assert entry["actor"]["id"] == str(firm.manager.pk)
    theirs = client_for(firm.staff, "platform").get("dashboard/activity-feed").json()["items"]
    assert {item["opportunity"]["name"] for item in theirs} == {"Boat"}
    assert kpis(client_for(firm.manager))["recentActivities"][0]["type"] == "deal"


def test_a_summary_is_one_statement_however_much_there_is(manager, stages, messages):
    summary(manager)
    sell(manager, stages)

    messages()
    with CaptureQueriesContext(connection) as queries:
        summary(manager)

    assert (len(queries), messages()) == (2, 1)  # the session check is in the same message


def test_another_organizations_sales_are_not_counted(manager, stages, other, client_for):
    sell(manager, stages)

    figures = summary(client_for(other.owner, "platform"))

    assert not any(figure for name, figure in figures.items() if name != "contacts")
