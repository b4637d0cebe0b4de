"""Web addresses that people type: what a browser opens as a page or shows as a picture, and nothing else."""

import ipaddress
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from crm.core.characters import is_invisible

LONGEST = 2048
LONGEST_HOST = 253  # of DNS
SCHEMES = frozenset({"http", "https"})
# A word with a colon and a number behind it is a host with a port, unless a browser takes the word for one of these.
OTHER_SCHEMES = frozenset(
    {
        *SCHEMES,
        *("javascript", "vbscript", "livescript", "jscript", "mocha", "data", "blob", "file", "filesystem", "about"),
        *("chrome", "resource", "jar", "view-source", "tel", "sms", "smsto", "mms", "mmsto", "callto", "facetime"),
        *("skype", "sip", "sips", "mailto", "geo", "maps", "market", "intent", "whatsapp", "viber", "tg", "magnet"),
        *("bitcoin", "ftp", "ftps", "sftp", "ssh", "telnet", "vnc", "rdp", "smb", "ws", "wss", "news", "nntp", "irc"),
        *("ldap", "ldaps", "gopher", "feed", "urn", "cid", "mid", "search-ms", "ms-word", "ms-excel", "itms"),
    }
)


def web_address(text: str) -> None:
    """Raise Django's ValidationError unless the text is a web address.

    That is `http://` or `https://` with a host, or without a scheme a host (`example.com/page`, `host:8000`).
    """
    if not _is_web_address(text):
        raise ValidationError("Enter a web address, such as https://example.com/page.", code="invalid")


def _is_web_address(text: str) -> bool:
    if len(text) > LONGEST or "\\" in text or any(map(is_invisible, text)):
        return False
    scheme, _, rest = text.partition("://")
    has_scheme = bool(rest) and scheme.lower() in SCHEMES
    try:
        parts = urlsplit(text if has_scheme else f"https://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or parts.netloc.endswith(":") or port == 0 or not _is_host(host):
        return False
    return has_scheme or _stands_alone(host, has_port=port is not None)


def _stands_alone(host: str, *, has_port: bool) -> bool:
    """Tell whether a host without a scheme before it is one, and no mere word and no other scheme."""
    if has_port and host.lower() in OTHER_SCHEMES:
        return False
    return has_port or host.lower() == "localhost" or "." in host or ":" in host


def _is_host(host: str) -> bool:
    """Tell whether a text is an IP address or a name that DNS can hold."""
    if not host or len(host) > LONGEST_HOST:
        return False
    if ":" in host:
        return _is_ip(host)
    try:
        labels = host.encode("idna").decode("ascii").removesuffix(".").split(".")
    except UnicodeError:
        return False
    if labels[-1].isdigit():  # a browser takes such a name for an IP address
        return _is_ip(host)
    return all(map(_is_label, labels))


def _is_label(label: str) -> bool:
    return label.replace("-", "").replace("_", "").isalnum() and not (label.startswith("-") or label.endswith("-"))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
