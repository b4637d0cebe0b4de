"""`manage.py create_owner`: an organization and its owner, where nobody may register."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import registration
from crm.core.db import operator
from crm.core.errors import DomainError


class Command(BaseCommand):
    """Make an organization and its owner."""

    help = (
        "Make an organization with its owner. Without a password the owner is mailed a link to set one, "
        "which is printed too; it works once, within an hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take who and what; a password comes as an argument or, unseen by process lists, on standard input."""
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--email", required=True)
        parser.add_argument("--slug", default="", help="default: made from the name")
        parser.add_argument("--name", default="", dest="full_name", help="the owner's name")
        password = parser.add_mutually_exclusive_group()
        password.add_argument("--password")
        password.add_argument("--password-stdin", action="store_true", help="read the password's line from stdin")

    def handle(self, **options: Any) -> None:
        """Make them and say what was made."""
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else options["password"]
        try:
            with operator("command"):
                founded = registration.create_organization_with_owner(
                    name=options["organization"],
                    email=options["email"],
                    slug=options["slug"],
                    full_name=options["full_name"],
                    password=password,
                )
        except DomainError as refusal:
            raise CommandError("\n".join(refusal.details.values()) or refusal.message) from refusal
        self.stdout.write(f"Organization: {founded.organization.name} ({founded.organization.slug})")
        self.stdout.write(f"Owner: {founded.owner.email}")
        if founded.password_link:
            self.stdout.write(f"Set the password within an hour: {founded.password_link}")
