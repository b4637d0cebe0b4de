"""What there is to permit, and what the built-in roles hold: data, the same for every organization."""

from collections.abc import Iterable
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID, uuid5

VERBS = ("view", "create", "update", "delete")
RESOURCES = MappingProxyType(
    {
        "organization": "the organization's profile and settings",
        "users": "members of the team",
        "invitations": "invitations to the team",
        "roles": "roles and permissions, and who holds them",
        "companies": "companies (accounts)",
        "contacts": "contacts and customers",
        "pipelines": "pipelines and their stages",
        "deals": "deals (opportunities)",
        "activities": "activities and tasks",
        "products": "products, categories, brands and variants",
        "stock": "stock movements",
        "orders": "orders",
        "shop": "the storefront, its promotions, shipping methods and tax rates",
        "invoices": "invoices",
        "payments": "payments of invoices",
        "conversations": "conversations and messages",
        "templates": "templates",
        "campaigns": "campaigns",
        "reports": "dashboards, reports and analytics",
        "webhooks": "outgoing webhooks",
        "integrations": "integrations with other systems",
        "billing": "the organization's own subscription",
        "system": "system information",
    }
)
NAMED = MappingProxyType(
    {
        "orders:override_price": "Charge another price than the catalogue's",
        "campaigns:send": "Send, pause, resume and cancel campaigns",
        "reports:export": "Export data",
    }
)
NAMESPACE = UUID("5b0c7a52-6d0e-4c56-9c3e-0d6a1f6d7f10")
# Roles hold the permissions that an organization made for itself under this prefix, which no built-in one can have (a
# resource has no dot): what a later release builds in is not held by who held a custom permission of the same code.
CUSTOM = "custom."


def expand_manage(codes: frozenset[str]) -> frozenset[str]:
    """Return the codes with `manage` spread out into the four verbs, and added where all four are held."""
    held = set(codes)
    for code in codes:
        resource, _, action = code.partition(":")
        if action == "manage":
            held.update(f"{resource}:{verb}" for verb in VERBS)
    for resource in {code.partition(":")[0] for code in held}:
        if all(f"{resource}:{verb}" in held for verb in VERBS):
            held.add(f"{resource}:manage")
    return frozenset(held)


def _of(resources: str, *verbs: str) -> frozenset[str]:
    return frozenset(f"{resource}:{verb}" for resource in resources.split() for verb in verbs)


ALL = expand_manage(frozenset(f"{resource}:manage" for resource in RESOURCES) | frozenset(NAMED))
VIEW_ALL = frozenset(f"{resource}:view" for resource in RESOURCES if resource not in {"system", "billing", "roles"})
OWNER_ONLY = _of("users", "create", "update", "delete", "manage") | _of("billing system", *VERBS, "manage")
OWNER_ONLY |= _of("organization pipelines", "delete", "manage")

BUILT_IN_ROLES = MappingProxyType(
    {
        "owner": ALL,
        "manager": ALL - OWNER_ONLY,
        "staff": expand_manage(
            _of("contacts companies deals invoices conversations", "view", "create", "update")
            | _of("activities", *VERBS)
            | _of("orders", "view", "create", "update")
            | _of("templates", "view", "create")
            | _of("campaigns", *VERBS)
            | _of("payments", "view", "create")
            | _of("organization users pipelines products stock shop reports", "view")
            | {"campaigns:send", "reports:export"}
        ),
        "customer_experience": expand_manage(
            VIEW_ALL | _of("orders", "create", "update") | _of("conversations", *VERBS) | _of("roles", *VERBS)
        ),
        "viewer": VIEW_ALL,
        "customer": frozenset(),
    }
)
# Rank, scope, description. Nobody hands out a role of their own rank or above, except owners.
ROLE_STANDING = MappingProxyType(
    {
        "owner": (50, "all", "Full system access"),
        "manager": (40, "all", "Administrative access for business operations"),
        "staff": (30, "own", "Works with own contacts, companies, deals and activities"),
        "customer_experience": (30, "all", "Customer support access"),
        "viewer": (20, "all", "Reads everything, changes nothing"),
        "customer": (10, "own", "Standard authenticated user"),
    }
)
CUSTOM_ROLE_RANK = 15


def built_in_id(code: str) -> UUID:
    """Return the fixed id of a built-in permission."""
    return uuid5(NAMESPACE, code)


def custom_code(code: str) -> str:
    """Return the code under which roles hold a custom permission."""
    return f"{CUSTOM}{code}"


def shown_codes(held: Iterable[str]) -> list[str]:
    """Return held codes as clients see them, in order: a custom one that is built in by now is left out."""
    custom = {code.removeprefix(CUSTOM) for code in held if code.startswith(CUSTOM)}
    return sorted({code for code in held if not code.startswith(CUSTOM)} | (custom - ALL))


def describe(code: str) -> str:
    """Return the sentence that explains a built-in permission."""
    if code in NAMED:
        return NAMED[code]
    resource, _, action = code.partition(":")
    return f"{'Full access' if action == 'manage' else action.capitalize() + ' access'} to {RESOURCES[resource]}"


class PermissionInfo(NamedTuple):
    """A permission as it is listed, whether built in or made by an organization."""

    id: UUID
    name: str
    resource: str
    action: str
    description: str

    @property
    def code(self) -> str:
        """Return `resource:action`, as clients see it."""
        return f"{self.resource}:{self.action}"

    @property
    def held_as(self) -> str:
        """Return the code under which roles and actors hold it."""
        return self.code if self.id in BUILT_IN_PERMITS else custom_code(self.code)


def _permit(code: str) -> PermissionInfo:
    resource, _, action = code.partition(":")
    return PermissionInfo(built_in_id(code), f"{action}_{resource}", resource, action, describe(code))


BUILT_IN_PERMITS = MappingProxyType({permit.id: permit for permit in map(_permit, sorted(ALL))})


@lru_cache(maxsize=1024)
def effective(role_names: tuple[str, ...], custom: tuple[str, ...]) -> frozenset[str]:
    """Return what built-in roles of these names and a custom role's codes add up to, spread out."""
    held = frozenset(custom)
    for name in role_names:
        held |= BUILT_IN_ROLES.get(name, frozenset())
    return expand_manage(held)
