"""Invitations to the team, from the first mail to the last refusal."""

import pytest

from accounts.models import Invitation, User
from crm.core.models import Event
from tests.support.clients import ApiClient
from tests.support.mail_server import text_of

NEWCOMER = "grace@example.org"


@pytest.fixture
def invite(acme, client_for, mailbox, deliver):
    """Invite an address as the owner, deliver the mail, return the token of its link."""

    def send(email=NEWCOMER, role="staff"):
        response = client_for(acme.owner).post("auth/invite", {"email": email, "role": role})
        assert response.status_code == 201, response.content
        deliver()
        return mailbox.token_for(email)

    return send


def accept(token, **changed):
    body = {"token": token, "name": "Grace Brewster Hopper", "password": "navy-Compiler-1"} | changed
    return ApiClient("team").post("auth/accept-invitation", body)


def test_an_invitation_is_mailed_with_a_link(acme, client_for, mailbox, deliver, settings):
    settings.FRONTEND_URL = "https://app.example.net"

    response = client_for(acme.owner).post("auth/invite", {"email": NEWCOMER, "role": "manager"})
    deliver()

    data = response.json()["data"]
    assert response.status_code == 201
    assert {key: data[key] for key in ("email", "role", "status")} == {
        "email": NEWCOMER,
        "role": "manager",
        "status": "pending",
    }
    assert data["invitedBy"] == {"id": str(acme.owner.id), "fullName": acme.owner.full_name}
    (mail,) = mailbox.to(NEWCOMER)
    assert str(mail["Subject"]).strip() == f"Join “{acme.organization.name}”"
    assert f"“{acme.owner}” invites you to join “{acme.organization.name}”." in text_of(mail)
    assert (
        f"https://app.example.net/accept-invitation?token={mailbox.token_for(NEWCOMER)}"
        in mail.get_body(("plain",)).get_content()
    )
    assert mailbox.token_for(NEWCOMER) in mail.get_body(("html",)).get_content()


def test_accepting_signs_in_with_the_invitations_role(acme, invite):
    response = accept(invite(role="manager"), role="owner", email="somebody@else.example")

    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"success", "accessToken", "refreshToken", "expiresAt", "user"}
    assert (body["user"]["email"], body["user"]["role"]) == (NEWCOMER, "manager")
    assert (body["user"]["firstName"], body["user"]["lastName"]) == ("Grace", "Brewster Hopper")
    assert ApiClient("team", token=body["accessToken"]).get("auth/me").status_code == 200
    with acme.inside():
        assert User.objects.of(acme.id).get(email=NEWCOMER).email_verified_at is not None
        names = list(Event.objects.of(acme.id).order_by("-id").values_list("name", flat=True)[:2])
    assert names == ["user.signed_in", "invitation.accepted"]


def test_it_is_accepted_on_the_platform_too(acme, invite):
    body = {"token": invite(), "first_name": "Grace", "last_name": "Hopper", "password": "navy-Compiler-1"}

    response = ApiClient("platform").post("auth/accept-invitation", body)

    assert response.status_code == 201
    assert set(response.json()) == {"access_token", "refresh_token", "token_type", "user"}
    again = ApiClient("platform").post("auth/accept-invitation", body)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "INVITATION_USED")


def test_a_weak_password_or_no_name_leaves_it_open(invite):
    token = invite()

    weak, nameless = accept(token, password="12345678"), accept(token, name="")

    assert (weak.status_code, weak.json()["error"]["details"][0]["field"]) == (400, "password")
    assert nameless.status_code == 400
    assert accept(token).status_code == 201


def test_used_expired_and_unknown_tokens_are_refused(invite, time_after):
    used, late = invite(), invite("late@example.org")
    assert accept(used).status_code == 201

    with time_after(days=7, seconds=1):
        expired = accept(late)

    refused = [accept(used), expired, accept("nonsense")]
    assert [answer.status_code for answer in refused] == [400] * 3
    codes = [answer.json()["error"]["code"] for answer in refused]
    assert codes == ["INVITATION_USED", "INVITATION_EXPIRED", "INVITATION_INVALID"]


def test_inviting_again_replaces_the_pending_one(acme, invite, mailbox):
    first = invite(role="viewer")
    second = invite(role="staff")

    replaced, taken = accept(first), accept(second)

    assert (replaced.status_code, replaced.json()["error"]["code"]) == (400, "INVITATION_REVOKED")
    assert taken.json()["user"]["role"] == "staff"


def test_members_are_not_invited_again(acme, client_for, other):
    client = client_for(acme.owner)

    response = client.post("auth/invite", {"email": acme.staff.email.upper(), "role": "viewer"})

    assert (response.status_code, response.json()["error"]["code"]) == (409, "ALREADY_MEMBER")
    assert client.post("auth/invite", {"email": other.staff.email, "role": "viewer"}).status_code == 201


def test_who_may_invite_whom(acme, client_for):
    def answers(user, role):
        return (
            client_for(user).post("auth/invite", {"email": f"{role}.{user.pk}@example.org", "role": role}).status_code
        )

    roles = ("owner", "manager", "staff", "customer_experience", "viewer")
    assert [answers(acme.owner, role) for role in roles] == [201] * 5
    assert [answers(acme.manager, role) for role in roles] == [403, 403, 201, 201, 201]
    for user in (acme.staff, acme.customer_experience, acme.viewer, acme.customer):
        assert [answers(user, role) for role in roles] == [403] * 5


