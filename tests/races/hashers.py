"""The real hasher, which counts how often it is reached."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

_lock = threading.Lock()
reached: list[str] = []


class CountingHasher(Argon2PasswordHasher):
    """Argon2, counted."""

    def encode(self, password, salt):
        """Hash, and count it."""
        with _lock:
            reached.append("encode")
        return super().encode(password, salt)

    def verify(self, password, encoded):
        """Compare, and count it."""
        with _lock:
            reached.append("verify")
        return super().verify(password, encoded)
