"""Activities on the Platform surface: tasks, calls, meetings, e-mails and notes about a contact, account or deal."""

import pytest

from contacts.models import Contact
from contacts.services import shoppers
from sales.models import Activity
from tests.contacts.test_timeline import member_who_may
from tests.sales.tasks import events

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def staff(acme, client_for):
    return client_for(acme.staff, "platform")


def made(client, path, **body):
    response = client.post(path, body)
    assert response.status_code == 201, response.content
    return response.json()


@pytest.fixture
def things(acme, platform):
    """Ids by name: an account, its contact Ada whom the staff member owns, and the deal about both."""
    owner = str(acme.staff.pk)
    account = made(platform, "accounts", name="Globex", owner_id=owner)["id"]
    contact = made(platform, "contacts", first_name="Ada", account_id=account, owner_id=owner)["id"]
    deal = made(platform, "opportunities", name="Engines", contact_id=contact, account_id=account, owner_id=owner)["id"]
    return {"account": account, "contact": contact, "opportunity": deal}


def activity(client, **body):
    return made(client, "activities", **({"subject": "Ring", "type": "call"} | body))


def refused(response, field):
    assert response.status_code == 422, response.content
    return [detail["field"] for detail in response.json()["error"]["details"]] == [field]


def about(row):
    return {name: row[f"{name}_id"] for name in ("account", "contact", "opportunity")}


def timeline(client, contact):
    return [(entry["type"], entry["title"]) for entry in client.get(f"contacts/{contact}/timeline").json()["items"]]


def test_an_activity_is_made_and_shown(acme, platform, things):
    call = activity(
        platform,
        description="Ask for the drawings.",
        due_at="2030-06-01T10:00:00+02:00",
        related_type="opportunity",
        related_id=things["opportunity"],
        priority="high",
        owner_id=str(acme.staff.pk),
    )

    assert call == {
        "id": call["id"],
        "type": "call",
        "subject": "Ring",
        "description": "Ask for the drawings.",
        "status": "pending",
        "priority": "high",
        "due_at": "2030-06-01T08:00:00Z",
        "due_on": None,
        "related_type": "opportunity",
        "related_id": things["opportunity"],
        "contact_id": things["contact"],
        "contact": {"id": things["contact"], "name": "Ada"},
        "account_id": things["account"],
        "account": {"id": things["account"], "name": "Globex"},
        "opportunity_id": things["opportunity"],
        "opportunity": {"id": things["opportunity"], "name": "Engines"},
        "owner_id": str(acme.staff.pk),
        "owner": {"id": str(acme.staff.pk), "full_name": acme.staff.full_name},
        "completed_at": None,
        "created_by": {"id": str(acme.manager.pk), "full_name": acme.manager.full_name},
        "created_at": call["created_at"],
        "updated_at": call["updated_at"],
    }
    assert platform.get(f"activities/{call['id']}").json() == call


def test_a_date_is_taken_too_and_title_is_another_name(platform, things):
    row = made(platform, "activities", title="Send", due_at="2030-06-01", contact_id=things["contact"])

    assert (row["type"], row["subject"]) == ("task", "Send")
    assert (row["due_at"], row["due_on"]) == ("2030-06-01T23:59:59Z", "2030-06-01")


def test_a_date_sent_back_as_it_was_shown_stays_a_date(acme, client_for, platform, things):
    row = made(platform, "activities", subject="Send", due_at="2030-06-01", contact_id=things["contact"])

    changed = platform.patch(f"activities/{row['id']}", row | {"subject": "Send it"}).json()

    assert (changed["subject"], changed["due_at"], changed["due_on"]) == ("Send it", row["due_at"], "2030-06-01")
    assert client_for(acme.manager).get(f"tasks/{row['id']}").json()["data"]["dueDate"] == "2030-06-01"
    another = platform.patch(f"activities/{row['id']}", {"due_at": "2030-06-01T10:00:00Z"}).json()
    assert (another["due_at"], another["due_on"]) == ("2030-06-01T10:00:00Z", None)


# --- What it is about