def test_bad_invitations_name_the_field(acme, client_for):
    client = client_for(acme.owner)

    for field, body in (
        ("role", {"email": NEWCOMER, "role": "emperor"}),
        ("role", {"email": NEWCOMER}),
        ("email", {"email": "nonsense", "role": "staff"}),
        ("token", {"email": NEWCOMER, "role": "staff", "token": "mine"}),
    ):
        response = client.post("auth/invite", body)

        assert response.status_code == 400
        assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]
    with acme.inside():
        assert not Invitation.objects.of(acme.id).exists()


def test_the_list_shows_where_each_stands(acme, client_for, invite):
    accept(invite("a@example.org"))
    invite("b@example.org")
    client = client_for(acme.manager)

    data = client.get("auth/invitations").json()["data"]

    assert [(row["email"], row["status"]) for row in data["invitations"]] == [
        ("b@example.org", "pending"),
        ("a@example.org", "accepted"),
    ]
    assert data["meta"]["pagination"]["total"] == 2
    pending = client.get("auth/invitations", status="pending").json()["data"]["invitations"]
    assert [row["email"] for row in pending] == ["b@example.org"]
    assert client.get("auth/invitations", status="lost").status_code == 400
    assert client_for(acme.viewer).get("auth/invitations").status_code == 403


def test_a_withdrawn_invitation_is_void(acme, client_for, invite):
    token = invite()
    client = client_for(acme.owner)
    (row,) = client.get("auth/invitations").json()["data"]["invitations"]

    response = client.delete(f"auth/invitations/{row['id']}")

    assert response.json() == {"success": True, "data": {"id": row["id"]}}
    assert accept(token).json()["error"]["code"] == "INVITATION_REVOKED"
    assert client.post(f"auth/invitations/{row['id']}/resend").status_code == 409


def test_managers_do_not_withdraw_or_resend_what_they_could_not_give(acme, client_for, invite):
    invite(role="manager")
    client = client_for(acme.manager)
    (row,) = client.get("auth/invitations").json()["data"]["invitations"]

    assert client.delete(f"auth/invitations/{row['id']}").status_code == 403
    assert client.post(f"auth/invitations/{row['id']}/resend").status_code == 403
    assert client.post("auth/invite", {"email": NEWCOMER, "role": "staff"}).status_code == 403


def test_resending_gives_seven_new_days(acme, client_for, invite, mailbox, deliver, time_after):
    token = invite()
    client = client_for(acme.owner)
    (row,) = client.get("auth/invitations").json()["data"]["invitations"]

    with time_after(days=8):
        client_for(acme.owner).post(f"auth/invitations/{row['id']}/resend")
        deliver()
        assert mailbox.token_for(NEWCOMER) == token
        assert accept(token).status_code == 201
    assert len(mailbox.to(NEWCOMER)) == 2


def test_foreign_invitations_are_not_there(acme, other, client_for, invite):
    invite()
    (row,) = client_for(acme.owner).get("auth/invitations").json()["data"]["invitations"]
    stranger = client_for(other.owner)

    assert stranger.get("auth/invitations").json()["data"]["invitations"] == []
    assert stranger.delete(f"auth/invitations/{row['id']}").status_code == 404
    assert stranger.post(f"auth/invitations/{row['id']}/resend").status_code == 404


def test_a_user_made_without_a_password_joins_by_mail(acme, client_for, mailbox, deliver):
    body = {"email": NEWCOMER, "full_name": "Grace Hopper", "role": "sales"}
    made = client_for(acme.owner, "platform").post("users", body).json()
    assert made["is_active"] is False
    deliver()

    response = accept(mailbox.token_for(NEWCOMER), name="")

    assert response.status_code == 201
    assert response.json()["user"]["id"] == made["id"]
    assert (response.json()["user"]["fullName"], response.json()["user"]["role"]) == ("Grace Hopper", "staff")


def test_mails_survive_a_refusing_server_and_are_sent_once(acme, client_for, mailbox, deliver, waiting, time_after):
    mailbox.refusals = ["451 Try again later"]
    client_for(acme.owner).post("auth/invite", {"email": NEWCOMER, "role": "staff"})

    deliver()
    assert mailbox.to(NEWCOMER) == []
    (message,) = waiting(acme)
    assert "451" in message.last_error
    with time_after(seconds=10):
        deliver()
        deliver()

    (mail,) = mailbox.to(NEWCOMER)
    assert str(mail["Message-ID"]).startswith(f"<{message.id}@")
    assert waiting(acme) == []


def test_no_token_is_stored_or_mailed_for_what_is_settled(acme, client_for, mailbox, deliver, waiting):
    client = client_for(acme.owner)
    pk = client.post("auth/invite", {"email": NEWCOMER, "role": "staff"}).json()["data"]["id"]
    (message,) = waiting(acme)
    assert message.payload == {"invitation_id": pk}

    client.delete(f"auth/invitations/{pk}")
    deliver()

    assert mailbox.to(NEWCOMER) == []
    assert waiting(acme) == []


def test_a_name_with_line_breaks_adds_no_header(organization, client_for, mailbox, deliver):
    tenant = organization(name="Evil\r\nBcc: everybody@example.com", roles=())

    client_for(tenant.owner).post("auth/invite", {"email": NEWCOMER, "role": "staff"})
    deliver()

    (mail,) = mailbox.to(NEWCOMER)
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).strip() == "Join “Evil Bcc: everybody[@]example[.]com”"
    assert "join “Evil Bcc: everybody[@]example[.]com”." in text_of(mail)
