"""People's names: kept in two parts, given in one or two."""

from crm.core.errors import Invalid

LONGEST_PART = 100


def split_name(full_name: str, *, field: str = "full_name") -> tuple[str, str]:
    """Return first and last name: the first word, and the rest."""
    first, _, last = " ".join(full_name.split()).partition(" ")
    if len(first) > LONGEST_PART or len(last) > LONGEST_PART:
        raise Invalid({field: f"First and last name may have {LONGEST_PART} characters each."})
    return first, last
