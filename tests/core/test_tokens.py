"""Access tokens: only what we signed, for us, as access, and not expired."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from rest_framework_simplejwt.tokens import RefreshToken

from crm.core import clock, tokens
from crm.core.errors import Unauthenticated
from tests.conftest import Tenant, sign_in
from tests.support.clients import ApiClient

KEY = settings.SECRET_KEY


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "token_type": "access",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "org": str(uuid4()),
        "iss": settings.SIMPLE_JWT["ISSUER"],
        "aud": settings.SIMPLE_JWT["AUDIENCE"],
        "iat": now,
        "exp": now + 600,
        "jti": uuid4().hex,
    }
    return {name: value for name, value in (good | changed).items() if value is not ...}


def signed(key: str = KEY, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}."


def by_public_key() -> str:
    """Signed with HMAC over a public key's text, as the swap of RS256 for HS256 does."""
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, body = part({"alg": "HS256", "typ": "JWT"}), part(claims())
    signature = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_private_key() -> str:
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return jwt.encode(claims(), private.decode(), algorithm="RS256")


def tampered() -> str:
    head, _, signature = signed().split(".")
    return f"{head}.{part(claims())}.{signature}"


BAD: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "no alg": lambda: f"{part({'typ': 'JWT'})}.{part(claims())}.",
    "RS256": by_private_key,
    "HS256 over a public key": by_public_key,
    "HS384": lambda: signed(algorithm="HS384"),
    "HS512": lambda: signed(algorithm="HS512"),
    "another key": lambda: signed(key="another-key-of-the-same-length-0123456789"),
    "another body": tampered,
    "signature cut": lambda: signed()[:-4],
    "another issuer": lambda: signed(iss="elsewhere"),
    "no issuer": lambda: signed(iss=...),
    "another audience": lambda: signed(aud="another-api"),
    "no audience": lambda: signed(aud=...),
    "a refresh token": lambda: signed(token_type="refresh"),
    "no type": lambda: signed(token_type=...),
    "the library's refresh token": lambda: str(RefreshToken()),
    "expired": lambda: signed(exp=int(time.time()) - 1),
    "no expiry": lambda: signed(exp=...),
    "no session": lambda: signed(sid=...),
    "no organization": lambda: signed(org=...),
    "no user": lambda: signed(sub=...),
    "a session that is no id": lambda: signed(sid="1"),
    "an organization that is SQL": lambda: signed(org="' OR 1=1"),
    "a user that is a list": lambda: signed(sub="[]"),
    "nothing": lambda: "",
    "a word": lambda: "token",
    "dots": lambda: "..",
    "not ASCII": lambda: "ü.ü.ü",
    "NUL": lambda: "a\0b.c.d",
    "a list for a head": lambda: f"{part([])}.{part(claims())}.x",
    "a long one": lambda: "a" * 100_000,
    "a critical extension": lambda: jwt.encode(claims(), KEY, algorithm="HS256", headers={"crit": ["x"], "x": 1}),
}


def test_what_we_issue_we_read() -> None:
    ids = {"user_id": uuid4(), "session_id": uuid4(), "organization_id": uuid4()}

    raw, expires_at = tokens.issue(**ids, lifetime=timedelta(minutes=15))
    found = tokens.verify(raw)

    assert (found.user_id, found.session_id, found.organization_id) == tuple(ids.values())
    assert abs((expires_at - clock.now()).total_seconds() - 900) < 2
    assert abs(found.expires_at - expires_at.timestamp()) <= 1


def test_the_tests_own_claims_would_be_read() -> None:
    """The control: what is refused below is refused for its one fault."""
    assert tokens.verify(signed()).expires_at > time.time()


@pytest.mark.parametrize("name", BAD)
def test_it_refuses(name: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(BAD[name]())


@pytest.mark.parametrize("surface", ["team", "platform", "storefront"])
@pytest.mark.parametrize("name", [name for name in BAD if name not in {"NUL", "not ASCII", "nothing"}])
def test_over_http_it_answers_401(name: str, surface: str, acme_once: Tenant) -> None:
    path = {"team": "contacts", "platform": "contacts", "storefront": "auth/profile"}[surface]

    answer = ApiClient(surface, shop=acme_once.slug, token=BAD[name]()).get(path)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"].upper() == "UNAUTHENTICATED"


@pytest.fixture(scope="module")
def _one() -> list[Tenant]:
    return []


@pytest.fixture
def acme_once(_one: list[Tenant], organization: Callable[..., Tenant]) -> Tenant:
    if not _one:
        _one.append(organization(roles=("owner",)))
    return _one[0]


def test_a_token_read_before_is_refused_once_it_expires() -> None:
    raw = signed(exp=int(time.time()) + 60)
    tokens.verify(raw)

    with time_machine.travel(time.time() + 61, tick=False), pytest.raises(Unauthenticated, match="expired"):
        tokens.verify(raw)


def test_a_signed_token_of_no_session_is_refused(acme: Tenant) -> None:
    token = signed(sub=str(acme.owner.pk), org=str(acme.id))

    assert ApiClient("team", token=token).get("contacts").status_code == 401


def test_a_session_of_one_organization_opens_no_other(acme: Tenant, other: Tenant) -> None:
    real = tokens.verify(sign_in(acme.owner, "team"))
    forged = signed(sub=str(real.user_id), sid=str(real.session_id), org=str(other.id))

    assert ApiClient("team", token=forged).get("contacts").status_code == 401


@pytest.mark.parametrize("scheme", ["Basic {}", "Token {}", "bearer", "Bearer", "{}", "Bearer {} {}"])
def test_another_scheme_is_no_sign_in(scheme: str, acme: Tenant) -> None:
    token = sign_in(acme.owner, "team")

    answer = ApiClient("team").get("auth/me")
    other = ApiClient("team").request("GET", "auth/me", headers={"Authorization": scheme.format(token, token)})

    assert (answer.status_code, other.status_code) == (401, 401)


def test_secrets_are_long_random_and_stored_as_hashes() -> None:
    made = {tokens.new_secret() for _ in range(1000)}

    assert len(made) == 1000
    assert min(len(secret) for secret in made) >= 43
    assert len(tokens.digest("x")) == 64
    assert tokens.digest("\ud800") != tokens.digest("x")
