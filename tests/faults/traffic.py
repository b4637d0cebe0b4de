"""Steady requests from several clients at once, and a log of every answer."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Self
from uuid import uuid4

from tests.faults.site import Site, SiteClient, now

PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Answer:
    """One request and what came back; status 0, and why, where nothing did."""

    path: str
    began: float
    ended: float
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.ended - self.began

    @property
    def is_write(self) -> bool:
        """Tell whether it made a contact."""
        return self.path.endswith("/contacts")

    @property
    def made(self) -> str:
        """Return the id of the contact that an acknowledged write made."""
        found = json.loads(self.body)
        return str(found.get("data", found)["id"])


@dataclass
class Traffic:
    """`with Traffic(site) as traffic`: two writers and a reader until the block ends."""

    site: Site
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        shop = f"/shop/{self.site.slug()}/api/v1/auth/profile"
        routes = [("POST", "/api/contacts"), ("POST", "/api/v1/contacts"), ("GET", shop)]
        self._threads = [
            threading.Thread(target=self._run, args=(self.site.client(), *route), daemon=True) for route in routes
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, client: SiteClient, method: str, path: str) -> None:
        name = "firstName" if path == "/api/contacts" else "first_name"
        while not self._stop.is_set():
            body = {name: uuid4().hex} if method == "POST" else None
            began, status, headers, content = now(), 0, {}, b""
            try:
                status, headers, content = client.send(method, path, body)
            except (OSError, HTTPException) as error:
                content = repr(error).encode()
            self.answers.append(Answer(path, began, now(), status, headers, content))
            time.sleep(PAUSE_SECONDS)

    def since(self, moment: float) -> list[Answer]:
        """Return the answers to requests begun since a moment, in that order."""
        return sorted((answer for answer in self.answers if answer.began >= moment), key=lambda answer: answer.began)


def p95(answers: list[Answer]) -> float:
    """Return the time that 95 of 100 answers took at most."""
    times = sorted(answer.seconds for answer in answers)
    return times[int(len(times) * 0.95)]
