"""Limits on mails that somebody asks for: by organization and day, by recipient and hour, on every surface."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import Invitation, User
from accounts.services import mail_limits
from accounts.services.mail_limits import Asker
from crm.core import clock
from crm.core.mail_limits import TooManyMails
from sales.services import activities, daily_reminders
from tests.accounts.users import new_user
from tests.conftest import PASSWORD
from tests.support.back_office import text_of, within
from tests.support.clients import ApiClient, codes

LIMIT = 3
DAY = 24 * 60 * 60


def address():
    return f"{uuid4().hex}@mailed.example"


@pytest.fixture
def few(limits):
    """Three mails a day for each organization, and three an hour for each address; nothing else is in the way."""
    limits.RATE_LIMIT_AUTH = limits.RATE_LIMIT_GENERAL = (1000, 300)
    limits.RATE_LIMIT_MAILS_ORGANIZATION = limits.RATE_LIMIT_MAILS_UNPROVEN = (LIMIT, DAY)
    limits.RATE_LIMIT_MAILS_RECIPIENT = (LIMIT, 3600)
    return limits


@pytest.fixture
def mails(waiting):
    """Tell how many mails of an organization wait in the outbox."""

    def count(tenant):
        return sum(message.topic.startswith("mail.") for message in waiting(tenant))

    return count


def invited(client, email=None):
    return client.post("auth/invite", {"email": email or address(), "role": "staff"})


# --- By organization


def test_an_organization_mails_so_much_in_a_day_on_every_surface(acme, few, client_for, mails, time_after):
    team, platform = client_for(acme.owner), client_for(acme.owner, "platform")
    pk = invited(team).json()["data"]["id"]
    assert team.post(f"auth/invitations/{pk}/resend").status_code == 200
    assert platform.post("users", new_user(password=None)).status_code == 201

    refusals = [invited(team), team.post(f"auth/invitations/{pk}/resend")]

    for refused in refusals:
        error = refused.json()["error"]
        assert codes(refused) == (429, "RATE_LIMITED")
        assert DAY - 60 < error["retryAfter"] <= DAY + 1
        assert refused["Retry-After"] == str(error["retryAfter"])
        assert error["message"].startswith("This organization has sent as many e-mails as it may today.")
    refused = platform.post("users", new_user(password=None))
    assert codes(refused) == (429, "RATE_LIMITED")
    assert refused["Retry-After"] == str(refused.json()["error"]["retry_after"])
    assert mails(acme) == LIMIT
    with acme.inside():
        assert Invitation.objects.of(acme.id).count() == LIMIT - 1
    assert platform.post("users", new_user()).status_code == 201  # with a password nobody is mailed
    with time_after(days=1, seconds=2):
        assert invited(client_for(acme.owner)).status_code == 201


def test_an_organization_of_a_proven_owner_mails_more(acme, few, client_for):
    few.RATE_LIMIT_MAILS_ORGANIZATION, few.RATE_LIMIT_MAILS_UNPROVEN = (2, DAY), (1, DAY)
    team = client_for(acme.owner)
    with acme.inside():
        User.objects.of(acme.id).update(email_verified_at=None)
    assert [invited(team).status_code for _ in range(2)] == [201, 429]

    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.owner.pk).update(email_verified_at=clock.now())

    assert [invited(team).status_code for _ in range(2)] == [201, 429]


def test_an_operator_is_held_to_the_same(acme, few, client_for, back_office, mails):
    team = client_for(acme.owner)
    for _ in range(LIMIT - 1):
        invited(team)
    pks = [str(pk) for pk in _invitations(acme)]

    body = {"action": "resend", "_selected_action": pks}
    page = text_of(back_office.post(f"/admin/accounts/invitation/?{urlencode(within(acme))}", body, follow=True))

    assert "1 mailed again." in page
    assert "This organization has sent as many e-mails as it may today." in page
    assert mails(acme) == LIMIT


def _invitations(tenant):
    with tenant.inside():
        return list(Invitation.objects.of(tenant.id).values_list("pk", flat=True))


def test_what_is_rolled_back_counts_for_nothing(acme, few):
    for _ in range(LIMIT * 2):
        with acme.inside():
            mail_limits.require(acme.id, address(), Asker.MEMBER)
            transaction.set_rollback(True)

    with acme.inside():
        for _ in range(LIMIT):
            mail_limits.require(acme.id, address(), Asker.MEMBER)
        with pytest.raises(TooManyMails):
            mail_limits.require(acme.id, address(), Asker.MEMBER)


def test_strangers_do_not_use_up_what_members_may_mail(acme, few, client_for, mails):
    shop = ApiClient("storefront", shop=acme.slug)
    for _ in range(LIMIT + 2):
        assert shop.post("auth/register", {"email": address(), "password": PASSWORD}).status_code == 201

    assert mails(acme) == LIMIT
    assert invited(client_for(acme.owner)).status_code == 201


# --- By recipient


def test_an_address_gets_so_much_in_an_hour_from_all_organizations(acme, other, few, client_for, time_after):
    victim = address()
    local, _, host = victim.partition("@")
    few.RATE_LIMIT_MAILS_ORGANIZATION = few.RATE_LIMIT_MAILS_UNPROVEN = (100, DAY)
    ours, theirs = client_for(acme.owner), client_for(other.owner)

    for client, written in ((ours, victim), (theirs, victim.upper()), (theirs, f"{local}+tag@{host}")):
        assert invited(client, written).status_code == 201
    refused = invited(ours, victim)

    assert codes(refused) == (429, "RATE_LIMITED")
    assert 3600 - 60 < refused.json()["error"]["retryAfter"] <= 3601
    assert refused.json()["error"]["message"].startswith("This address was sent as many e-mails")
    assert invited(ours).status_code == 201
    with time_after(hours=1, seconds=2):
        assert invited(client_for(acme.owner), victim).status_code == 201


def test_a_forgotten_password_is_answered_as_always(acme, few, mails):
    team = ApiClient("team")
    body = {"email": acme.staff.email, "organization": acme.slug}

    answers = [team.post("auth/forgot-password", body) for _ in range(LIMIT + 2)]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert mails(acme) == LIMIT


def test_a_verification_is_asked_for_again_so_often(acme, few, mails):
    shop, email = ApiClient("storefront", shop=acme.slug), address()
    registered = shop.post("auth/register", {"email": email, "password": PASSWORD}).json()["data"]
    signed_in = ApiClient("storefront", shop=acme.slug, token=registered["access_token"])

    for _ in range(LIMIT - 1):
        assert signed_in.post("auth/resend-verification").status_code == 200
    refused = signed_in.post("auth/resend-verification")
    silent = shop.post("auth/resend-verification", {"email": email})

    assert codes(refused) == (429, "rate_limited")
    assert refused["Retry-After"] == str(refused.json()["error"]["retry_after"])
    assert silent.status_code == 200
    assert mails(acme) == LIMIT


def test_a_sign_up_goes_on_without_the_mail(acme, other, few, client_for, mails):
    email = address()
    for _ in range(LIMIT):
        invited(client_for(other.owner), email)

    response = ApiClient("storefront", shop=acme.slug).post("auth/register", {"email": email, "password": PASSWORD})

    assert response.status_code == 201
    assert mails(acme) == 0


def test_reminders_count_for_their_recipient_alone(acme, few, client_for, mails):
    few.RATE_LIMIT_MAILS_UNPROVEN = (0, DAY)
    people = [acme.add("staff", timezone="UTC", email=f"same+{number}@{acme.slug}.example") for number in range(5)]
    for user in people:
        _busy(acme, user)

    with acme.inside():
        today = [daily_reminders.DueReminder(acme.id, user.pk, clock.today("UTC")) for user in people]
    assert daily_reminders._send(acme.id, today) == LIMIT

    assert mails(acme) == LIMIT


def _busy(tenant, user):
    with tenant.inside():
        due = clock.now() - timedelta(days=2)
        activities.create_activity(tenant.actor("owner"), subject="Call", due=due, owner_id=user.pk)


def test_a_command_is_held_to_it_too(acme, few, client_for):
    email = address()
    for _ in range(LIMIT):
        invited(client_for(acme.owner), email)

    with pytest.raises(CommandError, match="This address was sent as many e-mails"):
        call_command("create_owner", organization="Nord", email=email)


def test_without_limits_nothing_is_counted(acme, settings, client_for):
    settings.RATE_LIMIT_MAILS_UNPROVEN = settings.RATE_LIMIT_MAILS_RECIPIENT = (0, 60)

    assert invited(client_for(acme.owner)).status_code == 201
