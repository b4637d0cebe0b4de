"""The demo is told in chapters, one an app, in the order of `settings.DEMO_CHAPTERS`; each builds on what is there."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from accounts.models import Organization, User

YEAR = timedelta(days=365)  # what the demo looks back on


@dataclass(frozen=True, slots=True)
class Telling:
    """One run of `seed_demo`: which organization, who works there, where its year ends, and how large it is."""

    organization: Organization
    workers: Sequence[User]
    today: datetime
    options: Mapping[str, Any]
    say: Callable[[str], None]

    @property
    def organization_id(self) -> UUID:
        """Return the id of the organization."""
        return self.organization.pk

    @property
    def seed(self) -> int:
        """Return what makes the invention repeatable."""
        return int(self.options["seed"])


class Chapter(Protocol):
    """A module that invents one app's rows."""

    def add_options(self, parser: ArgumentParser) -> None:
        """Declare the options that say how much to invent."""

    def tell(self, telling: Telling) -> None:
        """Write the rows and their events."""


def chapters() -> Iterator[Chapter]:
    """Yield the chapters in their order."""
    for path in settings.DEMO_CHAPTERS:
        yield import_module(path)
