"""`manage.py seed_demo`: an organization that looks like a company's, as small or large as one asks for."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from contacts.demo import founding
from contacts.demo.invention import Invention
from contacts.demo.loading import Loader
from crm.core import clock

DEFAULT_CONTACTS = 400
TELLING = 2000  # contacts with a whole year of events; of a large organization the newest
SIGN_INS = "demo.json"  # `make demo` prints what it says


class Command(BaseCommand):
    """Makes the demo organization, or fills another one with invented companies, contacts and events."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--organization", metavar="SLUG", default=founding.SLUG, help="default: %(default)s")
        parser.add_argument("--contacts", type=int, default=DEFAULT_CONTACTS, help="how many (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed invents the same people")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where the organization exists already")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        slug, count = options["organization"], options["contacts"]
        organization = founding.find_organization(slug)
        if organization is not None and options["if_empty"]:
            self.stdout.write(f"{organization.name} is there already.")
            return
        began = time.monotonic()
        sign_ins: list[founding.SignIn] = []
        if organization is None:
            organization, sign_ins = founding.found_organization(slug)
            self.stdout.write(f"Made {organization.name}.")
        owners = founding.workers(organization)
        invention = Invention(options["seed"], contacts=count, owners=len(owners), today=clock.now())

        def progress(loaded: int) -> None:
            self.stdout.write(f"{loaded:,} of {count:,} contacts, {time.monotonic() - began:.1f} s")

        Loader(organization.pk, owners, invention).load(telling=TELLING, progress=progress)
        if sign_ins and slug == founding.SLUG:
            self._keep(slug, [asdict(sign_in) for sign_in in sign_ins])
        for sign_in in sign_ins:
            self.stdout.write(f"{sign_in.role:<10} {sign_in.email:<28} {sign_in.password}")

    def _keep(self, slug: str, sign_ins: list[dict[str, str]]) -> None:
        settings.CRM_DATA_DIR.mkdir(parents=True, exist_ok=True)
        path = settings.CRM_DATA_DIR / SIGN_INS
        path.write_text(json.dumps({"organization": slug, "sign_ins": sign_ins}, indent=2) + "\n")
