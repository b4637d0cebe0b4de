"""Who gets in where: the table that every route must stand in. A resource of the usual kind is one line.

A group names the built-in roles that get in; everybody else is refused with 403, and whoever has no valid token with
401. PUBLIC routes ask for no token. `narrowed` marks a route whose service lets in fewer than its declared permission.
"""

from dataclasses import dataclass

from tests.isolation.routes import Route

Roles = frozenset[str]

OWNER: Roles = frozenset({"owner"})
MANAGERS: Roles = OWNER | {"manager"}
WRITERS: Roles = MANAGERS | {"staff"}
SERVICE: Roles = MANAGERS | {"customer_experience"}
WORKERS: Roles = WRITERS | {"customer_experience"}
MEMBERS: Roles = WORKERS | {"viewer"}
READERS: Roles = MEMBERS - {"staff"}
SIGNED_IN: Roles = MEMBERS | {"customer"}
PUBLIC: Roles = SIGNED_IN | {"anonymous"}


@dataclass(frozen=True)
class Narrowed:
    """Fewer roles than the declared permission would let in, and why."""

    roles: Roles
    because: str


@dataclass(frozen=True)
class Personal:
    """Everybody of these roles, each at things of their own: what is another's is not there, whoever asks."""

    roles: Roles


Entry = Roles | Narrowed | Personal
Table = dict[str, dict[str, Entry]]


def narrowed(roles: Roles, because: str) -> Narrowed:
    """Mark a route whose service asks for more than the permission."""
    return Narrowed(roles, because)


def usual(
    address: str,
    *,
    view: Entry = MEMBERS,
    write: Entry | None = WRITERS,
    delete: Entry | None = MANAGERS,
    restore: Entry | None = MANAGERS,
    change: str = "PATCH",
    key: str = "<uuid:pk>",
) -> Table:
    """The lines of a resource: collection, object, and restore; None leaves a method out."""
    one = f"{address}/{key}"
    table: Table = {address: {"GET": view}, one: {"GET": view}}
    if write is not None:
        table[address]["POST"] = write
        table[one] |= dict.fromkeys(change.split(), write)
    if delete is not None:
        table[one]["DELETE"] = delete
    if restore is not None:
        table[f"{one}/restore"] = {"POST": restore}
    return table


def public(*addresses: str, **others: str) -> Table:
    """Lines of routes that ask for no token: POST, unless named by another method."""
    table: Table = {address: {"POST": PUBLIC} for address in addresses}
    for method, named in others.items():
        table |= {address: {method.upper(): PUBLIC} for address in named.split()}
    return table


SEES_ALL = narrowed(MANAGERS, "what was deleted is brought back by those who see everybody's; staff delete their own")
SELF_ELSE_OWNER = narrowed(OWNER, "members change themselves alone; the walk asks about another user")

PASSWORD_LINKS = ("auth/login", "auth/refresh", "auth/forgot-password", "auth/reset-password", "auth/verify-email")

TEAM: Table = {
    **public(*PASSWORD_LINKS, "auth/accept-invitation"),
    "auth/logout": {"POST": MEMBERS},
    "auth/resend-verification": {"POST": MEMBERS},
    "auth/me": {"GET": MEMBERS},
    "auth/invite": {"POST": MANAGERS},
    "auth/invitations": {"GET": MANAGERS},
    "auth/invitations/<uuid:pk>": {"DELETE": MANAGERS},
    "auth/invitations/<uuid:pk>/resend": {"POST": MANAGERS},
    "dashboard/kpis": {"GET": MEMBERS},
    "settings/organization": {"GET": MEMBERS, "PATCH": MANAGERS},
    "settings/profile": {"GET": MEMBERS, "PATCH": MEMBERS},
    "settings/password": {"PATCH": MEMBERS},
    "settings/team": {"GET": OWNER},
    "settings/team/<uuid:pk>": {"PATCH": OWNER, "DELETE": OWNER},
    "settings/system": {"GET": OWNER},
    **usual("products", write=MANAGERS),
    **usual("companies"),
    **usual("contacts"),
    "contacts/<uuid:pk>/timeline": {"GET": MEMBERS, "POST": WRITERS},
    "pipelines": {"GET": MEMBERS},
    "pipelines/<uuid:pk>/stages": {"POST": WRITERS},
    "deals": {"GET": MEMBERS, "POST": WRITERS},
    "deals/<uuid:pk>": {"GET": MEMBERS, "PATCH": WRITERS, "DELETE": MANAGERS},
    **usual("tasks", delete=WRITERS, restore=SEES_ALL),
    "tasks/reminders": {"GET": MEMBERS},
    "tasks/<uuid:pk>/complete": {"POST": WRITERS},
}

