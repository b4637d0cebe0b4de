"""Identifiers: UUIDv7, so that primary keys grow with time and stay local in the index."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """Return a UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, 12 of sub-millisecond, 62 random."""
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80
    value |= 0x7000 << 64 | fraction << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)
