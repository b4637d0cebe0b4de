"""One site for the faults, and the mail server that its mails go to."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.site import Site
from tests.support.mail_server import Mailbox


class SlowMailbox(Mailbox):
    """A mail server that keeps each message at once and says so `delay` seconds later."""

    delay = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message, and wait."""
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.delay)
        return answer

    def ids_for(self, address: str) -> list[str]:
        """Return the Message-IDs of what came for an address."""
        return [str(message["Message-ID"]) for message in self.to(address)]


@pytest.fixture(scope="module")
def letters() -> Iterator[SlowMailbox]:
    """The mail server."""
    with SlowMailbox() as box:
        yield box


@pytest.fixture(scope="module")
def site(letters: SlowMailbox) -> Iterator[Site]:
    """The running product."""
    with Site(letters.port) as site:
        yield site
