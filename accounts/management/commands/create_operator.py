"""`manage.py create_operator`: somebody who works in the admin, across organizations."""

import getpass
import sys
import warnings
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.services import registration
from crm.core.db import operator
from crm.core.errors import DomainError


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
            password = options["password"] or _asked()
        try:
            with operator("command"):
                made = registration.add_operator(email=options["email"], password=password)
        except DomainError as refusal:
            raise CommandError("\n".join(refusal.details.values()) or refusal.message) from refusal
        self.stdout.write(f"Operator: {made.email}")
        if settings.ADMIN_TOTP == "required":
            self.stdout.write("The first sign-in leads to the set-up of two-factor authentication.")
        else:
            page = f"{settings.PUBLIC_URL}{reverse('admin:two_factor')}"
            self.stdout.write(f"Two-factor authentication is switched on at {page}")


def _asked() -> str:
    """Ask on the terminal; without one, say how else to give the password."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would read what everybody sees
            return getpass.getpass()
    except (EOFError, getpass.GetPassWarning) as error:
        raise CommandError("There is no terminal to ask for the password: give it by --password-stdin.") from error
