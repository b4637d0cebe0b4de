"""The daily e-mail: at 8:00 of everybody's own clock, once a day, to whoever has something due."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization, User
from accounts.services import users
from crm.core import clock
from sales import tasks
from sales.models import Activity, DailyReminder
from sales.services import activities, daily_reminders
from tests.support.mail_server import text_of

SECOND = timedelta(seconds=1)


@pytest.fixture
def ann(acme):
    """Who is reminded."""
    return acme.add("staff", first_name="Ann", last_name="Ng", timezone="Europe/Berlin")


@pytest.fixture
def actor(acme):
    """Who makes the tasks; known before the clock is turned, for the database's own stays."""
    return acme.actor("manager")


@pytest.fixture
def assign(acme, actor):
    """Return a function that makes a task, due on a day, now."""

    def make(user, due, subject="Send the offer", **fields):
        with acme.inside():
            return activities.create_activity(actor, subject=subject, due=due, owner_id=user.pk, **fields)

    return make


def at(text, zone="Europe/Berlin"):
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)), tick=False)


@pytest.fixture
def poll(acme, waiting):
    """Return a function that does beat's part at a moment and tells what it put into the outbox: (user's id, day)."""
    told = []

    def look(moment=None):
        if moment is not None:
            with time_machine.travel(moment, tick=False):
                return look()
        tasks.send_reminders()
        found = [
            (message.payload["user_id"], message.payload["day"])
            for message in waiting(acme)
            if message.topic == daily_reminders.TOPIC
        ]
        new = found[len(told) :]
        told.extend(new)
        return new

    return look


# A zone, a day there, and its 8:00 in UTC: days on which clocks are turned, and clocks far from Greenwich.
EIGHTS = [
    ("Europe/Berlin", "2027-03-27", "2027-03-27T07:00"),
    ("Europe/Berlin", "2027-03-28", "2027-03-28T06:00"),  # spring: an hour is left out
    ("Europe/Berlin", "2027-10-31", "2027-10-31T07:00"),  # autumn: an hour comes twice
    ("America/New_York", "2027-03-14", "2027-03-14T12:00"),
    ("America/New_York", "2027-11-07", "2027-11-07T13:00"),
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T10:00"),  # midnight does not exist
    ("Africa/Cairo", "2027-04-30", "2027-04-30T05:00"),  # nor here
    ("Asia/Beirut", "2027-03-28", "2027-03-28T05:00"),  # nor here
    ("America/Havana", "2027-11-07", "2027-11-07T13:00"),  # midnight comes twice
    ("Pacific/Kiritimati", "2027-01-01", "2026-12-31T18:00"),
    ("Etc/GMT+12", "2027-01-01", "2027-01-01T20:00"),
    ("Asia/Kathmandu", "2028-02-29", "2028-02-29T02:15"),
    ("Australia/Lord_Howe", "2027-04-04", "2027-04-03T21:30"),  # half an hour comes twice
    ("UTC", "2027-06-01", "2027-06-01T08:00"),
]


@pytest.mark.parametrize(("zone", "day", "eight"), EIGHTS)
def test_it_is_sent_at_8_of_that_day_and_once(acme, assign, poll, zone, day, eight):
    user = acme.add("staff", timezone=zone)
    day, moment = date.fromisoformat(day), datetime.fromisoformat(eight).replace(tzinfo=UTC)
    begins, ends = clock.day_bounds(day, zone)
    with time_machine.travel(begins - 2 * SECOND, tick=False):
        assign(user, day + timedelta(days=1))  # not due yet on the day itself
        assign(user, day)

    # What was made at the end of the day before was not there at its 8:00.
    assert poll(begins - SECOND) == []
    assert [poll(moment) for moment in (begins, moment - SECOND)] == [[], []]
    assert poll(moment) == [(str(user.pk), day.isoformat())]
    later = (moment + SECOND, moment + timedelta(hours=1), moment + timedelta(hours=2), ends - SECOND)
    assert [poll(moment) for moment in later] == [[]] * len(later)
    # And so on the next day, on which it is overdue.
    following = clock.moment(day + timedelta(days=1), daily_reminders.SEND_AT, zone)
    assert [poll(ends), poll(following - SECOND)] == [[], []]
    assert poll(following) == [(str(user.pk), (day + timedelta(days=1)).isoformat())]
    assert poll(following + timedelta(hours=1)) == []
    with acme.inside():
        marks = DailyReminder.objects.of(acme.id).order_by("day").values_list("day", flat=True)
        marks = list(marks)
    assert marks == [day, day + timedelta(days=1)]


