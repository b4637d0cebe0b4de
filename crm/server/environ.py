"""The WSGI environment of a request (PEP 3333), from its RSGI scope."""

import sys
from io import BytesIO
from typing import Any

from crm.core.errors import Malformed

# Where the environment keeps the exception with which the application is to answer, whatever was asked.
REFUSAL = "crm.refusal"

# granian hands on ASCII values alone. Without these a request is the same; another one without its value would not be.
DESCRIPTIVE = frozenset({"user-agent", "referer"})
MOST_NAMES = 1000
ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_keys = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: Any, body: bytes = b"", refusal: Exception | None = None) -> dict[str, Any]:
    """Return the environment of a request whose whole body is there, or which is refused."""
    server, _, port = scope.server.rpartition(":")
    environ = ALWAYS | {
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _octets(scope.path),
        "QUERY_STRING": _octets(scope.query_string),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
    }
    unread = _add_headers(environ, scope.headers)
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or body:
        environ["CONTENT_LENGTH"] = str(len(body))
    if refusal is None and unread:
        refusal = Malformed(f"Characters outside ASCII in the header {min(unread)}.")
    if refusal is not None:
        environ[REFUSAL] = refusal
    return environ


def _add_headers(environ: dict[str, Any], headers: Any) -> set[str]:
    """Add the headers, repeated ones as one; return the names of those whose value cannot be read.

    A name with an underscore is left out: it would take the place of the name with a hyphen, such as the proxy's own
    X-Forwarded-For.
    """
    names = set()
    for name, value in headers.items():
        names.add(name)
        if "_" in name:
            continue
        key = _keys.get(name) or _key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return set() if len(headers) == len(names) else set(headers.keys()) - names - DESCRIPTIVE


def _key(name: str) -> str:
    key = f"HTTP_{name.upper().replace('-', '_')}"
    if len(_keys) < MOST_NAMES:
        _keys[name] = key
    return key


def _octets(text: str) -> str:
    """Return text as WSGI wants it: each character stands for a byte."""
    return text if text.isascii() else text.encode().decode("latin-1")
