"""Writes the OpenAPI documents to `docs/openapi`, or checks that they are up to date."""

import difflib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.api.documents import SURFACES, text_of

DIRECTORY = Path(settings.BASE_DIR) / "docs" / "openapi"
SHOWN_LINES = 40


class Command(BaseCommand):
    """`export_schemas [--check]`."""

    help = "Write docs/openapi/{team,platform,storefront}.json; --check only tells whether they are up to date."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--check`."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare."""
        stale = []
        for name in SURFACES:
            file, text = DIRECTORY / f"{name}.json", text_of(name)
            stored = file.read_bytes() if file.exists() else b""
            if stored == text:
                continue
            if options["check"]:
                stale.append(f"{file.relative_to(settings.BASE_DIR)} is stale:\n{_difference(stored, text)}")
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text)
                self.stdout.write(f"wrote {file.relative_to(settings.BASE_DIR)}")
        if stale:
            raise CommandError("\n".join([*stale, "Run `make schemas` and commit the result."]))


def _difference(stored: bytes, text: bytes) -> str:
    lines = difflib.unified_diff(stored.decode().splitlines(), text.decode().splitlines(), "stored", "now", "", "", 1)
    return "\n".join([line for line, _ in zip(lines, range(SHOWN_LINES), strict=False)])
