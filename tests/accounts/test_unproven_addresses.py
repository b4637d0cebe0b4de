"""Anybody can make an account for an address that is not theirs: what such an account may not do."""

from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password

from accounts.models import Organization, User
from accounts.services import address_accounts, lockout
from contacts.models import Contact
from contacts.services import contacts
from crm.core import db
from tests.conftest import PASSWORD, sign_in
from tests.races import hashers
from tests.support.clients import ApiClient, codes

THIEFS = "thiefs-Password-1"
CHOSEN = "victims-Password-2"
REGISTRATION = {"password": THIEFS, "full_name": "Eve Thief", "company_name": "Evil Ltd"}
networks = iter(f"198.51.{number // 250}.{number % 250 + 1}" for number in range(50_000))


def stranger(surface="platform", **options):
    """A client from an address that has not been seen before."""
    return ApiClient(surface, address=next(networks), **options)


def fresh_email():
    return f"{uuid4().hex}@example.com"


def log_in(email, password, **more):
    return stranger().post("auth/login", {"email": email, "password": password, **more})


# --- Accounts that strangers make for an address


def sign_up(shop, email, password=THIEFS):
    answer = stranger("storefront", shop=shop.slug).post("auth/register", {"email": email, "password": password})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def sibling_shopper(tenant, email):
    sign_up(tenant, email)


def sibling_owner(tenant, email):
    assert stranger().post("auth/register", REGISTRATION | {"email": email}).status_code == 201


def sibling_inactive(tenant, email):
    tenant.add("staff", email=email, email_verified_at=None, is_active=False)


def sibling_invited(tenant, email):
    tenant.add("staff", email=email, email_verified_at=None, is_active=False, is_invited=True)


SIBLINGS = {
    "shopper": sibling_shopper,
    "owner": sibling_owner,
    "inactive": sibling_inactive,
    "invited": sibling_invited,
}


@pytest.mark.parametrize("proven", [True, False], ids=["proven", "unproven"])
@pytest.mark.parametrize("sibling", SIBLINGS)
def test_wrong_guesses_are_counted_whatever_other_accounts_the_address_has(organization, limits, sibling, proven):
    victim = organization(roles=())
    if not proven:
        with victim.inside():
            User.objects.of(victim.id).update(email_verified_at=None)
    SIBLINGS[sibling](organization(roles=()), victim.owner.email)

    guesses = [log_in(victim.owner.email, THIEFS if number % 2 else "wrong").status_code for number in range(10)]

    assert 429 not in guesses
    assert codes(log_in(victim.owner.email, THIEFS)) == (429, "RATE_LIMITED")
    named = [log_in(victim.owner.email, "wrong", slug=victim.slug).status_code for _ in range(11)]
    assert named[-1] == 429
    assert log_in(victim.owner.email, PASSWORD, slug=victim.slug).status_code == 429


def test_nineteen_other_accounts_change_nothing(organization, limits):
    victim = organization(roles=())
    for _ in range(19):
        sibling_shopper(organization(roles=()), victim.owner.email)

    # The password of the stranger's accounts fits them, and forgives nothing.
    guesses = [log_in(victim.owner.email, THIEFS).status_code for _ in range(11)]

    assert guesses == [401] * 10 + [429]


def standing_after_guesses_that_fit_another_account(organization):
    """Try a password that fits one of two proven accounts; return how the other one answers its own guesser then."""
    victim, own = organization(roles=()), organization(roles=())
    with victim.inside():
        User.objects.of(victim.id).update(password=make_password(CHOSEN))
    own.add("staff", email=victim.owner.email)
    guesses = [log_in(victim.owner.email, PASSWORD).status_code for _ in range(10)]
    assert guesses == [200] * 10
    return log_in(victim.owner.email, CHOSEN, slug=victim.slug).status_code


def test_what_fits_one_account_is_a_failure_of_the_others(organization, limits):
    assert standing_after_guesses_that_fit_another_account(organization) == 429


def test_control_forgiving_every_account_that_was_tried_counts_nothing(organization, limits, monkeypatch):
    monkeypatch.setattr(lockout, "undo_failure", lambda admission, _: lockout.undo(admission))

    assert standing_after_guesses_that_fit_another_account(organization) == 200


def test_an_unproven_account_takes_part_where_its_organization_is_named(organization):
    email = fresh_email()
    first, second = (organization(roles=()).add("staff", email=email, email_verified_at=None) for _ in range(2))

    assert log_in(email, PASSWORD).status_code == 401
    for user in (first, second):
        signed_in = log_in(email, PASSWORD, slug=user.organization.slug)
        assert signed_in.json()["user"]["id"] == str(user.pk)


