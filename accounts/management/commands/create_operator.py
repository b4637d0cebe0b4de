"""`manage.py create_operator`: somebody who works in the admin, across organizations."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import owners
from crm.core.errors import DomainError
from crm.core.tenancy import operator


class Command(BaseCommand):
    """Make a platform operator."""

    help = "Make a platform operator, who signs in to /admin and belongs to no organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address; the password is asked for unless it is given."""
        parser.add_argument("--email", required=True)
        password = parser.add_mutually_exclusive_group()
        password.add_argument("--password")
        password.add_argument("--password-stdin", action="store_true", help="read the password's line from stdin")

    def handle(self, **options: Any) -> None:
        """Make one and say so."""
        if options["password_stdin"]:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = options["password"] or getpass.getpass()
        try:
            with operator("command"):
                made = owners.add_operator(email=options["email"], password=password)
        except DomainError as refusal:
            raise CommandError("\n".join(refusal.details.values()) or refusal.message) from refusal
        self.stdout.write(f"Operator: {made.email}")