PLATFORM: Table = {
    **public(*PASSWORD_LINKS, "auth/accept-invitation", "auth/register", get="ping health"),
    "auth/logout": {"POST": MEMBERS},
    "auth/resend-verification": {"POST": MEMBERS},
    "dashboard/summary": {"GET": MEMBERS},
    "dashboard/pipeline": {"GET": MEMBERS},
    "dashboard/activity-feed": {"GET": MEMBERS},
    "me": {"GET": MEMBERS},
    **usual("users", write=OWNER, delete=OWNER, restore=OWNER)
    | {"users/<uuid:pk>": {"GET": MEMBERS, "PATCH": SELF_ELSE_OWNER, "DELETE": OWNER}},
    "users/<uuid:pk>/password": {"POST": SELF_ELSE_OWNER},
    **usual("accounts"),
    **usual("contacts"),
    "contacts/<uuid:pk>/timeline": {"GET": MEMBERS, "POST": WRITERS},
    **usual("customers", change="PUT"),
    **usual("products", write=MANAGERS, change="PUT"),
    "products/<uuid:product_pk>/stock": {"GET": MEMBERS, "POST": MANAGERS},
    **usual("products/<uuid:product_pk>/variants", write=MANAGERS, restore=None),
    **usual("categories", write=MANAGERS, restore=None),
    **usual("brands", write=MANAGERS, restore=None),
    **usual("orders", write=WORKERS, delete=None, restore=None, change=""),
    "orders/<uuid:pk>/status": {"PUT": WORKERS},
    "orders/<uuid:pk>/history": {"GET": MEMBERS},
    **usual("pipelines", write=MANAGERS, delete=OWNER, restore=OWNER),
    "pipelines/<uuid:pipeline_pk>/stages": {"GET": MEMBERS, "POST": MANAGERS},
    "pipelines/<uuid:pipeline_pk>/stages/<uuid:pk>": {"PATCH": MANAGERS, "DELETE": MANAGERS},
    **usual("opportunities"),
    "opportunities/<uuid:pk>/move": {"POST": WRITERS},
    "opportunities/<uuid:pk>/history": {"GET": MEMBERS},
    **usual("promotions", write=MANAGERS, restore=None),
    **usual("shipping-methods", write=MANAGERS, restore=None),
    **usual("tax-rates", write=MANAGERS, restore=None),
    "shop": {"GET": MANAGERS, "PATCH": MANAGERS},
    **usual("activities", delete=WRITERS, restore=SEES_ALL),
    "activities/<uuid:pk>/complete": {"POST": WRITERS},
}

