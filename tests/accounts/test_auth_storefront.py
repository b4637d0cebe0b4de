"""Signing up, in and out in the shop: the document's own examples, then the rules."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Organization, User
from contacts.models import Contact
from contacts.services import contacts
from crm.core import db
from crm.core.models import Event
from tests.conftest import PASSWORD
from tests.support.clients import ApiClient, codes


@pytest.fixture
def shop(acme):
    return ApiClient("storefront", shop=acme.slug)


def sign_up(shop, **changed):
    body = {
        "email": f"{uuid4().hex}@example.com",
        "password": "SecurePassword123!",
        "first_name": "John",
        "last_name": "Doe",
    } | changed
    return shop.post("auth/register", body)


def signed(shop, data):
    client = ApiClient("storefront", token=data["access_token"])
    client.base = shop.base
    return client


def test_registering_answers_as_documented(acme, shop):
    response = sign_up(shop, email="user@example.com")

    assert response.status_code == 201
    data = response.json()["data"]
    assert set(data) == {"user", "access_token", "refresh_token", "expires_at"}
    user = data["user"]
    shown = {key: user[key] for key in ("email", "first_name", "last_name", "active", "email_verified")}
    assert shown == {
        "email": "user@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "active": True,
        "email_verified": False,
    }
    assert user["created_at"].endswith("Z")
    assert user["updated_at"].endswith("Z")
    left = datetime.fromisoformat(data["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_a_shopper_stands_in_the_crm(acme, shop, client_for):
    data = sign_up(shop).json()["data"]

    found = client_for(acme.owner).get("contacts", search=data["user"]["email"]).json()["data"]["contacts"]

    assert [(row["email"], row["firstName"], row["ownerId"]) for row in found] == [
        (data["user"]["email"], "John", None)
    ]


def test_a_taken_address_is_refused(acme, other, shop):
    data = sign_up(shop).json()["data"]

    again = sign_up(shop, email=data["user"]["email"].upper())
    member = sign_up(shop, email=acme.owner.email)
    elsewhere = sign_up(ApiClient("storefront", shop=other.slug), email=data["user"]["email"])

    assert codes(again) == codes(member) == (409, "email_taken")
    assert elsewhere.status_code == 201


def test_bad_sign_ups_are_400_and_name_the_field(acme, shop):
    for field, changed in (
        ("email", {"email": "nonsense"}),
        ("password", {"password": "short"}),
        ("first_name", {"first_name": "x" * 101}),
        ("role", {"role": "admin"}),
    ):
        response = sign_up(shop, **changed)

        assert codes(response) == (400, "validation_error")
        assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]


def test_an_unknown_or_closed_shop_is_not_found(acme, shop):
    assert codes(sign_up(ApiClient("storefront", shop="nowhere"))) == (404, "store_not_found")
    with acme.inside():
        Organization.objects.filter(pk=acme.id).update(shop_enabled=False)
    assert codes(sign_up(shop)) == (404, "store_not_found")
    assert codes(shop.post("auth/login", {"email": "a@b.example", "password": "x"})) == (404, "store_not_found")


def test_login_answers_as_documented(acme, shop):
    response = shop.post("auth/login", {"email": acme.customer.email, "password": PASSWORD})

    assert response.status_code == 200
    data = response.json()["data"]
    assert set(data) == {"user", "access_token", "refresh_token", "expires_at"}
    assert data["user"]["id"] == str(acme.customer.id)


def test_wrong_credentials_are_401_and_inactive_ones_403(acme, other, shop):
    login = {"email": acme.customer.email, "password": PASSWORD}
    stranger = shop.post("auth/login", {"email": other.customer.email, "password": PASSWORD})
    wrong = shop.post("auth/login", login | {"password": "wrong"})
    assert stranger.status_code == wrong.status_code == 401
    assert stranger.content == wrong.content
    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.customer.pk).update(is_active=False)

    assert codes(shop.post("auth/login", login)) == (403, "account_inactive")
    assert codes(shop.post("auth/login", login | {"password": "wrong"})) == (401, "unauthenticated")
    assert codes(shop.post("auth/login", {"email": acme.customer.email})) == (400, "validation_error")


def test_refreshing_rotates_and_a_replay_ends_the_family(acme, other, shop):
    data = sign_up(shop).json()["data"]
    old = data["refresh_token"]
    assert ApiClient("storefront", shop=other.slug).post("auth/refresh", {"refresh_token": old}).status_code == 401

    rotated = shop.post("auth/refresh", {"refresh_token": old}).json()["data"]

    assert set(rotated) == {"access_token", "refresh_token", "expires_at"}
    assert rotated["refresh_token"] != old
    assert signed(shop, rotated).get("auth/profile").status_code == 200
    assert codes(shop.post("auth/refresh", {"refresh_token": old})) == (401, "unauthenticated")
    assert shop.post("auth/refresh", {"refresh_token": rotated["refresh_token"]}).status_code == 401
    assert signed(shop, rotated).get("auth/profile").status_code == 401
    assert codes(shop.post("auth/refresh", {})) == (400, "validation_error")


def test_the_profile_shows_user_and_roles(acme, shop, client_for):
    data = client_for(acme.customer, "storefront", shop=acme.slug).get("auth/profile").json()["data"]

    assert set(data) == {"user", "roles"}
    assert (data["user"]["email"], data["roles"]) == (acme.customer.email, ["user"])
    assert client_for(acme.owner, "storefront", shop=acme.slug).get("auth/profile").json()["data"]["roles"] == ["admin"]
    assert codes(shop.get("auth/profile")) == (401, "unauthenticated")


def test_the_profile_can_be_changed(acme, shop):
    client = signed(shop, sign_up(shop).json()["data"])

    response = client.patch("auth/profile", {"first_name": "Jane", "phone": "+1-555-0123", "language": "fr"})

    user = response.json()["data"]["user"]
    assert (user["first_name"], user["last_name"], user["phone"], user["language"]) == (
        "Jane",
        "Doe",
        "+1-555-0123",
        "fr",
    )
    for body in ({"timezone": "Mars/Olympus"}, {"language": "xx"}, {"email_verified_at": "2020-01-01"}):
        assert client.patch("auth/profile", body).status_code == 400


def test_a_token_of_another_shop_is_refused(acme, other, client_for):
    client = client_for(acme.customer, "storefront", shop=other.slug)

    assert codes(client.get("auth/profile")) == (401, "unauthenticated")


def test_logout_ends_every_session(acme, shop):
    first = sign_up(shop).json()["data"]
    second = shop.post("auth/login", {"email": first["user"]["email"], "password": "SecurePassword123!"}).json()["data"]

    response = signed(shop, first).post("auth/logout")

    assert (response.status_code, response.content) == (204, b"")
    for data in (first, second):
        assert signed(shop, data).get("auth/profile").status_code == 401
        assert shop.post("auth/refresh", {"refresh_token": data["refresh_token"]}).status_code == 401


def test_a_changed_password_ends_the_other_sessions(acme, shop):
    first = sign_up(shop).json()["data"]
    login = {"email": first["user"]["email"], "password": "SecurePassword123!"}
    second = shop.post("auth/login", login).json()["data"]
    client = signed(shop, first)

    wrong = client.post("auth/password", {"current_password": "nope", "new_password": "another-Horse-7"})
    weak = client.post("auth/password", {"current_password": "SecurePassword123!", "new_password": "12345678"})
    right = client.post("auth/password", {"current_password": "SecurePassword123!", "new_password": "another-Horse-7"})

    assert (wrong.status_code, wrong.json()["error"]["details"][0]["field"]) == (400, "current_password")
    assert (weak.status_code, weak.json()["error"]["details"][0]["field"]) == (400, "new_password")
    assert right.status_code == 200
    assert client.get("auth/profile").status_code == 200
    assert signed(shop, second).get("auth/profile").status_code == 401
    assert shop.post("auth/login", login).status_code == 401


def test_an_address_is_verified_by_mail(acme, other, shop, mailbox, deliver):
    data = sign_up(shop).json()["data"]
    deliver()
    (mail,) = mailbox.to(data["user"]["email"])
    assert "/verify-email?token=" in mail.get_body(("plain",)).get_content()
    token = mailbox.token_for(data["user"]["email"])
    elsewhere = ApiClient("storefront", shop=other.slug).post("auth/verify-email", {"token": token})
    assert codes(elsewhere) == (400, "token_invalid")

    response = signed(shop, data).post("auth/verify-email", {"token": token})

    assert response.status_code == 200
    assert signed(shop, data).get("auth/profile").json()["data"]["user"]["email_verified"] is True
    assert codes(shop.post("auth/verify-email", {"token": token})) == (400, "token_used")


def test_the_verification_is_mailed_again(acme, shop, mailbox, deliver):
    data = sign_up(shop).json()["data"]
    email = data["user"]["email"]
    deliver()

    by_token = signed(shop, data).post("auth/resend-verification")
    by_address = shop.post("auth/resend-verification", {"email": email})
    unknown = shop.post("auth/resend-verification", {"email": "nobody@example.com"})
    nothing = shop.post("auth/resend-verification")
    deliver()

    assert by_token.content == by_address.content == unknown.content
    assert codes(nothing) == (400, "validation_error")
    assert len(mailbox.to(email)) == 3
    proven = {"token": mailbox.token_for(email), "password": "SecurePassword123!"}
    assert shop.post("auth/verify-email", proven).status_code == 200
    data = shop.post("auth/login", {"email": email, "password": "SecurePassword123!"}).json()["data"]
    signed(shop, data).post("auth/resend-verification")
    deliver()
    assert len(mailbox.to(email)) == 3


def verified(shop, mailbox, deliver, email):
    data = sign_up(shop, email=email).json()["data"]
    deliver()
    proven = signed(shop, data).post("auth/verify-email", {"token": mailbox.token_for(email)})
    assert proven.status_code == 200
    return data


def test_a_verified_shopper_and_the_earlier_contact_become_one(acme, shop, mailbox, deliver):
    email = f"{uuid4().hex}@example.com"
    with acme.inside():
        earlier = contacts.create_contact(
            acme.actor("owner"), first_name="Johnny", email=email.upper(), tags=["vip"], job_title="Buyer"
        )

    data = verified(shop, mailbox, deliver, email)

    with acme.inside():
        (kept,) = Contact.objects.of(acme.id).alive().filter(email_normalized=email)
        (gone,) = Contact.objects.of(acme.id).filter(email_normalized=email, deleted_at__isnull=False)
        timeline = list(
            Event.objects.of(acme.id).filter(contact_id=kept.pk).order_by("id").values_list("name", flat=True)
        )
        assert not Event.objects.of(acme.id).filter(contact_id=gone.pk).exists()
    assert kept.pk == earlier.pk
    assert str(kept.user_id) == data["user"]["id"]
    assert (kept.first_name, kept.last_name, kept.job_title, kept.tags) == ("Johnny", "Doe", "Buyer", ["vip"])
    assert kept.owner_id == acme.owner.pk
    assert timeline == ["contact.created", "contact.created", "contact.merged"]


def test_of_a_contact_made_later_the_shoppers_stays(acme, shop, mailbox, deliver):
    email = f"{uuid4().hex}@example.com"
    data = sign_up(shop, email=email).json()["data"]
    with acme.inside():
        own = Contact.objects.of(acme.id).get(user_id=data["user"]["id"])
        contacts.create_contact(acme.actor("owner"), email=email, phone="+1-555-0199")
    deliver()

    signed(shop, data).post("auth/verify-email", {"token": mailbox.token_for(email)})

    with acme.inside():
        (kept,) = Contact.objects.of(acme.id).alive().filter(email_normalized=email)
    assert (kept.pk, kept.phone) == (own.pk, "+1-555-0199")


def test_nothing_merges_before_the_address_is_proven(acme, shop):
    email = f"{uuid4().hex}@example.com"
    with acme.inside():
        contacts.create_contact(acme.actor("owner"), email=email)

    sign_up(shop, email=email)

    with acme.inside():
        assert Contact.objects.of(acme.id).alive().filter(email_normalized=email).count() == 2


def test_a_deleted_contact_or_anothers_does_not_merge(acme, other, shop, mailbox, deliver):
    email = f"{uuid4().hex}@example.com"
    with acme.inside():
        deleted = contacts.create_contact(acme.actor("owner"), email=email)
        contacts.delete_contact(acme.actor("owner"), deleted)
    with other.inside():
        foreign = contacts.create_contact(other.actor("owner"), email=email)

    data = verified(shop, mailbox, deliver, email)

    with acme.inside():
        (kept,) = Contact.objects.of(acme.id).alive().filter(email_normalized=email)
    assert str(kept.user_id) == data["user"]["id"]
    with other.inside():
        assert Contact.objects.of(other.id).get(pk=foreign.pk).user_id is None


def test_a_forgotten_password_is_reset_for_this_shop_alone(acme, other, shop, mailbox, deliver):
    email = f"{uuid4().hex}@example.com"
    sign_up(shop, email=email)
    sign_up(ApiClient("storefront", shop=other.slug), email=email)
    deliver()
    mailbox.messages.clear()

    response = shop.post("auth/forgot-password", {"email": email})
    deliver()

    assert response.status_code == 200
    assert len(mailbox.to(email)) == 1
    body = {"token": mailbox.token_for(email), "password": "another-Horse-7"}
    assert shop.post("auth/reset-password", body).status_code == 200
    assert shop.post("auth/login", {"email": email, "password": "another-Horse-7"}).status_code == 200
    elsewhere = ApiClient("storefront", shop=other.slug)
    assert elsewhere.post("auth/login", {"email": email, "password": "another-Horse-7"}).status_code == 401


def test_only_the_function_of_the_owner_moves_events(acme):
    with pytest.raises(Exception, match="permission denied"), db.tenant(acme.id):
        Event.objects.of(acme.id).update(contact_id=None)
