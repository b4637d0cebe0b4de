"""`manage.py send_reminders`: the daily e-mails, by hand or just to see."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from crm.core.db import tenant
from sales import mails
from sales.services import daily_reminders


class Command(BaseCommand):
    """Sends the reminders that are due now, as beat does every few minutes."""

    help = "Mail everybody whose 8:00 has come and who has something due, once a day each; twice in a row does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--dry-run", action="store_true", help="only tell who would get what")

    def handle(self, **options: Any) -> None:
        """Send, or tell."""
        if not options["dry_run"]:
            self.stdout.write(f"{daily_reminders.send()} reminders put into the outbox.")
            return
        waiting = daily_reminders.waiting()
        for reminder in waiting:
            self._tell(reminder)
        self.stdout.write(f"{len(waiting)} people would be reminded.")

    def _tell(self, reminder: daily_reminders.DueReminder) -> None:
        with tenant(reminder.organization_id):
            users = User.objects.of(reminder.organization_id).select_related("organization")
            user = users.get(pk=reminder.user_id)
            parts = mails.agenda_of(user)
        self.stdout.write(f"{user.organization.slug} {user.email} {reminder.day}: {mails.summary(parts)}")
        for part in parts:
            for words, _ in part.lines:
                self.stdout.write(f"  {part.heading}: {words}")
            if part.more:
                self.stdout.write(f"  {part.more}")
