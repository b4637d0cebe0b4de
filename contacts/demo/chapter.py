"""The first chapter: companies, the people who work there, and what happened with them."""

import time
from argparse import ArgumentParser

from contacts.demo.chapters import Telling
from contacts.demo.invention import Invention
from contacts.demo.loading import Loader

DEFAULT = 400
TOLD = 2000  # contacts with a whole year of events; of a large organization the newest


def add_options(parser: ArgumentParser) -> None:
    """Declare `--contacts`."""
    parser.add_argument("--contacts", type=int, default=DEFAULT, help="how many (default: %(default)s)")


def tell(telling: Telling) -> None:
    """Write companies, contacts and their timelines."""
    began, count = time.monotonic(), telling.options["contacts"]
    invention = Invention(telling.seed, contacts=count, owners=len(telling.workers), today=telling.today)

    def progress(loaded: int) -> None:
        telling.say(f"{loaded:,} of {count:,} contacts, {time.monotonic() - began:.1f} s")

    Loader(telling.organization_id, telling.workers, invention).load(telling=TOLD, progress=progress)
