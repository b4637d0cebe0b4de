"""Pages and orderings of lists, as a surface's query parameters name them."""

from collections.abc import Mapping, Sequence

from crm.api.surfaces import Surface
from crm.core.errors import Invalid

LARGEST_PAGE = 2**53 - 1  # every JSON reader knows it exactly; no list is that long


def page_of(query: Mapping[str, str], surface: Surface) -> tuple[int, int]:
    """Return page number and size; a size over the largest is clamped, a bad value is `Invalid`."""
    parameters = surface.pages
    size = parameters.default
    for name in parameters.size:
        if query.get(name, "") != "":
            size = min(_positive(query, name), parameters.largest)
            break
    return _positive(query, parameters.number, default=1), size


def _positive(query: Mapping[str, str], name: str, default: int = 0) -> int:
    raw = query.get(name, "")
    if raw == "" and default:
        return default
    if not (raw.isascii() and raw.isdigit() and (number := int(raw[:20])) > 0):
        raise Invalid({name: "Enter a whole number from 1."})
    return min(number, LARGEST_PAGE)


def ordering_of(
    query: Mapping[str, str], surface: Surface, fields: Mapping[str, str], default: Sequence[str]
) -> Sequence[str]:
    """Return the columns to order by: `sort` names one (`-name` for descending), `order` may turn it."""
    sort, direction = query.get("sort", ""), query.get("order", "")
    if direction not in {"", "asc", "desc"}:
        raise Invalid({"order": "Choose asc or desc."})
    if not sort:
        return default if direction != "asc" else [name.removeprefix("-") for name in default]
    names = {surface.key(name): column for name, column in fields.items()}
    column = names.get(sort.removeprefix("-"))
    if column is None:
        raise Invalid({"sort": f"Choose one of: {', '.join(names)}."})
    sign = "-" if sort.startswith("-") or direction == "desc" else ""
    return (f"{sign}{column}", f"{sign}id")
