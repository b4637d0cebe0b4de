"""Secrets that must be read again: encrypted at rest under a key derived from `SECRET_KEY` for one purpose each."""

import base64
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """Not sealed under this `SECRET_KEY` for this purpose, or too old."""


def seal(secret: bytes, purpose: str) -> str:
    """Return the secret encrypted and authenticated, as text; only the same purpose opens it."""
    return _fernet(purpose).encrypt(secret).decode()


def unseal(sealed: str, purpose: str, *, max_age: timedelta | None = None) -> bytes:
    """Return what was sealed for the purpose, at most `max_age` ago; raise `Unreadable` otherwise."""
    try:
        return _fernet(purpose).decrypt(sealed.encode(), ttl=int(max_age.total_seconds()) if max_age else None)
    except (InvalidToken, UnicodeError) as error:
        raise Unreadable from error


def _fernet(purpose: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
