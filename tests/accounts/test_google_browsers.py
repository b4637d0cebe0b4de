"""A sign-in at Google ends in the browser that began it."""

import pytest

from accounts.models import OAuthState, Session
from tests.accounts.google_flow import consent, finished, started
from tests.support.clients import ApiClient, codes

MOZILLA = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}
NAVIGATION = MOZILLA | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
SAME_ORIGIN = MOZILLA | {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
IMAGE = MOZILLA | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
OTHER_ORIGIN = MOZILLA | {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "cors",
    "Origin": "https://front.example.com",
}
SAME_SITE = OTHER_ORIGIN | {"Sec-Fetch-Site": "same-site"}
# As browsers ask that send no fetch metadata: old ones, and all of them without TLS.
PLAIN = MOZILLA
OWN_PAGES = {"navigation": NAVIGATION, "same origin": SAME_ORIGIN, "image": IMAGE, "without metadata": PLAIN}
ELSEWHERE = {
    "another origin": OTHER_ORIGIN,
    "the same site": SAME_SITE,
    "curl": {"User-Agent": "curl/8.5.0"},
    "an app": {"User-Agent": "okhttp/4.12.0"},
    "a server": {"User-Agent": "node", "Sec-Fetch-Mode": "cors"},
    "nothing said": {},
}


@pytest.fixture
def browser(acme):
    """Return what makes browsers (or programs) of the shop, each with cookies of its own."""
    return lambda: ApiClient("storefront", shop=acme.slug)


def cases(table):
    return pytest.mark.parametrize("headers", table.values(), ids=table.keys())


@cases(OWN_PAGES)
@pytest.mark.parametrize("own_state", [{}, {"state": "a-state-of-the-attackers-own"}])
def test_what_another_browser_began_is_not_finished(acme, google, browser, headers, own_state):
    """An attacker begins, and has somebody else's browser finish: that one would shop in the attacker's account."""
    back = consent(started(browser(), **own_state)["url"])

    refused = finished(browser(), back, headers=headers)

    assert codes(refused) == (400, "invalid_state")
    assert "/token" not in google.asked
    with acme.inside():
        assert not Session.objects.of(acme.id).exists()


@cases({**OWN_PAGES, **ELSEWHERE})
def test_a_browser_that_has_begun_something_else_is_told_apart(google, browser, headers):
    victim = browser()
    started(victim)
    back = consent(started(browser())["url"])

    assert codes(finished(victim, back, headers=headers)) == (400, "invalid_state")


@cases({**OWN_PAGES, **ELSEWHERE})
def test_the_browser_that_began_finishes(google, browser, headers):
    one = browser()

    assert finished(one, consent(started(one, headers=headers)["url"]), headers=headers).status_code == 200


@cases(ELSEWHERE)
@pytest.mark.parametrize("own_state", [{}, {"state": "s"}])
def test_who_keeps_no_cookie_compares_the_state_and_finishes(google, browser, headers, own_state):
    """Pages of another origin, whose browser sends no cookie along, and programs without cookies."""
    back = consent(started(browser(), headers=headers, **own_state)["url"])

    assert finished(browser(), back, headers=headers).status_code == 200


def test_two_sign_ins_of_one_browser_both_end_well(google, browser):
    one = browser()
    backs = [consent(started(one)["url"]) for _ in range(2)]

    assert [finished(one, back, headers=NAVIGATION).status_code for back in backs] == [200, 200]


@pytest.mark.parametrize(
    ("url", "name", "secure"),
    [
        ("https://crm.example.com", "__Host-google_sign_in", True),
        ("http://localhost:8000", "google_sign_in", ""),
    ],
)
def test_the_cookie_is_the_browser_s_own_matter(acme, google, browser, settings, url, name, secure):
    settings.PUBLIC_URL = url
    one = browser()
    response = one.get("auth/google")

    (cookie,) = response.cookies.values()

    assert (cookie.key, cookie["httponly"], cookie["samesite"], cookie["secure"]) == (name, True, "Lax", secure)
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", 600)
    assert len(cookie.value) == 43
    with acme.inside():
        (kept,) = OAuthState.objects.of(acme.id)
    assert cookie.value not in str(vars(kept))
    back = consent(response.json()["data"]["url"])
    assert finished(one, back, headers=NAVIGATION).status_code == 200


@pytest.mark.parametrize("value", ["", "x" * 65, "x" * 4000])
def test_a_cookie_of_another_length_is_replaced(google, browser, value):
    one = browser()
    one.http.cookies["google_sign_in"] = value

    data = started(one)

    assert len(one.http.cookies["google_sign_in"].value) == 43
    assert finished(one, consent(data["url"]), headers=NAVIGATION).status_code == 200


def test_the_cookie_alone_opens_nothing(acme, google, browser):
    one = browser()
    finished(one, consent(started(one)["url"]), headers=NAVIGATION)

    assert one.get("auth/profile").status_code == 401
    assert codes(finished(one, {"code": "x", "state": "y"}, headers=NAVIGATION)) == (400, "invalid_state")
