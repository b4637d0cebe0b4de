"""What anybody may begin, and what is refused to them, is counted by the client's address."""

import pytest

from accounts.models import OAuthState
from tests.conftest import PASSWORD
from tests.support.clients import ApiClient


def test_beginning_is_counted_by_the_client_s_address(acme, google, limits):
    limits.RATE_LIMIT_PUBLIC = (3, 300)
    here, there = (ApiClient("storefront", shop=acme.slug, address=address) for address in ("10.7.7.1", "10.7.7.2"))

    answers = [here.get("auth/google") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[4].json()["error"]["code"] == "rate_limited"
    assert int(answers[4]["Retry-After"]) > 0
    assert there.get("auth/google").status_code == 200
    with acme.inside():
        assert OAuthState.objects.of(acme.id).count() == 4


def test_control_without_limits_each_one_writes_a_row(acme, google, client_for):
    shop = client_for(None, "storefront", shop=acme.slug)
    for _ in range(40):
        assert shop.get("auth/google").status_code == 200
    with acme.inside():
        assert OAuthState.objects.of(acme.id).count() == 40


@pytest.mark.parametrize(
    ("surface", "key"), [("team", "refreshToken"), ("platform", "refresh_token"), ("storefront", "refresh_token")]
)
def test_refused_refresh_tokens_are_counted_and_good_ones_pass(acme, client_for, limits, surface, key):
    limits.RATE_LIMIT_PUBLIC = (3, 300)
    address = {"team": "10.7.8.1", "platform": "10.7.8.2", "storefront": "10.7.8.3"}[surface]
    client = client_for(None, surface, shop=acme.slug, address=address)
    limits.RATE_LIMITS = False
    login = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD}).json()
    limits.RATE_LIMITS = True
    good = login.get("data", login)[key]

    answers = [client.post("auth/refresh", {key: f"wrong {number}"}) for number in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert int(answers[4]["Retry-After"]) > 0
    assert client.post("auth/refresh", {key: good}).status_code == 200