def test_a_single_account_signs_in_by_address_and_password_alone(organization):
    email = fresh_email()
    user = organization(roles=()).add("staff", email=email, email_verified_at=None)

    assert log_in(email, PASSWORD).json()["user"]["id"] == str(user.pk)
    sign_up(organization(roles=()), email)  # a mere shopper of the same address is in nobody's way
    assert log_in(email, PASSWORD).json()["user"]["id"] == str(user.pk)


def test_a_proven_account_is_found_among_unproven_ones(organization):
    email = fresh_email()
    mine = organization(roles=()).add("staff", email=email)
    for _ in range(3):
        sibling_owner(None, email)

    assert log_in(email, PASSWORD).json()["user"]["id"] == str(mine.pk)
    assert log_in(email, THIEFS).status_code == 401


# --- Ways in which whoever holds an address gets the account that a stranger made for it


def by_reset_link(tenant, email, mailbox, deliver, client_for):
    shop = stranger("storefront", shop=tenant.slug)
    shop.post("auth/forgot-password", {"email": email})
    deliver()
    return shop.post("auth/reset-password", {"token": mailbox.token_for(email), "password": CHOSEN})


def by_verification_link(tenant, email, mailbox, deliver, client_for):
    shop = stranger("storefront", shop=tenant.slug)
    shop.post("auth/resend-verification", {"email": email})
    deliver()
    return shop.post("auth/verify-email", {"token": mailbox.token_for(email), "new_password": CHOSEN})


def by_invitation(tenant, email, mailbox, deliver, client_for):
    assert client_for(tenant.owner).post("auth/invite", {"email": email, "role": "viewer"}).status_code == 201
    deliver()
    return accept(mailbox.token_for(email))


def by_a_new_member_without_password(tenant, email, mailbox, deliver, client_for):
    body = {"email": email, "full_name": "Vic Tim", "role": "viewer"}
    assert client_for(tenant.owner, "platform").post("users", body).status_code == 201
    deliver()
    return accept(mailbox.token_for(email))


def by_a_new_member_with_password(tenant, email, mailbox, deliver, client_for):
    body = {"email": email, "full_name": "Vic Tim", "role": "viewer", "password": CHOSEN}
    return client_for(tenant.owner, "platform").post("users", body)


def accept(token):
    body = {"token": token, "full_name": "Vic Tim", "password": CHOSEN}
    return stranger().post("auth/accept-invitation", body)


CLAIMS = [
    by_reset_link,
    by_verification_link,
    by_invitation,
    by_a_new_member_without_password,
    by_a_new_member_with_password,
]


def made_by_sign_up(tenant, email):
    return sign_up(tenant, email)["access_token"]


def made_by_another_sign_in(tenant, email):
    sign_up(tenant, email)
    shop = stranger("storefront", shop=tenant.slug)
    return shop.post("auth/login", {"email": email, "password": THIEFS}).json()["data"]["access_token"]


def made_by_the_back_office(tenant, email):
    return sign_in(
        tenant.add("customer", email=email, email_verified_at=None, password=make_password(THIEFS)), "storefront"
    )


@pytest.mark.parametrize("make", [made_by_sign_up, made_by_another_sign_in, made_by_the_back_office])
@pytest.mark.parametrize("claim", CLAIMS)
def test_who_holds_the_address_gets_the_account_and_the_stranger_loses_it(
    organization, mailbox, deliver, client_for, make, claim
):
    tenant, email = organization(roles=()), fresh_email()
    token = make(tenant, email)
    thief = ApiClient("storefront", shop=tenant.slug, token=token)
    assert thief.get("auth/profile").status_code == 200

    answer = claim(tenant, email, mailbox, deliver, client_for)

    assert answer.status_code in {200, 201}, answer.content
    assert thief.get("auth/profile").status_code == 401
    shop = stranger("storefront", shop=tenant.slug)
    assert shop.post("auth/login", {"email": email, "password": THIEFS}).status_code == 401
    assert shop.post("auth/login", {"email": email, "password": CHOSEN}).status_code == 200
    with tenant.inside():
        assert User.objects.of(tenant.id).filter(email_normalized=email, is_active=True).count() == 1


