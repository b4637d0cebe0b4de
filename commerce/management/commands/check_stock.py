"""`manage.py check_stock`: whether every balance is what its ledger says."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from commerce.services import stock
from crm.core.db import operator, tenant


class Command(BaseCommand):
    """Recompute every stock balance from its movements; the exit status is 1 where any differs."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--organization", metavar="SLUG", help="default: all")

    def handle(self, **options: Any) -> None:
        """Print what differs."""
        slug = options["organization"]
        with operator("command"):
            organizations = list(Organization.objects.filter(**{"slug": slug} if slug else {}).order_by("slug"))
        if slug and not organizations:
            raise CommandError(f"There is no organization {slug!r}.")
        wrong = sum(self._check(organization) for organization in organizations)
        if wrong:
            raise CommandError(f"{wrong} balances differ from their ledger.")
        self.stdout.write("Every balance is the sum of its movements.")

    def _check(self, organization: Organization) -> int:
        with tenant(organization.pk):
            found = stock.differences(organization.pk)
        for item, summed in found:
            self.stdout.write(
                f"{organization.slug}: stock item {item.pk} has {item.quantity}, its movements say {summed}"
            )
        return len(found)
