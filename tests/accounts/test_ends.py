"""What each change of an account ends: every cell of the tables in docs/accounts.md, tried over HTTP."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from accounts.models import Invitation, Organization, Purpose
from accounts.services import invitations, one_time_links
from tests.conftest import PASSWORD, sign_in
from tests.support.clients import ApiClient

NEW_PASSWORD = "another-Horse-7"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "accounts.md"


def table(heading):
    """Return the cells of the page's table whose first header is `heading`, as (row, column, word)."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("|")
    ]
    number = next(number for number, (_, *columns) in enumerate(rows) if columns == heading)
    found = []
    for row, *words in rows[number + 2 :]:
        if len(words) != len(heading):
            break
        found += [(row, column, word) for column, word in zip(heading, words, strict=True)]
    return found


MEMBER = table(["own session", "other sessions", "reset link", "verification link", "invitations they sent"])
INVITED = table(["the invitation's link"])


class Member:
    """A manager who has not proven their address, with two sessions, both kinds of links, and an invitation sent."""

    def __init__(self, tenant, client_for):
        self.tenant, self.client_for = tenant, client_for
        self.user = tenant.add("manager", email_verified_at=None)
        self.own, self.other = (sign_in(self.user, "platform") for _ in range(2))
        with tenant.inside():
            made = [
                one_time_links.make(self.user, purpose) for purpose in (Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL)
            ]
            self.reset, self.verification = (one_time_links.token_for(link.purpose, link.pk) for link in made)
            self.spare = [
                one_time_links.token_for(Purpose(link.purpose), one_time_links.make(self.user, link.purpose).pk)
                for link in made
            ]
        self.invited = self._invite()
        self.path = f"users/{self.user.pk}"

    def _invite(self):
        email = f"{uuid4().hex}@example.org"
        sent = ApiClient("team", token=self.own).post("auth/invite", {"email": email, "role": "viewer"})
        return one_time_links.token_for(invitations.PURPOSE, sent.json()["data"]["id"])

    @property
    def oneself(self):
        return ApiClient("platform", token=self.own)

    @property
    def owner(self):
        return self.client_for(self.tenant.owner, "platform")

    def state(self, column):
        """Return "stays" or "ends" for what stands in a column."""
        answer = {
            "own session": lambda: ApiClient("platform", token=self.own).get("me"),
            "other sessions": lambda: ApiClient("platform", token=self.other).get("me"),
            "reset link": lambda: post("auth/reset-password", token=self.reset, password="third-Horse-8"),
            "verification link": lambda: post(
                "auth/verify-email", token=self.verification, new_password="third-Horse-8"
            ),
            "invitations they sent": lambda: accept(self.invited),
        }[column]()
        assert answer.status_code in {200, 201, 400, 401}, answer.content
        return "stays" if answer.status_code < 400 else "ends"


def post(path, **body):
    return ApiClient("platform").post(path, body)


def accept(token):
    return post("auth/accept-invitation", token=token, full_name="Grace Hopper", password="navy-Compiler-1")


def done(answer):
    assert answer.status_code in {200, 201}, answer.content


def own_address(member):
    email = f"{uuid4().hex}@example.org"
    # It takes users:update to change an address, one's own too.
    done(member.owner.patch(member.path, {"role": "tenant_admin"}))
    done(member.oneself.patch(member.path, {"email": email, "current_password": PASSWORD}))


def deactivated(member):
    done(member.owner.delete(member.path))
    done(member.owner.post(f"{member.path}/restore"))


def switched_off(member):
    with member.tenant.inside():
        Organization.objects.update(is_active=False)
    assert ApiClient("platform", token=member.own).get("me").status_code == 401
    with member.tenant.inside():
        Organization.objects.update(is_active=True)


