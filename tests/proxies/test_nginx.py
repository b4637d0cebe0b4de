"""Behind a real nginx with TLS, under the documented configuration: scheme, headers, the client's address, limits."""

import re
from urllib.parse import urlencode

import pytest

from tests.conftest import PASSWORD
from tests.proxies.caller import call, through
from tests.proxies.nginx import NAME

pytestmark = pytest.mark.slow

HTTPS = f"https://{NAME}"
HSTS = "max-age=31536000"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
# Ways to claim an address, each as one or more headers.
CLAIMS = {
    "one line": [("X-Forwarded-For", "6.6.6.{n}")],
    "a chain": [("X-Forwarded-For", "6.6.6.{n}, 6.6.7.{n}")],
    "two lines": [("X-Forwarded-For", "6.6.6.{n}"), ("X-Forwarded-For", "6.6.7.{n}")],
    "with underscores": [("X_Forwarded_For", "6.6.6.{n}")],
    "with one underscore": [("X-Forwarded_For", "6.6.6.{n}")],
    "both": [("X-Forwarded-For", "6.6.6.{n}"), ("X_Forwarded_For", "6.6.7.{n}")],
    "lower case": [("x-forwarded-for", "6.6.6.{n}"), ("x_forwarded_for", "6.6.7.{n}")],
    "other headers": [("X-Real-IP", "6.6.6.{n}"), ("Forwarded", "for=6.6.6.{n}"), ("True-Client-IP", "6.6.6.{n}")],
    "garbage": [("X-Forwarded-For", "unknown, _hidden, [::1]:443, x{n}")],
}


def claim(kind, number=1):
    return [(name, value.format(n=number)) for name, value in CLAIMS[kind]]


def sign_in(nginx, site, address, headers=(), password=PASSWORD):
    body = {"email": site.owner["email"], "password": password}
    return through(nginx, "POST", "/api/v1/auth/login", body, headers, address)


def guesses(nginx, address, kind, count=8):
    """Statuses of so many wrong sign-ins, each under another claimed address and for another account."""
    return [
        through(
            nginx,
            "POST",
            "/api/v1/auth/login",
            {"email": f"nobody{number}.{address}@example.com", "password": "a wrong one"},
            claim(kind, number),
            address,
        ).status
        for number in range(count)
    ]


@pytest.mark.parametrize("path", ["/", "/admin/login/?next=/admin/", "/api/v1/me", "/api-docs", "/api/auth/login"])
def test_plain_http_is_sent_to_https(site, nginx, path):
    answer = call(nginx.plain, "GET", path)

    assert (answer.status, answer.header("Location")) == (301, f"{HTTPS}{path}")


@pytest.mark.parametrize("headers", [[], [("X-Forwarded-Proto", "http")], [("X-Forwarded-Proto", "")]])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_application_itself_sends_plain_http_to_https(site, method, headers):
    for path in ("/admin/login/", "/api/v1/auth/login", "/api-docs"):
        answer = call(site.port, method, path, {} if method == "POST" else None, headers)
        assert (answer.status, answer.header("Location")) == (301, f"{HTTPS}{path}")
        assert not answer.header("Strict-Transport-Security")


@pytest.mark.parametrize("path", ["/health", "/api/v1/ping", "/api/v1/health", "/shop/behind/api/v1/health"])
def test_load_balancers_ask_the_application_without_tls(site, path):
    assert call(site.port, "GET", path).status == 200


@pytest.mark.parametrize("path", ["/api/v1/ping", "/api/v1/me", "/admin/login/", "/api-docs", "/nothing", "/health"])
def test_answers_over_tls_ask_for_tls_from_then_on(site, nginx, path):
    answer = through(nginx, "GET", path)

    assert answer.header("Strict-Transport-Security") == HSTS
    assert answer.header("Content-Security-Policy").startswith("default-src 'none'")
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    "headers", [[("X-Forwarded-Proto", "http")], [("X_Forwarded_Proto", "http")], [("X-Forwarded-Ssl", "off")]]
)
def test_a_client_over_tls_cannot_say_that_it_is_not(site, nginx, headers):
    assert through(nginx, "GET", "/api/v1/ping", headers=headers).header("Strict-Transport-Security") == HSTS


