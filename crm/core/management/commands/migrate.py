"""`manage.py migrate`, as the role that owns the tables."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Migrate on the alias `owner` unless another is asked for."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Change one default."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> Any:
        """Run Django's own command."""
        return super().handle(*args, **options)
