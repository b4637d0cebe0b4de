"""Whose account a sign-in at Google opens: the one linked to the person, and the first time the address's."""

from uuid import uuid4

import pytest

from accounts.models import Purpose, User
from accounts.services import one_time_links
from tests.accounts.google_flow import consent, finished, signed_in, started
from tests.conftest import PASSWORD
from tests.races.concurrency import crowd
from tests.support.clients import ApiClient, codes


@pytest.fixture
def shop(acme):
    return ApiClient("storefront", shop=acme.slug)


def user_id(response):
    assert response.status_code == 200, response.content
    return response.json()["data"]["user"]["id"]


def stored(acme, pk):
    with acme.inside():
        return User.objects.of(acme.id).get(pk=pk)


def verified(acme, role):
    """A user of a role who has proven their address."""
    return acme.add(role)


# --- The person, not the address


def test_another_person_at_google_with_the_same_address_is_refused(acme, google, shop):
    """Such as who was given a mailbox that somebody else had before."""
    first = user_id(signed_in(shop))
    google.claims["sub"] = "another-person"

    refused = signed_in(shop)

    assert codes(refused) == (409, "google_account_mismatch")
    assert "password" in refused.json()["error"]["message"]
    assert "token" not in refused.content.decode()
    google.claims["sub"] = stored(acme, first).google_subject
    assert user_id(signed_in(shop)) == first


def test_a_person_who_has_changed_the_address_at_google_finds_the_same_account(acme, google, shop):
    before = google.claims["email"]
    first = user_id(signed_in(shop))
    google.claims["email"] = f"{uuid4().hex}@gmail.com"

    assert user_id(signed_in(shop)) == first
    assert stored(acme, first).email == before


def test_the_linked_account_comes_before_the_one_of_the_new_address(acme, google, shop):
    first = user_id(signed_in(shop))
    google.claims["email"] = acme.customer.email

    assert user_id(signed_in(shop)) == first


def test_each_shop_has_its_own_account_of_a_person(acme, other, google, shop):
    elsewhere = ApiClient("storefront", shop=other.slug)

    assert user_id(signed_in(shop)) != user_id(signed_in(elsewhere))
    assert user_id(signed_in(elsewhere)) == user_id(signed_in(elsewhere))


def test_who_was_switched_off_is_not_let_in_by_another_address(acme, google, shop):
    first = user_id(signed_in(shop))
    with acme.inside():
        User.objects.of(acme.id).filter(pk=first).update(is_active=False)
    google.claims["email"] = f"{uuid4().hex}@gmail.com"

    assert codes(signed_in(shop)) == (403, "account_inactive")


def test_an_account_made_after_the_former_was_switched_off_is_linked_instead(acme, google, shop):
    first = user_id(signed_in(shop))
    with acme.inside():
        User.objects.of(acme.id).filter(pk=first).update(is_active=False)
    second = acme.add("customer", email=google.claims["email"])

    assert user_id(signed_in(shop)) == str(second.pk)
    assert (stored(acme, first).google_subject, stored(acme, second.pk).google_subject != "") == ("", True)


def test_another_address_given_here_ends_the_link(acme, google, shop, client_for):
    """The old mailbox may be in other hands: with it goes what was proven by it."""
    member = verified(acme, "staff")
    google.claims["email"] = member.email
    assert user_id(signed_in(shop)) == str(member.pk)
    changed = client_for(acme.owner, "platform").patch(f"users/{member.pk}", {"email": f"{uuid4().hex}@example.com"})
    assert changed.status_code == 200

    assert user_id(signed_in(shop)) != str(member.pk)


def test_of_many_first_sign_ins_at_once_one_account_comes(acme, google):
    clients = [ApiClient("storefront", shop=acme.slug) for _ in range(4)]
    backs = [consent(started(client)["url"]) for client in clients]

    answers = crowd(4, lambda number: finished(clients[number], backs[number]))

    assert len({user_id(answer) for answer in answers}) == 1


# --- Whoever was there before the proof


@pytest.mark.parametrize("role", ["owner", "manager", "staff", "customer_experience", "viewer", "customer"])
def test_an_unproven_account_goes_to_who_proves_the_address(acme, google, shop, client_for, role):
    """Its password was chosen by who never proved it: password, sessions and mailed links end, the role stays."""
    user = acme.add(role, email_verified_at=None)
    google.claims["email"] = user.email.upper()
    before = client_for(user, "storefront")
    with acme.inside():
        open_links = [one_time_links.make(user, purpose) for purpose in Purpose]

    answer = signed_in(shop)

    assert user_id(answer) == str(user.pk)
    assert before.get("auth/profile").status_code == 401
    assert shop.post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 401
    for link in open_links:
        token = one_time_links.token_for(link.purpose, link.pk)
        path, body = {
            "reset_password": ("auth/reset-password", {"token": token, "password": "another-battery-10"}),
            "verify_email": ("auth/verify-email", {"token": token}),
        }[link.purpose]
        assert codes(shop.post(path, body)) == (400, "token_used")
    now = ApiClient("storefront", shop=acme.slug, token=answer.json()["data"]["access_token"])
    shown = {"owner": "admin", "customer": "user"}.get(role, role)
    assert now.get("auth/profile").json()["data"]["roles"] == [shown]


@pytest.mark.parametrize("role", ["staff", "customer"])
def test_a_proven_account_keeps_its_password_and_sessions(acme, google, shop, client_for, role):
    user = verified(acme, role)
    google.claims["email"] = user.email
    before = client_for(user, "storefront")

    assert user_id(signed_in(shop)) == str(user.pk)
    assert before.get("auth/profile").status_code == 200
    assert shop.post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 200


def test_who_signed_up_with_anothers_address_loses_it(acme, google, shop):
    thief = shop.post(
        "auth/register", {"email": google.claims["email"], "password": "SecurePassword123!", "first_name": "Eve"}
    ).json()["data"]

    assert user_id(signed_in(shop)) == thief["user"]["id"]
    stolen = ApiClient("storefront", shop=acme.slug, token=thief["access_token"])
    assert stolen.get("auth/profile").status_code == 401
    login = shop.post("auth/login", {"email": google.claims["email"], "password": "SecurePassword123!"})
    assert login.status_code == 401
