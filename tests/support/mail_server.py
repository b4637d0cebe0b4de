"""A local SMTP server that keeps what it receives, and can be told to refuse."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller


class _OnFreePort(Controller):
    """Takes the port that the system gives."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailbox:
    """`with Mailbox() as box`: an SMTP server on a free port; `box.messages` is what it took, oldest first."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusals: list[str] = []  # answers such as "451 Try again later", given one per message
        self._controller = _OnFreePort(self, hostname=self.host, port=0)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        """Return the port the server listens on."""
        return int(self._controller.port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a message, or refuse it as told."""
        if self.refusals:
            return self.refusals.pop(0)
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append(message)  # type: ignore[arg-type]
        return "250 Taken"

    def to(self, address: str) -> list[EmailMessage]:
        """Return what came for an address, oldest first."""
        return [message for message in self.messages if address in str(message["To"])]

    def token_for(self, address: str) -> str:
        """Return the token of the link in the newest message to an address."""
        taken = self.to(address)
        assert taken, f"no mail came for {address}"
        found = re.search(r"[?&]token=([\w-]+)", text_of(taken[-1]))
        assert found, "the message has no link"
        return found[1]


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    body = message.get_body(preferencelist=("plain",))
    assert body is not None
    return str(body.get_content())
