"""What each surface calls the built-in roles; stored names are the domain's own, custom roles have one everywhere."""

from collections.abc import Mapping
from types import MappingProxyType

from accounts.permissions import BUILT_IN_ROLES

NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "team": MappingProxyType({}),
        "platform": MappingProxyType({"owner": "tenant_admin", "staff": "sales"}),
        "storefront": MappingProxyType({"owner": "admin", "customer": "user"}),
    }
)
# No custom role may take one of these: it would be mistaken for a built-in one.
RESERVED = frozenset(BUILT_IN_ROLES) | {name for names in NAMES.values() for name in names.values()}


def shown(surface: str, name: str) -> str:
    """Return what the surface calls the role that is stored under this name."""
    return NAMES[surface].get(name, name)


def stored(surface: str, name: str) -> str:
    """Return the stored name of a role that a request names in the surface's way or by its stored name."""
    return next((ours for ours, theirs in NAMES[surface].items() if theirs == name), name)