def test_a_client_without_tls_cannot_say_that_it_has_it(site, nginx):
    answer = call(nginx.plain, "GET", "/api/v1/me", headers=[("X-Forwarded-Proto", "https")])

    assert answer.status == 301


def test_the_admin_works_with_cookies_for_tls_alone(site, nginx, address):
    page = through(nginx, "GET", "/admin/login/", address=address)
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[1].decode()
    (cookie,) = page.headers["set-cookie"]
    assert "Secure" in cookie
    form = urlencode({"csrfmiddlewaretoken": token, "username": site.operator, "password": PASSWORD}).encode()
    asked = [FORM, ("Cookie", cookie.partition(";")[0]), ("Referer", f"{HTTPS}/admin/login/")]

    foreign = through(nginx, "POST", "/admin/login/", form, [*asked, ("Origin", "https://evil.example")], address)
    entered = through(nginx, "POST", "/admin/login/?next=/admin/", form, [*asked, ("Origin", HTTPS)], address)

    assert foreign.status == 403
    assert (entered.status, entered.header("Location")) == (302, "/admin/")
    session = next(value for value in entered.headers["set-cookie"] if value.startswith("sessionid="))
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}


@pytest.mark.parametrize("kind", CLAIMS)
def test_the_session_has_the_address_that_the_client_comes_from(site, nginx, address, kind):
    answer = sign_in(nginx, site, address, [*claim(kind), ("User-Agent", f"agent {kind}")])

    assert answer.status == 200, answer.body
    assert answer.header("Cache-Control") == "no-store"
    assert site.last_session() == (address, f"agent {kind}")


@pytest.mark.parametrize("kind", CLAIMS)
def test_guesses_are_counted_by_the_clients_address_whatever_it_claims(site, nginx, address, kind):
    assert guesses(nginx, address, kind) == [401] * 5 + [429] * 3


@pytest.mark.parametrize("kind", [kind for kind in CLAIMS if "underscore" in kind or kind in {"both", "lower case"}])
def test_the_server_itself_drops_names_with_underscores(site, letting_underscores_through, address, kind):
    answer = sign_in(letting_underscores_through, site, address, claim(kind))

    assert answer.status == 200, answer.body
    assert site.last_session()[0] == address
    assert guesses(letting_underscores_through, address, kind) == [401] * 5 + [429] * 3


def test_another_client_is_not_held_up(site, nginx, address):
    assert guesses(nginx, address, "one line", 6)[-1] == 429

    assert sign_in(nginx, site, f"127.21{address[6:]}").status == 200


def test_control_behind_a_proxy_that_passes_claims_on_they_count(site, passing_on, address):
    assert guesses(passing_on, address, "one line") == [401] * 8
    answer = sign_in(passing_on, site, address, claim("one line", 99))

    assert answer.status == 200
    assert site.last_session()[0] == "6.6.6.99"


@pytest.mark.parametrize(
    "claimed", ["1.2.3.4:99", "[::1]:443", "unknown", "_hidden", "x", "", ",", '"[2001:db8::1]:80"']
)
def test_whatever_a_proxy_passes_on_signs_in(site, passing_on, address, claimed):
    answer = sign_in(passing_on, site, address, [("X-Forwarded-For", claimed)])

    assert answer.status in {200, 429}, answer.body


def test_a_foreign_host_is_refused_in_the_form_of_the_api(site, nginx):
    answer = call(nginx.encrypted, "GET", "/api/v1/ping", context=nginx.context(), host="evil.example")

    assert (answer.status, answer.json()["error"]["code"]) == (400, "MALFORMED_REQUEST")


def test_a_body_beyond_the_limit_is_refused_in_the_form_of_the_api(site, nginx, address):
    answer = through(nginx, "POST", "/api/v1/auth/login", {"email": "x" * 3_000_000}, address=address)

    assert (answer.status, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_nobody_registers_in_production_unless_it_is_switched_on(site, nginx, address):
    body = {"email": "x@example.com", "password": PASSWORD, "full_name": "X", "company_name": "X"}

    answer = through(nginx, "POST", "/api/v1/auth/register", body, address=address)

    assert answer.status == 403
