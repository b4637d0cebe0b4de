"""Changes in words that people read: `Phone changed from … to …`."""

from collections.abc import Mapping
from typing import Any

LONG = frozenset({"notes", "description", "custom_fields", "address"})  # said to have changed, without from and to
NAMES = {
    "email": "E-mail",
    "company_id": "Company",
    "contact_id": "Contact",
    "owner_id": "Owner",
    "due_at": "Due",
}
SPOKEN_VALUES = frozenset({"lifecycle_stage", "lead_status", "status"})
LONGEST = 120

Changes = Mapping[str, Mapping[str, Any]]


def sentences(changes: Changes, display_values: Mapping[str, tuple[str, str]]) -> str:
    """Return one line for each change; `display_values` gives from and to where the stored values are ids or units."""
    return "\n".join(_sentence(field, change, display_values.get(field)) for field, change in changes.items())


def _sentence(field: str, change: Mapping[str, Any], display_values: tuple[str, str] | None) -> str:
    label = NAMES.get(field) or field.replace("_", " ").capitalize()
    if field in LONG:
        return f"{label} changed"
    before, after = display_values or (_said(field, change["from"]), _said(field, change["to"]))
    if not before:
        return f"{label} set to {after}"
    if not after:
        return f"{label} removed (was {before})"
    return f"{label} changed from {before} to {after}"


def _said(field: str, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = str(value).replace("_", " ") if field in SPOKEN_VALUES else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
