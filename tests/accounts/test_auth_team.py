"""Signing in and out on the Team surface."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from tests.conftest import PASSWORD
from tests.support.clients import ApiClient
from tests.support.mail_server import text_of


def login(user, password=PASSWORD, **more):
    return ApiClient("team").post("auth/login", {"email": user.email, "password": password, **more})


def test_login_answers_at_the_top_level(acme):
    response = login(acme.manager)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"success", "accessToken", "refreshToken", "expiresAt", "user"}
    assert body["success"] is True
    assert body["user"]["email"] == acme.manager.email
    assert (body["user"]["firstName"], body["user"]["role"]) == ("Manager", "manager")
    assert body["user"]["organization"]["slug"] == acme.slug
    assert ApiClient("team", token=body["accessToken"]).get("contacts").status_code == 200


def test_an_access_token_lasts_eight_hours(acme):
    expires_at = datetime.fromisoformat(login(acme.owner).json()["expiresAt"])

    left = expires_at - datetime.now(UTC)
    assert timedelta(hours=7, minutes=59) < left <= timedelta(hours=8)


def test_refusals_have_the_surfaces_shape(acme):
    wrong = login(acme.owner, "wrong")
    missing = ApiClient("team").post("auth/login", {"email": acme.owner.email})
    odd = ApiClient("team").post("auth/login", {"email": ["x"], "password": 5, "extra": 1})

    assert wrong.status_code == 401
    assert wrong.json()["success"] is False
    assert wrong.json()["error"]["code"] == "UNAUTHENTICATED"
    assert missing.status_code == odd.status_code == 400
    assert missing.json()["error"]["details"] == [{"field": "password", "message": "This field is required."}]


def test_an_inactive_account_says_so_only_to_its_password(acme):
    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.viewer.pk).update(is_active=False)

    right, wrong = login(acme.viewer), login(acme.viewer, "wrong")

    assert (right.status_code, right.json()["error"]["code"]) == (403, "ACCOUNT_INACTIVE")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "UNAUTHENTICATED")


def test_the_organization_may_be_named(acme, other):
    email = f"both.{acme.slug}@example.com"
    user = acme.add("staff", email=email)
    other.add("staff", email=email)

    asked, named = login(user), login(user, organization=acme.slug)

    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "ORGANIZATION_REQUIRED")
    assert asked.json()["error"]["organizations"] == sorted([acme.slug, other.slug])
    assert named.json()["user"]["organization"]["slug"] == acme.slug


def test_shoppers_have_no_access(acme, client_for):
    assert login(acme.customer).status_code == 403
    assert client_for(acme.customer, "team").get("auth/me").status_code == 403


def test_refreshing_rotates(acme):
    token = login(acme.owner).json()["refreshToken"]

    response = ApiClient("team").post("auth/refresh", {"refreshToken": token})

    data = response.json()["data"]
    assert set(data) == {"accessToken", "refreshToken", "expiresAt"}
    assert data["refreshToken"] != token
    assert ApiClient("team", token=data["accessToken"]).get("auth/me").status_code == 200
    assert ApiClient("team").post("auth/refresh", {"refreshToken": token}).status_code == 401
    assert ApiClient("team", token=data["accessToken"]).get("auth/me").status_code == 401


def test_me_shows_the_user_and_what_they_may_do(acme, client_for):
    data = client_for(acme.viewer, "team").get("auth/me").json()["data"]

    assert (data["id"], data["role"]) == (str(acme.viewer.id), "viewer")
    assert "contacts:view" in data["permissions"]
    assert "contacts:create" not in data["permissions"]
    assert ApiClient("team").get("auth/me").status_code == 401


def test_logout_ends_the_session(acme):
    client = ApiClient("team", token=login(acme.owner).json()["accessToken"])

    assert client.post("auth/logout").json()["success"] is True
    assert client.get("auth/me").status_code == 401


def test_a_reset_link_expires(acme, mailbox, deliver, time_after):
    ApiClient("team").post("auth/forgot-password", {"email": acme.owner.email, "organization": acme.slug})
    deliver()
    body = {"token": mailbox.token_for(acme.owner.email), "password": "another-Horse-7"}

    with time_after(hours=1, seconds=1):
        response = ApiClient("team").post("auth/reset-password", body)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_EXPIRED")


def test_one_mail_lists_the_reset_links_of_all_organizations(acme, other, mailbox, deliver):
    email = f"two.{acme.slug}@example.com"
    acme.add("staff", email=email)
    other.add("staff", email=email)

    ApiClient("team").post("auth/forgot-password", {"email": email})
    deliver()

    (mail,) = mailbox.to(email)
    text = text_of(mail)
    assert mail["Subject"] == "Set a new password"
    assert acme.organization.name in text
    assert other.organization.name in text
    tokens = re.findall(r"reset-password\?token=([\w-]+)", text)
    for number, token in enumerate(tokens):
        body = {"token": token, "password": f"another-Horse-{number}"}
        assert ApiClient("team").post("auth/reset-password", body).status_code == 200
    assert len(tokens) == 2


def test_a_token_of_one_surface_is_good_on_the_others(acme):
    token = login(acme.owner).json()["accessToken"]

    assert ApiClient("platform", token=token).get("contacts").status_code == 200
    assert ApiClient("storefront", shop=acme.slug, token=token).get("auth/profile").json()["data"]["roles"] == ["admin"]


def test_a_changed_own_password_ends_the_other_sessions(acme):
    here, there = (login(acme.staff).json()["accessToken"] for _ in range(2))
    body = {"currentPassword": PASSWORD, "newPassword": "another-Horse-7", "confirmPassword": "another-Horse-7"}

    assert ApiClient("team", token=here).patch("settings/password", body).status_code == 200

    assert ApiClient("team", token=here).get("auth/me").status_code == 200
    assert ApiClient("team", token=there).get("auth/me").status_code == 401


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", "ü", "Bearer"])
def test_garbage_for_a_token_is_refused(raw, acme):
    response = ApiClient("team", token=raw or " ").get("auth/me")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