def test_it_is_about_the_one_thing_that_is_named(platform, things):
    for kind in ("contact", "account"):
        alone = {"account": None, "contact": None, "opportunity": None, kind: things[kind]}
        by_type = activity(platform, related_type=kind, related_id=things[kind])
        by_id = activity(platform, **{f"{kind}_id": things[kind]})
        assert about(by_type) == about(by_id) == alone
        assert (by_id["related_type"], by_id["related_id"]) == (kind, things[kind])


def test_a_deal_brings_its_contact_and_account_unless_others_are_named(platform, things):
    other = made(platform, "contacts", first_name="Grace")["id"]
    deal = {"opportunity_id": things["opportunity"]}

    assert about(activity(platform, **deal)) == things
    assert about(activity(platform, **deal, contact_id=other)) == things | {"contact": other}
    assert about(activity(platform, **deal, contact_id=None)) == things | {"contact": None}


def test_another_deal_brings_its_own(platform, things):
    grace = made(platform, "contacts", first_name="Grace")["id"]
    deal = made(platform, "opportunities", name="Ships", contact_id=grace)["id"]
    came_along = activity(platform, opportunity_id=things["opportunity"])["id"]
    linus = made(platform, "contacts", first_name="Linus")["id"]
    named = activity(platform, opportunity_id=things["opportunity"], contact_id=linus)["id"]

    moved = platform.patch(f"activities/{came_along}", {"opportunity_id": deal}).json()
    kept = platform.patch(f"activities/{named}", {"related_type": "opportunity", "related_id": deal}).json()

    assert about(moved) == {"account": None, "contact": grace, "opportunity": deal}
    assert about(kept) == {"account": None, "contact": linus, "opportunity": deal}


def test_a_new_related_thing_replaces_what_it_was_about(platform, things):
    pk = activity(platform, opportunity_id=things["opportunity"])["id"]

    row = platform.patch(f"activities/{pk}", {"related_type": "account", "related_id": things["account"]}).json()

    assert about(row) == {"account": things["account"], "contact": None, "opportunity": None}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "related_id"),
        ({"contact_id": None}, "contact_id"),
        ({"related_type": "contact"}, "related_id"),
        ({"related_id": NOBODY}, "related_type"),
        ({"related_type": "user", "related_id": NOBODY}, "related_type"),
        ({"related_type": "contact", "related_id": NOBODY}, "related_id"),
        ({"related_type": "account", "related_id": NOBODY}, "related_id"),
        ({"related_type": "opportunity", "related_id": NOBODY}, "related_id"),
        ({"contact_id": NOBODY}, "contact_id"),
        ({"account_id": NOBODY}, "account_id"),
        ({"opportunity_id": NOBODY}, "opportunity_id"),
        ({"contact_id": NOBODY, "related_type": "contact", "related_id": NOBODY.replace("4", "5")}, "contact_id"),
    ],
)
def test_it_must_be_about_something_that_is_there(acme, platform, body, field):
    assert refused(platform.post("activities", {"subject": "Ring", **body}), field)
    with acme.inside():
        assert not Activity.objects.of(acme.id).exists()


def test_it_is_left_about_something(platform, things, client_for, acme):
    pk = activity(platform, contact_id=things["contact"])["id"]

    assert refused(platform.patch(f"activities/{pk}", {"contact_id": None}), "contact_id")
    task = client_for(acme.manager).post("tasks", {"title": "About nothing"}).json()["data"]["id"]
    assert platform.patch(f"activities/{task}", {"subject": "Still"}).status_code == 200


def test_staff_link_only_what_they_see(platform, staff, things):
    unseen = {
        "contact": made(platform, "contacts", first_name="Grace")["id"],
        "account": made(platform, "accounts", name="Initech")["id"],
        "opportunity": made(platform, "opportunities", name="Ships")["id"],
    }
    pk = activity(staff, contact_id=things["contact"])["id"]

    for kind, thing in unseen.items():
        assert refused(staff.post("activities", {"subject": "x", f"{kind}_id": thing}), f"{kind}_id")
        assert refused(staff.patch(f"activities/{pk}", {"related_type": kind, "related_id": thing}), "related_id")


