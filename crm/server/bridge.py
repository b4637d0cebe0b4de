"""From granian's RSGI to a WSGI application: bodies by the event loop, the application in a few threads.

Who sends slowly or reads slowly costs a connection, not a thread. The answer is handed over whole.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from typing import Any

from granian.rsgi import HTTPProtocol, ProtocolClosed

from crm.core.errors import Unavailable
from crm.server.bodies import Bodies, has_body
from crm.server.environ import environ_of
from crm.server.listeners import drop_stalled_readers
from crm.server.threads import Threads

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Any]


class Bridge:
    """An RSGI application that answers with `wsgi`, whose threads are `threads` and whose bodies `bodies` reads.

    A reader who takes nothing of an answer for `reader_seconds` is dropped.
    """

    def __init__(self, wsgi: Wsgi, *, threads: Threads, bodies: Bodies, reader_seconds: float) -> None:
        self.wsgi = wsgi
        self.threads = threads
        self.bodies = bodies
        self.reader_seconds = reader_seconds

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with the event loop; the worker listens by the time that it runs."""
        self.loop = loop
        loop.call_soon(drop_stalled_readers, self.reader_seconds)

    async def __rsgi__(self, scope: Any, proto: HTTPProtocol) -> None:
        """Answer one request."""
        if not has_body(scope.headers):
            await self._answer(scope, proto)
            return
        try:
            with self.bodies.room(scope.headers):
                body = await self.bodies.read(scope.headers, proto)
                await self._answer(scope, proto, body)
        except ProtocolClosed:
            log.debug("A client went away before its request was complete")
        except Exception as error:  # noqa: BLE001 - the application turns it into an answer
            self._refuse(scope, proto, error)

    async def _answer(self, scope: Any, proto: HTTPProtocol, body: bytes = b"") -> None:
        """Answer in a thread, and wait for it."""
        done = self.loop.create_future()

        def work() -> None:
            try:
                self._respond(proto, environ_of(scope, body))
            except BaseException:
                log.exception("The application failed")
                proto.response_empty(500, [])
            self.loop.call_soon_threadsafe(_settle, done)

        if self.threads.start(work):
            await done
        else:
            self._refuse(scope, proto, Unavailable("Too many requests at once."))

    def _refuse(self, scope: Any, proto: HTTPProtocol, refusal: Exception) -> None:
        """Answer with an error. Not in a thread: it asks nothing of others and must not wait."""
        log.info("Refused before it was worked on: %s %s: %r", scope.method, scope.path, refusal)
        # Without its frames, which refer to the connection: it is closed once nothing does.
        self._respond(proto, environ_of(scope, refusal=refusal.with_traceback(None)))

    def _respond(self, proto: HTTPProtocol, environ: Environ) -> None:
        """Call the application in a context of its own, as nothing of one request may be left for the next."""
        status, headers, body = contextvars.Context().run(self._call, environ)
        proto.response_bytes(status, headers, body)

    def _call(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        begun: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            begun.append((int(status[:3]), headers))

        answer = self.wsgi(environ, start_response)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return (*begun[-1], body)


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
