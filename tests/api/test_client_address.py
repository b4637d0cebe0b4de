"""The client's address survives whatever proxies and clients write, and is taken from where it was declared alone."""

from ipaddress import ip_address

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Session
from crm.api.client_address import UNKNOWN, client_address
from tests.conftest import PASSWORD
from tests.support.clients import ApiClient, codes

PEER = "203.0.113.7"
UNREADABLE = [
    "",
    " ",
    ",",
    "unknown",
    "_hidden",
    "x",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.4:x",
    "1.2.3.4:123456",
    "[::1",
    "::1]:80",
    "[]",
    "[::1]443",
    "fe80::%",
    "2001:db8:::1",
    "1.2.3.4 5.6.7.8",
    "1.2.3.4;5.6.7.8",
    "for=1.2.3.4",
    "unix:",
    "1.2.3.4\\",
    "1.2.3.4\x00",
    "１.2.3.4",
    "9" * 5000,
]
READABLE = {
    "1.2.3.4": "1.2.3.4",
    " 1.2.3.4\t": "1.2.3.4",
    "1.2.3.4:99": "1.2.3.4",
    "[::1]:443": "::1",
    "[::1]": "::1",
    "::1": "::1",
    '"[2001:db8::1]:80"': "2001:db8::1",
    '"1.2.3.4"': "1.2.3.4",
    "2001:DB8:0:0:0:0:0:1": "2001:db8::1",
    "::ffff:1.2.3.4": "1.2.3.4",
    "[::ffff:102:304]:8080": "1.2.3.4",
    "fe80::1%eth0": "fe80::1",
    "[fe80::1%25eth0]:80": "fe80::1",
}


def address_of(peer=PEER, **headers):
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.fixture
def behind(settings):
    """Declare so many proxies, and the header that names the client's address."""

    def declare(proxies=1, header=""):
        settings.TRUSTED_PROXIES, settings.CLIENT_ADDRESS_HEADER = proxies, header

    declare()
    return declare


@pytest.mark.parametrize(("written", "meant"), READABLE.items())
def test_an_address_is_read_in_every_form_that_proxies_write(behind, written, meant):
    assert address_of(**{"X-Forwarded-For": written}) == meant
    assert address_of(**{"X-Forwarded-For": f"6.6.6.6, {written}"}) == meant


@pytest.mark.parametrize("written", UNREADABLE)
def test_what_cannot_be_read_leaves_the_peer(behind, written):
    assert address_of(**{"X-Forwarded-For": written}) == PEER
    assert address_of(**{"X-Forwarded-For": f"6.6.6.6, {written}"}) == PEER


@pytest.mark.parametrize("written", [*UNREADABLE, *READABLE])
def test_every_form_signs_in_and_leaves_a_valid_address(behind, limits, acme, written):
    limits.RATE_LIMIT_AUTH = (1000, 300)
    client = ApiClient("platform", address="198.51.100.9")
    headers = {"X-Forwarded-For": written}

    wrong = client.post("auth/login", {"email": acme.owner.email, "password": "not it"}, headers=headers)
    right = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD}, headers=headers)

    assert codes(wrong) == (401, "UNAUTHENTICATED")
    assert right.status_code == 200, right.content
    with acme.inside():
        session = Session.objects.of(acme.id).latest("created_at")
    assert session.address == READABLE.get(written, "198.51.100.9")


def test_so_many_proxies_are_counted_from_the_right(behind):
    chain = {"X-Forwarded-For": "6.6.6.6, 192.0.2.1, 192.0.2.2"}

    assert address_of(**chain) == "192.0.2.2"
    behind(2)
    assert address_of(**chain) == "192.0.2.1"
    behind(4)
    assert address_of(**chain) == PEER
    behind(0)
    assert address_of(**chain) == PEER


def test_an_empty_part_moves_nothing_into_a_trusted_place(behind):
    """A proxy that knows no address writes none; what the client wrote stands to the left of it."""
    assert address_of(**{"X-Forwarded-For": "6.6.6.6, "}) == PEER
    behind(2)
    assert address_of(**{"X-Forwarded-For": "6.6.6.6, , 192.0.2.2"}) == PEER


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_named_header_counts_alone(behind, proxies):
    behind(proxies, "HTTP_X_REAL_IP")
    forwarded = {"X-Forwarded-For": "6.6.6.6, 6.6.6.7"}

    assert address_of(**forwarded, **{"X-Real-IP": "[2001:db8::5]:443"}) == "2001:db8::5"
    assert address_of(**forwarded, **{"X-Real-IP": "6.6.6.6, 192.0.2.1"}) == PEER
    assert address_of(**forwarded, **{"X-Real-IP": "unknown"}) == PEER
    assert address_of(**forwarded) == PEER


@pytest.mark.parametrize(
    ("peer", "meant"), [("", UNKNOWN), ("unix:/run/crm", UNKNOWN), ("::ffff:10.0.0.1", "10.0.0.1")]
)
def test_the_peer_is_canonical_too(behind, peer, meant):
    behind(0)

    assert address_of(peer) == meant


@given(st.text(max_size=60), st.integers(0, 3))
def test_whatever_comes_an_address_goes_out(text, proxies):
    from django.test import override_settings

    with override_settings(TRUSTED_PROXIES=proxies, CLIENT_ADDRESS_HEADER=""):
        found = client_address(RequestFactory().get("/", REMOTE_ADDR=text, HTTP_X_FORWARDED_FOR=text))

    assert str(ip_address(found)) == found
    assert "%" not in found