STOREFRONT: Table = {
    **public(
        *PASSWORD_LINKS,
        "auth/register",
        "auth/resend-verification",
        get="health auth/google auth/google/callback",
    ),
    "catalog/products": {"GET": PUBLIC},
    "catalog/products/<uuid:pk>": {"GET": PUBLIC},
    "catalog/products/category/<uuid:pk>": {"GET": PUBLIC},
    "catalog/categories": {"GET": PUBLIC},
    "catalog/brands": {"GET": PUBLIC},
    "auth/profile": {"GET": SIGNED_IN, "PATCH": SIGNED_IN},
    "auth/password": {"POST": SIGNED_IN},
    "auth/logout": {"POST": SIGNED_IN},
    "orders": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "orders/<uuid:pk>": {"GET": narrowed(SERVICE, "shoppers see their own alone; the walk asks about another's")},
    "orders/<uuid:pk>/cancel": {"POST": narrowed(SERVICE, "shoppers cancel their own alone")},
    "cart": {"GET": SIGNED_IN, "DELETE": SIGNED_IN},
    "cart/items": {"POST": SIGNED_IN},
    "cart/items/<uuid:pk>": {"PATCH": Personal(SIGNED_IN), "DELETE": Personal(SIGNED_IN)},
    **usual("admin/roles", view=SERVICE, write=SERVICE, delete=SERVICE, restore=None, change="PUT"),
    "admin/roles/<uuid:pk>/permissions": {"GET": SERVICE, "POST": SERVICE},
    "admin/roles/<uuid:pk>/permissions/<uuid:permission_pk>": {
        "DELETE": narrowed(
            OWNER, "the walk's role holds a permission that nobody else holds, so nobody else takes it away"
        )
    },
    **usual("admin/permissions", view=SERVICE, write=SERVICE, delete=SERVICE, restore=None, change="PUT"),
    "admin/users/<uuid:pk>/roles": {"GET": SERVICE, "POST": SERVICE},
    "admin/users/<uuid:pk>/roles/<uuid:role_pk>": {"DELETE": SERVICE},
}

POLICY: dict[str, Table] = {"team": TEAM, "platform": PLATFORM, "storefront": STOREFRONT}

# Public routes that may answer 401, for the body carries a proof of its own.
OWN_PROOF = {"auth/refresh": "the refresh token", "auth/login": "the password"}
# Routes at which the permission alone is not enough: a role of an organization's own ranks below those it would touch.
TAKES_RANK = {
    "team POST auth/invite": "to invite as a role takes a higher one",
    "team DELETE auth/invitations/<uuid:pk>": "to withdraw takes a higher role than the invitation's",
    "team POST auth/invitations/<uuid:pk>/resend": "to invite as a role takes a higher one",
    "team PATCH settings/team/<uuid:pk>": "to change a member takes standing over their roles",
    "team DELETE settings/team/<uuid:pk>": "to deactivate a member takes standing over their roles",
    "platform POST users": "to give a role takes a higher one",
    "platform DELETE users/<uuid:pk>": "to deactivate a member takes standing over their roles",
    "platform POST users/<uuid:pk>/restore": "to bring a member back takes standing over their roles",
    "storefront POST admin/users/<uuid:pk>/roles": "to give a role takes a higher one",
    "storefront DELETE admin/users/<uuid:pk>/roles/<uuid:role_pk>": "to take a role takes a higher one",
    "storefront POST admin/roles/<uuid:pk>/permissions": "to grant a permission takes holding it",
    "storefront DELETE admin/roles/<uuid:pk>/permissions/<uuid:permission_pk>": "to revoke takes holding it",
}


def entry(route: Route) -> Entry | None:
    """The table's word on a route; None where it stands in no line."""
    return POLICY[route.surface.name].get(route.address, {}).get(route.method)


def admitted(route: Route) -> Roles:
    """The roles that get in."""
    found = entry(route)
    assert found is not None, missing(route)
    return found.roles if isinstance(found, Narrowed | Personal) else found


def missing(route: Route) -> str:
    """What to add for a route without a line."""
    return (
        f'{route} has no policy: add "{route.address}": {{"{route.method}": <group>}} '
        f"to {route.surface.name.upper()} in tests/isolation/policy.py."
    )


def stale() -> list[str]:
    """Lines of the table that no route answers any more."""
    from tests.isolation.routes import routes

    served = {(route.surface.name, route.address, route.method) for route in routes()}
    return [
        f"{surface} {method} {address}"
        for surface, table in POLICY.items()
        for address, methods in table.items()
        for method in methods
        if (surface, address, method) not in served
    ]