def test_missed_polls_are_made_up_for_until_the_day_ends(acme, ann, assign, poll):
    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))

    with at("2027-06-01T23:59:59"):
        assert poll() == [(str(ann.pk), "2027-06-01")]
    with at("2027-06-02T00:00"):
        assert poll() == []
    with at("2027-06-03T11:00"):  # the 2nd was missed altogether
        assert poll() == [(str(ann.pk), "2027-06-03")]


def test_what_comes_up_after_8_waits_for_the_next_morning(acme, ann, assign, poll, actor):
    with at("2027-06-01T07:00"):
        later, others, done, gone = (
            assign(who, day)
            for who, day in [
                (ann, date(2027, 6, 9)),
                (acme.staff, date(2027, 6, 1)),
                (ann, date(2027, 6, 1)),
                (ann, date(2027, 6, 1)),
            ]
        )
        with acme.inside():
            activities.complete_activity(actor, done)
            activities.delete_activity(actor, gone)
    with at("2027-06-01T08:00"):
        assert poll() == []
    with at("2027-06-01T10:00"), acme.inside():
        assign(ann, date(2027, 6, 1), "made")
        activities.update_activity(actor, later, due=date(2027, 6, 1))
        activities.update_activity(actor, others, owner_id=ann.pk)
        activities.update_activity(actor, done, status="pending")
        activities.restore_activity(actor, gone)
    with at("2027-06-01T11:00"):  # also after a restart: nothing but the tables is remembered
        assert poll() == []
    with at("2027-06-02T08:00"):
        assert poll() == [(str(ann.pk), "2027-06-02")]


def test_what_was_there_at_8_is_still_that_after_other_changes(acme, ann, assign, poll, actor):
    with at("2027-06-01T07:00"):
        task = assign(ann, date(2027, 6, 1))
    with at("2027-06-01T09:00"), acme.inside():
        activities.update_activity(actor, task, subject="Send the new offer", status="in_progress")
    with at("2027-06-01T10:00"):
        assert poll() == [(str(ann.pk), "2027-06-01")]


# Where somebody goes, when (by the clock they leave), and what each of the following 8:00s brings.
MOVES = [
    # From zone, to zone, moment of the move (UTC), moments of polls with the day of the mail they send or None.
    (
        "Europe/Berlin",
        "America/New_York",
        "2027-06-01T09:00",
        {
            "2027-06-01T06:00": "2027-06-01",
            "2027-06-01T12:00": None,
            "2027-06-02T11:59": None,
            "2027-06-02T12:00": "2027-06-02",
        },
    ),
    # Eastwards past 8:00: the mail comes at once, not a day later.
    (
        "America/New_York",
        "Europe/Berlin",
        "2027-06-01T08:00",
        {
            "2027-06-01T07:59": None,
            "2027-06-01T08:00": "2027-06-01",
            "2027-06-01T12:00": None,
            "2027-06-02T06:00": "2027-06-02",
        },
    ),
    # Westwards over the date line into a day that had its mail, and on into the next.
    (
        "Pacific/Kiritimati",
        "Pacific/Honolulu",
        "2027-06-01T19:00",
        {
            "2027-05-31T18:00": "2027-06-01",
            "2027-06-01T18:00": "2027-06-02",
            "2027-06-01T19:00": None,
            "2027-06-02T18:00": None,
            "2027-06-03T18:00": "2027-06-03",
        },
    ),
    # Eastwards over it, into the next day's late evening.
    (
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
        "2027-06-02T09:00",
        {
            "2027-06-01T18:00": "2027-06-01",
            "2027-06-02T09:00": "2027-06-02",
            "2027-06-02T17:59": None,
            "2027-06-02T18:00": "2027-06-03",
        },
    ),
]