@pytest.mark.parametrize("claim", [by_reset_link, by_verification_link])
def test_a_member_whose_password_an_owner_chose_is_taken_over_alike(acme, mailbox, deliver, client_for, claim):
    email = fresh_email()
    body = {"email": email, "full_name": "Vic Tim", "role": "sales", "password": THIEFS}
    assert client_for(acme.owner, "platform").post("users", body).status_code == 201
    before = ApiClient("platform", token=log_in(email, THIEFS).json()["access_token"])
    assert before.get("me").json()["email_verified"] is False

    assert claim(acme, email, mailbox, deliver, client_for).status_code == 200

    assert before.get("me").status_code == 401
    assert log_in(email, THIEFS).status_code == 401
    after = ApiClient("platform", token=log_in(email, CHOSEN).json()["access_token"])
    assert (after.get("me").json()["email_verified"], after.get("me").json()["role"]) == (True, "sales")


def test_a_members_new_address_takes_it_from_a_shopper_who_never_proved_it(acme, client_for):
    email = fresh_email()
    thief = ApiClient("storefront", shop=acme.slug, token=sign_up(acme, email)["access_token"])

    answer = client_for(acme.owner, "platform").patch(f"users/{acme.staff.pk}", {"email": email})

    assert answer.json()["email"] == email
    assert thief.get("auth/profile").status_code == 401


def test_a_colleague_is_brought_back_over_a_shopper_who_never_proved_the_address(acme, client_for):
    owner = client_for(acme.owner, "platform")
    owner.delete(f"users/{acme.staff.pk}")
    thief = ApiClient("storefront", shop=acme.slug, token=sign_up(acme, acme.staff.email)["access_token"])

    assert owner.post(f"users/{acme.staff.pk}/restore").status_code == 200
    assert thief.get("auth/profile").status_code == 401


@pytest.mark.parametrize("claim", [by_invitation, by_a_new_member_without_password, by_a_new_member_with_password])
def test_who_shopped_becomes_a_colleague_and_keeps_the_account(acme, mailbox, deliver, client_for, claim):
    email = acme.customer.email

    answer = claim(acme, email, mailbox, deliver, client_for) if claim is not by_a_new_member_without_password else None
    if answer is None:  # a role at once: the address is proven
        body = {"email": email, "full_name": "Vic Tim", "role": "viewer"}
        answer = client_for(acme.owner, "platform").post("users", body)

    assert answer.status_code == 201, answer.content
    with acme.inside():
        (user,) = User.objects.of(acme.id).filter(email_normalized=email)
        assert user.pk == acme.customer.pk
        assert Contact.objects.of(acme.id).get(user=user).email == email
        held = set(user.held_roles.values_list("role__name", flat=True))
    assert held == {"customer", "viewer"}


def test_members_and_proven_shoppers_hold_their_address(acme, client_for):
    owner = client_for(acme.owner, "platform")

    for taken in (acme.staff.email, acme.customer.email):
        assert codes(owner.patch(f"users/{acme.viewer.pk}", {"email": taken})) == (409, "EMAIL_TAKEN")
    again = owner.post("users", {"email": acme.staff.email, "full_name": "A B", "role": "viewer"})
    assert codes(again) == (409, "EMAIL_TAKEN")
    assert codes(client_for(acme.owner).post("auth/invite", {"email": acme.staff.email, "role": "viewer"})) == (
        409,
        "ALREADY_MEMBER",
    )


# --- What belongs to an address


def ordered_before(tenant, email):
    """A contact of this address, known to the team."""
    with tenant.inside():
        return contacts.create_contact(tenant.actor("owner"), first_name="Vic", email=email, phone="+1-555-0100")


def test_the_link_alone_hands_nothing_to_who_signed_up(acme, mailbox, deliver):
    email = fresh_email()
    known = ordered_before(acme, email)
    data = sign_up(acme, email)
    thief = ApiClient("storefront", shop=acme.slug, token=data["access_token"])
    deliver()
    link = mailbox.token_for(email)

    victim = stranger("storefront", shop=acme.slug)
    clicked = victim.post("auth/verify-email", {"token": link})

    assert codes(clicked) == (400, "password_required")
    assert thief.get("auth/profile").json()["data"]["user"]["email_verified"] is False
    with acme.inside():
        assert Contact.objects.of(acme.id).get(pk=known.pk).user_id is None

    chosen = victim.post("auth/verify-email", {"token": link, "new_password": CHOSEN})

    assert chosen.status_code == 200
    assert thief.get("auth/profile").status_code == 401
    assert victim.post("auth/login", {"email": email, "password": THIEFS}).status_code == 401
    assert victim.post("auth/login", {"email": email, "password": CHOSEN}).status_code == 200
    with acme.inside():
        assert str(Contact.objects.of(acme.id).get(pk=known.pk).user_id) == data["user"]["id"]