# --- Timelines


def test_what_is_about_a_deal_stands_on_the_timeline_of_its_contact(acme, platform, things):
    bare = made(platform, "opportunities", name="Bare")["id"]
    pk = activity(platform, opportunity_id=bare)["id"]
    platform.patch(f"opportunities/{bare}", {"contact_id": things["contact"]})

    platform.post(f"activities/{pk}/complete")

    assert timeline(platform, things["contact"])[0] == ("call", "Call completed: Ring")
    *_, event = events(acme, pk)
    assert str(event.deal_id) == bare


@pytest.mark.parametrize(("kind", "title"), [("task", "Task"), ("call", "Call"), ("email", "E-mail"), ("note", "Note")])
def test_what_was_done_is_an_entry_of_its_kind(acme, platform, things, kind, title):
    pk = activity(platform, type=kind, contact_id=things["contact"], description="All of it.")["id"]

    first, second = (platform.post(f"activities/{pk}/complete") for _ in range(2))

    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
    entries = platform.get(f"contacts/{things['contact']}/timeline").json()["items"]
    assert [(entry["type"], entry["title"], entry["content"]) for entry in entries[:2]] == [
        (kind, f"{title} completed: Ring", "All of it."),
        ("task", f"{title} created: Ring", "All of it."),
    ]
    assert [event.name for event in events(acme, pk)] == ["activity.created", "activity.completed"]


@pytest.mark.parametrize(("kind", "is_touch"), [("task", False), ("call", True), ("meeting", True), ("email", True)])
def test_a_call_meeting_or_e_mail_that_took_place_is_contact_with_the_person(acme, platform, things, kind, is_touch):
    pk = activity(platform, type=kind, related_type="contact", related_id=things["contact"])["id"]

    def last_contact():
        return platform.get(f"customers/{things['contact']}").json()["last_contact"]

    assert last_contact() is None
    done = platform.post(f"activities/{pk}/complete").json()
    assert (last_contact() is not None) == is_touch
    if is_touch:
        assert last_contact() == done["completed_at"]


@pytest.mark.parametrize("way", ["made as done", "said at the end"])
def test_so_is_one_about_a_deal_with_the_person(platform, things, way):
    about, done = {"opportunity_id": things["opportunity"]}, {"status": "completed"}
    if way == "made as done":
        row = activity(platform, **about, **done)
    else:
        pk = activity(platform, account_id=things["account"])["id"]
        row = platform.patch(f"activities/{pk}", about | done).json()

    assert row["contact_id"] == things["contact"]
    assert platform.get(f"customers/{things['contact']}").json()["last_contact"] == row["completed_at"]


def test_a_timeline_tells_nothing_to_who_may_not_see_activities(acme, client_for, platform, things):
    activity(platform, contact_id=things["contact"], status="completed")
    reader = client_for(member_who_may(acme, ["contacts:view"]), "platform")

    assert [kind for kind, _ in timeline(reader, things["contact"])] == ["update"]


def test_staff_see_on_a_timeline_only_their_own_activities(platform, staff, things, acme):
    activity(platform, subject="Manager's", contact_id=things["contact"])
    activity(platform, subject="Given", contact_id=things["contact"], owner_id=str(acme.staff.pk))

    titles = [title for _, title in timeline(staff, things["contact"])]

    assert "Call created: Given" in titles
    assert "Call created: Manager's" not in titles


def test_activities_follow_a_contact_that_became_one_with_another(acme, platform):
    shopper = acme.add("customer", email="ada@example.org")
    earlier = made(platform, "contacts", first_name="Ada", email="ADA@example.org")["id"]
    with acme.inside():
        Contact.objects.of(acme.id).filter(pk=earlier).update(created_at="2020-01-01T00:00:00Z")
        own = Contact.objects.of(acme.id).get(user=shopper)
    pk = activity(platform, contact_id=str(own.pk))["id"]

    with acme.inside():
        shoppers.merge_verified(shopper)

    assert platform.get(f"activities/{pk}").json()["contact_id"] == earlier
    assert [row["id"] for row in platform.get("activities", contact_id=earlier).json()["items"]] == [pk]
    assert ("task", "Call created: Ring") in timeline(platform, earlier)


