"""`manage.py reset_operator_totp`: for an operator who has lost the device and the recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import registration
from crm.core.db import operator
from crm.core.errors import DomainError


class Command(BaseCommand):
    """Switch an operator's second factor off."""

    help = "Switch an operator's two-factor authentication off and end their sessions. Ask who they are first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the operator's address."""
        parser.add_argument("--email", required=True)

    def handle(self, **options: Any) -> None:
        """Switch it off and say so."""
        try:
            with operator("command"):
                had_one = registration.reset_totp(email=options["email"])
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write("Two-factor authentication is off." if had_one else "It was off already.")
