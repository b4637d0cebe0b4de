"""Request bodies, read by the event loop before a thread is taken: whole, and bounded in size, time and memory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import RequestDataTooBig
from granian.rsgi import HTTPProtocol

from crm.core.errors import Malformed, TimedOut, Unavailable

# A body of this size is always taken; larger ones share the memory for bodies.
SMALL = 64 * 1024
# A client that sends all of a body before it looks for the answer should find one: what is too large, but not larger
# than this many times what is allowed, is read and thrown away.
READ_ALONG = 4
# Each piece of a chunked body costs the event loop a turn.
MOST_CHUNKS = 10_000


class Bodies:
    """Reads bodies of at most `most` bytes that are there after `seconds`, in `memory` bytes altogether."""

    def __init__(self, *, most: int, seconds: float, memory: int) -> None:
        self.most = most
        self.seconds = seconds
        self.memory = memory
        self.held = 0

    @contextmanager
    def room(self, headers: Any) -> Iterator[None]:
        """Set aside the memory for a request's body while it is read and worked on, or raise `Unavailable`."""
        length = headers.get("content-length")
        size = min(int(length), self.most) if length else self.most
        if size <= SMALL:
            yield
            return
        if self.held + size > self.memory:
            raise Unavailable("Too many large requests at once.")
        self.held += size
        try:
            yield
        finally:
            self.held -= size

    async def read(self, headers: Any, proto: HTTPProtocol) -> bytes:
        """Return the body; a refusal is raised.

        `ProtocolClosed` where the client has gone.
        """
        length = headers.get("content-length")
        if length and int(length) > self.most and ("expect" in headers or int(length) > self.most * READ_ALONG):
            raise RequestDataTooBig
        try:
            async with asyncio.timeout(self.seconds):
                if length and int(length) <= self.most:
                    return await proto()
                return await self._collect(proto)
        except TimeoutError:
            raise TimedOut from None

    async def _collect(self, proto: HTTPProtocol) -> bytes:
        """Read a body whose length is unknown, or known to be too large."""
        chunks: list[bytes] = []
        size = ends = number = 0
        async for chunk in proto:
            number += 1
            ends += not chunk
            size += len(chunk)
            if size <= self.most and number <= MOST_CHUNKS:
                chunks.append(chunk)
            elif size > self.most * READ_ALONG or number > MOST_CHUNKS:
                raise RequestDataTooBig
        if size > self.most:
            raise RequestDataTooBig
        # The end is one empty chunk; one that comes before it stands for an error, or for trailers.
        if ends > 1:
            raise Malformed("The request's body is incomplete.")
        return b"".join(chunks)


def has_body(headers: Any) -> bool:
    """Tell whether a request announces a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