@pytest.mark.parametrize(("old", "new", "moves_at", "polls"), MOVES)
def test_whoever_moves_between_two_polls_gets_one_mail_a_day(acme, assign, poll, old, new, moves_at, polls):
    user = acme.add("staff", timezone=old)
    traveller = acme.actor(user)
    moves_at = datetime.fromisoformat(moves_at).replace(tzinfo=UTC)
    with at("2027-05-20T12:00", "UTC"):
        assign(user, date(2027, 5, 21))
    has_moved = False

    for text, day in polls.items():
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        if moment >= moves_at and not has_moved:
            with time_machine.travel(moves_at, tick=False), acme.inside():
                users.update_user(traveller, user, timezone=new)
            has_moved = True
        assert poll(moment) == ([(str(user.pk), day)] if day else []), text


def test_only_living_members_of_living_organizations_are_reminded(acme, assign, poll, actor):
    people = {name: acme.add("staff", timezone="UTC") for name in ("active", "inactive", "shopping")}
    with at("2027-06-01T07:00", "UTC"):
        for user in people.values():
            assign(user, date(2027, 6, 1))
        with acme.inside():
            activities.create_activity(actor, subject="Nobody's", due=date(2027, 6, 1), owner_id=None)
    with acme.inside():
        User.objects.of(acme.id).filter(pk=people["inactive"].pk).update(is_active=False)
        held = people["shopping"].held_roles.get()
        held.role_id = acme.customer.held_roles.get().role_id
        held.save()
        Organization.objects.filter(pk=acme.id).update(is_active=False)

    with at("2027-06-01T08:00", "UTC"):
        assert poll() == []
        with acme.inside():
            Organization.objects.filter(pk=acme.id).update(is_active=True)
        assert poll() == [(str(people["active"].pk), "2027-06-01")]


def test_the_mail_says_what_there_is_to_do(acme, ann, assign, actor, client_for, mailbox, deliver, settings):
    contact = (
        client_for(acme.manager, "platform").post("contacts", {"first_name": "Ada <b>", "email": "a@x.org"}).json()
    )
    with at("2027-06-01T07:00"):
        late = assign(ann, datetime(2027, 5, 31, 14, tzinfo=UTC), "Late\nand long")
        offer = assign(ann, date(2027, 6, 1), contact_id=UUID(contact["id"]))
        call = assign(ann, datetime(2027, 6, 1, 16, 30, tzinfo=UTC), "Ring <Bob>", type="call")
        assign(ann, date(2027, 6, 2), "Tomorrow's")
        assign(acme.staff, date(2027, 6, 1), "Another's")
    with at("2027-06-01T08:00"):
        tasks.send_reminders()
        deliver()

    (mail,) = mailbox.to(ann.email)
    assert str(mail["Subject"]).strip() == f"“{acme.organization.name}”: 1 overdue, 2 due today"
    base = settings.FRONTEND_URL
    assert text_of(mail).replace("\r\n", "\n") == (
        "Good morning “Ann Ng”,\n\n"
        f"Overdue:\n- “Late and long” (2027-05-31 16:00)\n  {base}/tasks/{late.pk}\n\n"
        "Due today:\n"
        f"- Call: “Ring <Bob>” (2027-06-01 18:30)\n  {base}/activities/{call.pk}\n"
        f"- “Send the offer” (2027-06-01), “Ada <b>”\n  {base}/tasks/{offer.pk}\n\n"
        f"All your tasks:\n{base}/tasks\n"
    )
    html = mail.get_body(preferencelist=("html",)).get_content()
    assert "Ring &lt;Bob&gt;" in html
    assert f'<a href="{base}/tasks/{offer.pk}">' in html
    assert "<b>" not in html
    assert mail["Message-ID"]


def test_a_long_list_is_cut_and_counted(acme, ann, assign, mailbox, deliver):
    with at("2027-06-01T07:00"), acme.inside():
        template = assign(ann, date(2027, 6, 1))
        Activity.objects.bulk_create(
            Activity(organization_id=acme.id, subject=f"{n}", owner=ann, due_at=template.due_at) for n in range(50)
        )
    with at("2027-06-01T08:00"):
        tasks.send_reminders()
        deliver()

    (mail,) = mailbox.to(ann.email)
    assert mail["Subject"].endswith("51 due today")
    assert text_of(mail).count("\n- ") == 50
    assert "and 1 more" in text_of(mail)


