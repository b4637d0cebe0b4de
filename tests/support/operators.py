"""Operators who sign in to the admin, and an authenticator app of their own."""

import base64
import hmac
import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.test import Client

from accounts.models import OperatorEvent, User
from crm.core import db
from tests.support.back_office import add_operator

LOGIN = "/admin/login/"
CODE = "/admin/login/code/"
SET_UP_AT_SIGN_IN = "/admin/login/set-up/"
TWO_FACTOR = "/admin/two-factor/"
SET_UP = "/admin/two-factor/set-up/"

_numbers = count(1)


def new_address() -> str:
    """A client address that no other test of this process has."""
    number = next(_numbers)
    return f"100.64.{number // 250}.{number % 250 + 1}"


def code_of(key: str, *, steps: int = 0) -> str:
    """The code that RFC 6238 gives for a key, `steps` half minutes from now; written from the RFC."""
    step = int(datetime.now(UTC).timestamp()) // 30 + steps
    digest = hmac.digest(base64.b32decode(key.replace(" ", "")), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


@dataclass
class Operator:
    """An operator and the browser they sign in with."""

    password: str
    address: str = field(default_factory=new_address)
    email: str = ""
    key: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.email = self.email or add_operator(self.password)
        self.browser = self.another_browser()

    @property
    def user(self) -> User:
        """The stored row."""
        with db.operator("command"):
            return User.objects.select_related("totp").get(email=self.email, organization=None)

    def another_browser(self, address: str = "") -> Client:
        return Client(REMOTE_ADDR=address or self.address)

    def give_password(self, browser: Client | None = None, *, password: str = "", wanted: str = "") -> Any:
        query = f"?next={wanted}" if wanted else ""
        body = {"username": self.email, "password": password or self.password}
        return (browser or self.browser).post(LOGIN + query, body)

    def give_code(self, code: str, browser: Client | None = None, *, wanted: str = "") -> Any:
        query = f"?next={wanted}" if wanted else ""
        return (browser or self.browser).post(CODE + query, {"code": code})

    def code(self, *, steps: int = 0) -> str:
        return code_of(self.key, steps=steps)

    def set_up(self, address: str = SET_UP, **given: Any) -> Any:
        """Go through the set-up in the browser; keep the key and the recovery codes."""
        page = self.browser.get(address).content.decode()
        key, sealed = key_in(page), re.search(r'name="sealed" value="([^"]+)"', page)[1]
        told = {"sealed": sealed, "new_code": code_of(key), "password": self.password} | given
        response = self.browser.post(address, told)
        text = response.content.decode()
        if codes := re.findall(r">((?:[a-z2-7]{4}-){3}[a-z2-7]{4})<", text):
            self.key, self.recovery_codes = key, codes
        return response

    def events(self) -> list[str]:
        """The names of what is kept of this operator, in order."""
        with db.operator("command"):
            return list(OperatorEvent.objects.filter(email=self.email).order_by("id").values_list("name", flat=True))


def switch_off(operator: Operator, **given: str) -> Any:
    """Switch the second factor off by password and code."""
    return operator.browser.post(TWO_FACTOR, {"password": operator.password, "code": operator.code()} | given)


def key_in(page: str) -> str:
    """The key that a set-up page shows."""
    return re.search(r'id="totp-key">([A-Z2-7 ]+)<', page)[1]


def is_inside(browser: Client) -> bool:
    """Whether the browser sees the admin."""
    return browser.get("/admin/").status_code == 200
