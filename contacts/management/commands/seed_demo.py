"""`manage.py seed_demo`: an organization that looks like a company's, as small or large as one asks for."""

import json
import os
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contacts.demo import founding
from contacts.demo.chapters import Telling, chapters
from crm.core import clock

SIGN_INS = "demo.json"  # `make demo` prints what it says


class Command(BaseCommand):
    """Makes the demo organization, or fills another one, with a year of invented business."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options, those of the chapters among them."""
        parser.add_argument("--organization", metavar="SLUG", default=founding.SLUG, help="default: %(default)s")
        parser.add_argument("--seed", type=int, default=1, help="the same seed invents the same world")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where the organization exists already")
        for chapter in chapters():
            chapter.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        if settings.IS_PRODUCTION:
            raise CommandError(
                "seed_demo does not run in production: its people sign in with passwords that are published. "
                "Use CRM_ENV=demo or development with a database of its own; "
                "create_owner makes an organization for real."
            )
        slug = options["organization"]
        organization = founding.find_organization(slug)
        if organization is not None and options["if_empty"]:
            self.stdout.write(f"{organization.name} is there already.")
            return
        sign_ins: list[founding.SignIn] = []
        if organization is None:
            organization, sign_ins = founding.create_organization(slug)
            self.stdout.write(f"Made {organization.name}.")
        telling = Telling(organization, founding.workers(organization), clock.now(), options, self.stdout.write)
        for chapter in chapters():
            chapter.tell(telling)
        if sign_ins and slug == founding.SLUG:
            self._keep(slug, [asdict(sign_in) for sign_in in sign_ins])
        for sign_in in sign_ins:
            self.stdout.write(f"{sign_in.role:<10} {sign_in.email:<28} {sign_in.password}")

    def _keep(self, slug: str, sign_ins: list[dict[str, str]]) -> None:
        settings.CRM_DATA_DIR.mkdir(parents=True, exist_ok=True)
        path = settings.CRM_DATA_DIR / SIGN_INS
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps({"organization": slug, "sign_ins": sign_ins}, indent=2) + "\n")
