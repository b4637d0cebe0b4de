"""Signing in to the shop with Google, against a real OAuth server of our own."""

import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.models import OAuthState, Session, User
from contacts.models import Contact
from tests.accounts.google_flow import consent, started
from tests.support.clients import ApiClient, codes
from tests.support.oauth_server import CLIENT_ID


@pytest.fixture
def shop(acme):
    return ApiClient("storefront", shop=acme.slug)


def test_the_whole_flow_makes_a_verified_shopper(acme, google, shop):
    data = started(shop)
    assert set(data) == {"url", "state"}
    back = consent(data["url"])
    assert back["state"] == data["state"]

    response = shop.get("auth/google/callback", **back)

    body = response.json()["data"]
    assert response.status_code == 200
    assert set(body) == {"user", "access_token", "refresh_token", "expires_at"}
    assert body["user"]["email"] == google.claims["email"]
    assert (body["user"]["first_name"], body["user"]["email_verified"]) == ("Ada", True)
    profile = ApiClient("storefront", shop=acme.slug, token=body["access_token"]).get("auth/profile").json()["data"]
    assert profile["roles"] == ["user"]
    with acme.inside():
        user = User.objects.of(acme.id).get(email=google.claims["email"])
        assert not user.has_usable_password()
        assert Contact.objects.of(acme.id).get(user=user).email == user.email


def test_a_second_sign_in_finds_the_same_account(google, shop):
    ids = {
        shop.get("auth/google/callback", **consent(started(shop)["url"])).json()["data"]["user"]["id"] for _ in range(2)
    }

    assert len(ids) == 1


def test_the_clients_own_state_comes_back_at_the_end_alone(google, shop):
    data = started(shop, state="their-own-state")
    assert data["state"] != "their-own-state"
    assert "their-own-state" not in data["url"]

    response = shop.get("auth/google/callback", **consent(data["url"]))

    assert response.json()["data"]["state"] == "their-own-state"


def test_inactive_accounts_stay_out(acme, google, shop):
    google.claims["email"] = acme.customer.email
    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.customer.pk).update(is_active=False)

    assert codes(shop.get("auth/google/callback", **consent(started(shop)["url"]))) == (403, "account_inactive")


def test_a_callback_without_code_or_with_an_error_is_refused(google, shop):
    state = started(shop)["state"]

    assert codes(shop.get("auth/google/callback", state=state)) == (400, "validation_error")
    assert codes(shop.get("auth/google/callback", code="x")) == (400, "validation_error")
    assert codes(shop.get("auth/google/callback", state=state, error="access_denied")) == (400, "oauth_error")
    assert "/token" not in google.asked


def test_states_work_once_here_and_for_ten_minutes(acme, other, google, shop, time_after):
    replayed, foreign, late = (consent(started(shop)["url"]) for _ in range(3))
    assert shop.get("auth/google/callback", **replayed).status_code == 200
    tokens_asked = google.asked.count("/token")

    refused = [
        shop.get("auth/google/callback", **replayed),
        shop.get("auth/google/callback", code="x", state="forged"),
        ApiClient("storefront", shop=other.slug).get("auth/google/callback", **foreign),
    ]
    with time_after(minutes=10, seconds=1):
        refused.append(shop.get("auth/google/callback", **late))

    assert [codes(response) for response in refused] == [(400, "invalid_state")] * 4
    assert google.asked.count("/token") == tokens_asked


def test_one_state_used_by_many_at_once_signs_in_once(acme, google, shop):
    back = consent(started(shop)["url"])
    barrier = threading.Barrier(8)
    answers = []

    def use():
        barrier.wait()
        answers.append(ApiClient("storefront", shop=acme.slug).get("auth/google/callback", **back).status_code)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200] + [400] * 7


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"email_verified": False}, "google_email_unverified"),
        ({"email_verified": "true"}, "google_email_unverified"),
        ({"email": None}, "google_email_unverified"),
        ({"nonce": "another"}, "google_sign_in_failed"),
        ({"aud": "another-client"}, "google_sign_in_failed"),
        ({"iss": "https://evil.example"}, "google_sign_in_failed"),
        ({"exp": 1}, "google_sign_in_failed"),
        ({"aud": ["another-client", CLIENT_ID]}, "google_sign_in_failed"),
        ({"aud": [CLIENT_ID]}, "google_sign_in_failed"),
        ({"aud": ["another-client", CLIENT_ID], "azp": "another-client"}, "google_sign_in_failed"),
        ({"sub": ""}, "google_sign_in_failed"),
        ({"sub": None}, "google_sign_in_failed"),
        ({"sub": 7}, "google_sign_in_failed"),
        ({"sub": "7" * 256}, "google_sign_in_failed"),
        ({"sub": "7\0"}, "google_sign_in_failed"),
    ],
)
def test_claims_that_prove_nothing_are_refused(acme, google, shop, claims, code):
    google.claims |= claims

    response = shop.get("auth/google/callback", **consent(started(shop)["url"]))

    assert codes(response) == (400, code)
    with acme.inside():
        assert not Session.objects.of(acme.id).exists()


def test_a_token_issued_to_us_may_name_further_audiences(google, shop):
    google.claims |= {"aud": ["another-client", CLIENT_ID], "azp": CLIENT_ID}

    assert shop.get("auth/google/callback", **consent(started(shop)["url"])).status_code == 200


def test_a_bad_signature_is_refused(google, shop):
    google.wrong_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    response = shop.get("auth/google/callback", **consent(started(shop)["url"]))

    assert codes(response) == (400, "google_sign_in_failed")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ((400, b'{"error": "invalid_grant"}'), (400, "google_sign_in_failed")),
        ((500, b"oops"), (503, "google_unavailable")),
        ((200, b"<html>"), (503, "google_unavailable")),
        ((200, b"[]"), (503, "google_unavailable")),
        ((200, b'{"id_token": "garbage"}'), (400, "google_sign_in_failed")),
        ((200, b'{"id_token": 5}'), (503, "google_unavailable")),
    ],
)
def test_a_failing_token_endpoint_is_answered_in_shape(google, shop, reply, answer):
    google.fails = reply

    assert codes(shop.get("auth/google/callback", **consent(started(shop)["url"]))) == answer


def test_a_server_that_is_away_is_answered_in_shape(google, shop, settings):
    back = consent(started(shop)["url"])
    settings.GOOGLE = settings.GOOGLE | {"token_url": "http://127.0.0.1:9/token"}

    response = shop.get("auth/google/callback", **back)

    assert codes(response) == (503, "google_unavailable")
    assert response["Retry-After"]


def test_without_a_client_nothing_starts(acme, shop):
    assert codes(shop.get("auth/google")) == (503, "google_not_configured")
    assert codes(shop.get("auth/google/callback", code="x", state="y")) == (503, "google_not_configured")
    assert codes(shop.get("auth/google/callback")) == (400, "validation_error")


def test_only_a_hash_of_the_state_is_kept(acme, google, shop):
    state = started(shop)["state"]

    with acme.inside():
        (kept,) = OAuthState.objects.of(acme.id)
    assert state not in str(vars(kept))


def test_an_unknown_shop_is_not_found(google):
    assert codes(ApiClient("storefront", shop="no-such-shop").get("auth/google")) == (404, "store_not_found")


def test_a_name_from_google_is_one_line(acme, google, shop):
    google.claims |= {"given_name": "Ada\r\n\u2028King\x1b", "family_name": "\u202eLovelace"}

    user = shop.get("auth/google/callback", **consent(started(shop)["url"])).json()["data"]["user"]

    assert (user["first_name"], user["last_name"]) == ("Ada King", "Lovelace")