def test_a_client_s_empty_time_keeps_nobody_from_their_mail(acme, assign, mailbox, deliver):
    """The calendar's first moment, which many a client sends for none, lies before all time of the Americas."""
    user = acme.add("staff", timezone="America/New_York")
    with at("2027-06-01T07:00", user.timezone):
        assign(user, clock.EARLIEST, "Long ago")
        assign(user, date(2027, 6, 1), "Today")
    with at("2027-06-01T08:00", user.timezone):
        tasks.send_reminders()
        deliver()

    (mail,) = mailbox.to(user.email)
    assert mail["Subject"].endswith("1 overdue, 1 due today")
    assert "- “Long ago” (0001-01-01 00:00 UTC)" in text_of(mail)


def test_nothing_is_mailed_that_is_settled_meanwhile(acme, ann, assign, actor, mailbox, deliver):
    with at("2027-06-01T07:00"):
        task = assign(ann, date(2027, 6, 1))
    with at("2027-06-01T08:00"):
        tasks.send_reminders()
        with acme.inside():
            activities.complete_activity(actor, task)
        deliver()

    assert mailbox.to(ann.email) == []


def test_a_mail_of_yesterday_is_not_sent_today(acme, ann, assign, mailbox, deliver):
    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))
    with at("2027-06-01T08:00"):
        tasks.send_reminders()
    with at("2027-06-02T00:01"):  # the mail server was away all day
        deliver()
        assert mailbox.to(ann.email) == []
    with at("2027-06-02T08:00"):
        tasks.send_reminders()
        deliver()

    assert len(mailbox.to(ann.email)) == 1


def test_what_is_sent_twice_is_the_same_message(acme, ann, assign, mailbox, deliver, waiting):
    from sales.mails import send_daily_reminder

    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))
    with at("2027-06-01T08:00"):
        tasks.send_reminders()
        (message,) = (each for each in waiting(acme) if each.topic == daily_reminders.TOPIC)
        deliver()
        send_daily_reminder(message.id, message.payload, organization_id=acme.id)

    assert len({mail["Message-ID"] for mail in mailbox.to(ann.email)}) == 1


def test_the_command_tells_and_sends(acme, ann, assign, mailbox, deliver):
    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))

    def run(*arguments):
        out = StringIO()
        call_command("send_reminders", *arguments, stdout=out)
        return out.getvalue()

    with at("2027-06-01T07:59"):
        assert ann.email not in run("--dry-run")
    with at("2027-06-01T08:00"):
        told = run("--dry-run")
        assert f"{acme.slug} {ann.email} 2027-06-01: 1 due today\n  Due today: “Send the offer” (2027-06-01)\n" in told
        assert "reminders put into the outbox" in run()
        assert ann.email not in run("--dry-run")
        deliver()
        run()
        deliver()

    assert len(mailbox.to(ann.email)) == 1


def test_one_organization_s_trouble_is_not_the_others(acme, other, ann, assign, poll, monkeypatch):
    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))
    send = daily_reminders._send

    def troubled(organization_id, found):
        if organization_id == acme.id:
            raise RuntimeError("trouble")
        return send(organization_id, found)

    with at("2027-06-01T08:00"):
        monkeypatch.setattr(daily_reminders, "_send", troubled)
        assert poll() == []
        monkeypatch.undo()
        assert poll() == [(str(ann.pk), "2027-06-01")]


def test_looking_costs_one_statement_however_many_wait(acme, ann, assign):
    def look():
        with CaptureQueriesContext(connection) as queries:
            found = [morning for morning in daily_reminders.waiting() if morning.organization_id == acme.id]
        return len(found), len(queries)

    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))
        assign(acme.staff, date(2027, 6, 1))
    with at("2027-06-01T12:00"):
        assert look() == (2, len(("people", "COMMIT")))


def test_marks_are_forgotten_after_a_week(acme, ann, assign, poll):
    with at("2027-06-01T07:00"):
        assign(ann, date(2027, 6, 1))
    with at("2027-06-01T08:00"):
        poll()
        tasks.sweep()

    def marks():
        with acme.inside():
            return DailyReminder.objects.of(acme.id).count()

    assert marks() == 1
    with at("2027-06-08T12:00"):
        tasks.sweep()
        assert marks() == 1
    with at("2027-06-09T12:00"):
        tasks.sweep()
        assert marks() == 0