# --- Lists, roles


def test_the_filters_of_the_list(acme, platform, staff, things):
    rows = {
        "by deal": activity(platform, subject="by deal", opportunity_id=things["opportunity"], due_at="2020-01-01"),
        "by account": activity(platform, subject="by account", type="meeting", account_id=things["account"]),
        "by contact": activity(
            platform, subject="by contact", type="note", contact_id=things["contact"], owner_id=str(acme.staff.pk)
        ),
    }

    def found(client, **query):
        body = client.get("activities", **query).json()
        assert body["total"] == len(body["items"])
        return [row["subject"] for row in body["items"]]

    assert found(platform) == ["by contact", "by account", "by deal"]
    assert found(platform, type="meeting") == ["by account"]
    assert found(platform, status="completed") == []
    assert found(platform, owner_id="me") == ["by account", "by deal"]
    assert found(staff, owner_id="me") == found(staff) == ["by contact"]
    assert found(platform, opportunity_id=things["opportunity"]) == ["by deal"]
    assert found(platform, contact_id=things["contact"]) == ["by contact", "by deal"]
    assert found(platform, account_id=things["account"]) == ["by account", "by deal"]
    assert found(platform, overdue="true") == ["by deal"]
    assert found(platform, due_from="2020-01-01", due_to="2020-01-01") == ["by deal"]
    assert found(platform, q="deal") == found(platform, search="deal") == ["by deal"]
    assert found(platform, sort="subject") == ["by account", "by contact", "by deal"]
    assert platform.get("activities", type="fax").status_code == 422
    assert platform.get("activities", due_to="2020").status_code == 422
    assert set(rows) == set(found(platform))


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("owner", (201, 200, 200, 200, 200)),
        ("manager", (201, 200, 200, 200, 200)),
        ("staff", (201, 200, 200, 200, 403)),
        ("customer_experience", (403, 403, 403, 403, 403)),
        ("viewer", (403, 403, 403, 403, 403)),
    ],
)
def test_who_may_what(acme, client_for, platform, things, role, statuses):
    """Staff delete their own; what was deleted is brought back by those who see everybody's."""
    client = client_for(acme.users[role], "platform")
    pk = activity(platform, contact_id=things["contact"], owner_id=str(acme.staff.pk))["id"]
    one = f"activities/{pk}"

    responses = [
        client.post("activities", {"subject": "x", "contact_id": things["contact"]}),
        client.patch(one, {"priority": "low"}),
        client.post(f"{one}/complete"),
        client.delete(one),
        client.post(f"{one}/restore"),
    ]

    assert tuple(response.status_code for response in responses) == statuses
    assert client.get("activities").status_code == 200


def test_deleted_and_restored(acme, platform, things):
    pk = activity(platform, contact_id=things["contact"])["id"]

    assert platform.delete(f"activities/{pk}").json() == {"message": "Activity deleted successfully"}
    assert platform.get(f"activities/{pk}").status_code == 404
    assert platform.delete(f"activities/{pk}").status_code == 404
    assert platform.get("activities").json()["total"] == 0
    for _ in range(2):
        assert platform.post(f"activities/{pk}/restore").json()["id"] == pk

    assert platform.get("activities").json()["total"] == 1
    assert [event.name for event in events(acme, pk)] == [
        "activity.created",
        "activity.deleted",
        "activity.restored",
    ]


def test_the_same_row_on_both_surfaces(acme, client_for, platform, things):
    pk = activity(platform, type="task", opportunity_id=things["opportunity"], due_at="2030-06-01")["id"]

    task = client_for(acme.manager).get(f"tasks/{pk}").json()["data"]

    assert (task["title"], task["dueDate"], task["deal"]) == (
        "Ring",
        "2030-06-01",
        {"id": things["opportunity"], "title": "Engines"},
    )
    client_for(acme.manager).patch(f"tasks/{pk}", {"status": "completed"})
    assert platform.get(f"activities/{pk}").json()["status"] == "completed"
