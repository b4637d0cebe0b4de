"""The client's IP address, read from what the server and the declared proxies say, whatever form they write it in."""

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - a stand-in for "unknown", nothing binds to it
# An address with a port: 192.0.2.1:99, [2001:db8::1]:443, [2001:db8::1].
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")
_LONGEST = 100


def client_address(request: HttpRequest) -> str:
    """Return the client's address in its canonical form.

    The header that `CLIENT_ADDRESS_HEADER` names counts alone where it is set; else `X-Forwarded-For`, from the right,
    behind `TRUSTED_PROXIES` proxies. What cannot be read leaves the address of the peer.
    """
    peer = _canonical(request.META.get("REMOTE_ADDR") or "") or UNKNOWN
    header = settings.CLIENT_ADDRESS_HEADER
    if header:
        return _canonical(request.META.get(header, "")) or peer
    hops = settings.TRUSTED_PROXIES
    if not hops:
        return peer
    # Empty parts count as hops: without them, what the client itself wrote would move to a trusted place.
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", hops)
    return (_canonical(chain[-hops]) if len(chain) >= hops else "") or peer


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    """Return an address without port, brackets, quotes and zone, IPv4 where it is mapped; empty if it is none."""
    if len(text) > _LONGEST:
        return ""
    text = text.strip().strip('"')
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address)))  # the number alone has no zone
    return str(address)