def test_a_link_with_a_wrong_password_or_anothers_session_proves_nothing(acme, mailbox, deliver):
    email = fresh_email()
    data = sign_up(acme, email)
    deliver()
    body = {"token": mailbox.token_for(email)}
    shop = stranger("storefront", shop=acme.slug)
    other = ApiClient("storefront", shop=acme.slug, token=sign_up(acme, fresh_email())["access_token"])

    wrong = shop.post("auth/verify-email", body | {"password": "wrong"})
    weak = shop.post("auth/verify-email", body | {"new_password": "12345678"})

    assert (codes(wrong), wrong.json()["error"]["details"][0]["field"]) == ((400, "validation_error"), "password")
    assert (codes(weak), weak.json()["error"]["details"][0]["field"]) == ((400, "validation_error"), "new_password")
    assert codes(other.post("auth/verify-email", body)) == (400, "password_required")
    own = ApiClient("storefront", shop=acme.slug, token=data["access_token"])
    assert own.post("auth/verify-email", body).status_code == 200
    assert own.get("auth/profile").json()["data"]["user"]["email_verified"] is True


def test_guessing_the_password_by_a_link_is_counted(acme, mailbox, deliver, limits):
    email = fresh_email()
    sign_up(acme, email)
    deliver()
    shop = stranger("storefront", shop=acme.slug)
    body = {"token": mailbox.token_for(email), "password": "wrong"}

    assert [shop.post("auth/verify-email", body).status_code for _ in range(6)] == [400] * 5 + [429]


def test_a_verification_link_is_no_reset_link_once_the_address_is_proven(acme, mailbox, deliver):
    email = fresh_email()
    data = sign_up(acme, email)
    shop = ApiClient("storefront", shop=acme.slug, token=data["access_token"])
    deliver()
    first = mailbox.token_for(email)
    shop.post("auth/resend-verification")
    deliver()
    assert shop.post("auth/verify-email", {"token": mailbox.token_for(email)}).status_code == 200

    again = stranger("storefront", shop=acme.slug).post("auth/verify-email", {"token": first, "new_password": CHOSEN})

    assert codes(again) == (400, "token_used")


@pytest.mark.parametrize("surface", ["platform", "team"])
def test_who_registers_an_organization_is_mailed_a_link_and_need_not_follow_it(mailbox, deliver, surface):
    email = fresh_email()
    registered = stranger().post("auth/register", REGISTRATION | {"email": email}).json()
    client = ApiClient("platform", token=registered["access_token"])
    deliver()
    link = mailbox.token_for(email)
    assert client.get("me").json()["email_verified"] is False
    assert client.get("contacts").status_code == 200

    answer = ApiClient(surface, token=registered["access_token"]).post("auth/verify-email", {"token": link})

    assert answer.status_code == 200
    assert client.get("me").json()["email_verified"] is True
    assert ApiClient("team", token=registered["access_token"]).get("settings/profile").json()["data"]["emailVerified"]
    with db.tenant(registered["user"]["company_id"]):
        assert Organization.objects.get().is_active


def test_members_ask_for_another_link(acme, mailbox, deliver):
    member = acme.add("staff", email_verified_at=None)

    for surface in ("platform", "team"):
        answer = ApiClient(surface, token=sign_in(member, surface)).post("auth/resend-verification")
        assert answer.status_code == 200
    deliver()

    assert len(mailbox.to(member.email)) == 2
    assert ApiClient("team").post("auth/resend-verification").status_code == 401


# --- Work that a stranger multiplies


def hashes_of_one_attempt(organization, settings):
    email = fresh_email()
    for _ in range(20):
        organization(roles=()).add("staff", email=email, email_verified_at=None)
    settings.PASSWORD_HASHERS = ["tests.races.hashers.CountingHasher"]
    hashers.reached.clear()
    assert log_in(email, "wrong").status_code == 401
    return len(hashers.reached)


def test_twenty_accounts_of_an_address_cost_one_hash(organization, settings):
    assert hashes_of_one_attempt(organization, settings) == 1


def test_control_where_unproven_accounts_take_part_each_costs_one(organization, settings, monkeypatch):
    monkeypatch.setattr(address_accounts.Account, "is_proven", True)
    monkeypatch.setattr(address_accounts, "MOST_ACCOUNTS", 20)

    assert hashes_of_one_attempt(organization, settings) == 20