CHANGES = {
    "own address": own_address,
    "address, by an owner": lambda m: done(m.owner.patch(m.path, {"email": f"{uuid4().hex}@example.org"})),
    "own password": lambda m: done(
        m.oneself.post(f"{m.path}/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    ),
    "password, by an owner": lambda m: done(m.owner.post(f"{m.path}/password", {"new_password": NEW_PASSWORD})),
    "password, by a reset link": lambda m: done(post("auth/reset-password", token=m.spare[0], password=NEW_PASSWORD)),
    "address proven while signed in": lambda m: done(m.oneself.post("auth/verify-email", {"token": m.spare[1]})),
    "address proven with a new password": lambda m: done(
        post("auth/verify-email", token=m.spare[1], new_password=NEW_PASSWORD)
    ),
    "role, to one that may not invite": lambda m: done(m.owner.patch(m.path, {"role": "viewer"})),
    "deactivated, and restored": deactivated,
    "organization switched off, and on again": switched_off,
}


@pytest.mark.parametrize(("change", "column", "word"), MEMBER, ids=[" - ".join(cell) for cell in MEMBER])
def test_a_change_ends_what_the_table_says(organization, client_for, change, column, word):
    member = Member(organization(roles=()), client_for)

    CHANGES[change](member)

    assert member.state(column) == word


def test_without_a_change_everything_stays(organization, client_for):
    for column in dict.fromkeys(column for _, column, _ in MEMBER):
        assert Member(organization(roles=()), client_for).state(column) == "stays"


class Invited:
    """A person invited by a manager, as a user who waits."""

    def __init__(self, tenant, client_for):
        self.owner = client_for(tenant.owner, "platform")
        self.inviter = tenant.add("owner")
        self.tenant = tenant
        self.email = f"{uuid4().hex}@example.org"
        body = {"email": self.email, "full_name": "Grace Hopper", "role": "viewer"}
        self.path = f"users/{client_for(self.inviter, 'platform').post('users', body).json()['id']}"
        with tenant.inside():
            self.pk = Invitation.objects.of(tenant.id).get(email=self.email).pk
        self.token = one_time_links.token_for(invitations.PURPOSE, self.pk)
        self.team = client_for(tenant.owner, "team")


INVITED_CHANGES = {
    "their address is corrected": lambda i: done(i.owner.patch(i.path, {"email": f"{uuid4().hex}@example.org"})),
    "their role is changed": lambda i: done(i.owner.patch(i.path, {"role": "manager"})),
    "they are deactivated": lambda i: done(i.owner.delete(i.path)),
    "they are invited again": lambda i: done(i.team.post("auth/invite", {"email": i.email, "role": "viewer"})),
    "it is withdrawn": lambda i: done(i.team.delete(f"auth/invitations/{i.pk}")),
    "who invited them is deactivated": lambda i: done(i.owner.delete(f"users/{i.inviter.pk}")),
    "who invited them may not invite any more": lambda i: done(
        i.owner.patch(f"users/{i.inviter.pk}", {"role": "viewer"})
    ),
}


@pytest.mark.parametrize(("change", "column", "word"), INVITED, ids=[cell[0] for cell in INVITED])
def test_a_change_ends_an_invitation_as_the_table_says(organization, client_for, change, column, word):
    tenant = organization(roles=())
    if change == "a member is given their address":
        invited = f"{uuid4().hex}@example.org"
        team, member = client_for(tenant.owner, "team"), tenant.add("viewer")
        pk = team.post("auth/invite", {"email": invited, "role": "viewer"}).json()["data"]["id"]
        token = one_time_links.token_for(invitations.PURPOSE, pk)
        done(client_for(tenant.owner, "platform").patch(f"users/{member.pk}", {"email": invited}))
    else:
        person = Invited(tenant, client_for)
        token = person.token
        INVITED_CHANGES[change](person)

    assert ("stays" if accept(token).status_code == 201 else "ends") == word


def test_an_invitation_says_the_role_that_was_given_later(organization, client_for):
    person = Invited(organization(roles=()), client_for)

    done(person.owner.patch(person.path, {"role": "manager"}))

    (shown,) = person.team.get("auth/invitations").json()["data"]["invitations"]
    assert shown["role"] == "manager"
    assert accept(person.token).status_code == 201
    assert person.owner.get(person.path).json()["role"] == "manager"


def test_a_corrected_address_is_mailed_the_invitation(organization, client_for, mailbox, deliver):
    person = Invited(organization(roles=()), client_for)
    deliver()
    corrected = f"{uuid4().hex}@example.org"

    done(person.owner.patch(person.path, {"email": corrected}))
    deliver()

    token = mailbox.token_for(corrected)
    assert token != person.token
    assert accept(person.token).json()["error"]["code"] == "INVITATION_REVOKED"
    assert accept(token).json()["user"]["email"] == corrected


def test_resending_makes_an_invitation_ones_own(organization, client_for):
    person = Invited(organization(roles=()), client_for)
    done(person.owner.patch(f"users/{person.inviter.pk}", {"role": "viewer"}))
    assert accept(person.token).status_code == 400

    done(person.team.post(f"auth/invitations/{person.pk}/resend"))

    assert accept(person.token).status_code == 201


def test_each_row_of_the_page_is_tried():
    assert {row for row, *_ in MEMBER} == set(CHANGES)
    assert {row for row, *_ in INVITED} == {*INVITED_CHANGES, "a member is given their address"}
    assert re.search(r"^\| own address ", PAGE.read_text(), re.MULTILINE)
