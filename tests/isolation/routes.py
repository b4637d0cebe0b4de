"""What there is to walk, read from the URLconf: a route that is served cannot be forgotten here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from crm.api.platform import PLATFORM
from crm.api.storefront import STOREFRONT
from crm.api.surfaces import Surface
from crm.api.team import TEAM
from crm.api.viewsets import ApiViewSet

SURFACES = {surface.name: surface for surface in (TEAM, PLATFORM, STOREFRONT)}
READS = frozenset({"GET"})
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

# Addresses that no ApiView answers, as prefixes or whole addresses, each with the reason why it may stand outside.
OTHER_DOORS = MappingProxyType(
    {
        "admin/": "the back office of platform operators, who belong to no organization; Django's own sign-in",
        "health": "tells load balancers that the process answers; reads nothing",
        "api-docs": "the Swagger page: static, the same for everybody",
        "api-docs/<str:name>.json": "an OpenAPI document: static, the same for everybody",
        **{
            f"{surface.base}/^.*$": "the surface's 404 for unknown addresses; reads nothing"
            for surface in SURFACES.values()
        },
    }
)


@dataclass(frozen=True)
class Route:
    """One method at one address: the unit of the policy. `address` stands below the surface's base."""

    surface: Surface
    address: str
    method: str
    action: str
    view: type[ApiViewSet]
    initkwargs: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.surface.name} {self.method} {self.address}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the address; the shop's slug is the base's, not the address's."""
        return tuple(PARAMETER.findall(self.address))

    @property
    def is_public(self) -> bool:
        return self.action in self.view.allow_anonymous

    @property
    def is_read(self) -> bool:
        return self.method in READS

    def path(self, shop: str, values: dict[str, Any]) -> str:
        """The URL with the parameters filled in."""
        filled = PARAMETER.sub(lambda found: str(values[found[1]]), self.address)
        base = PARAMETER.sub(shop, self.surface.base)
        return f"/{base}/{filled}"

    def instance(self) -> ApiViewSet:
        """A view as it stands when the action runs, for questions to its declarations."""
        view = self.view(**dict(self.initkwargs))
        view.action, view.args, view.kwargs, view.request = self.action, (), {}, None
        return view


def patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every address with its callback, depth first."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield address, pattern.callback


@cache
def routes() -> tuple[Route, ...]:
    """Every method of every ApiView that the URLconf serves."""
    found = []
    for address, callback in patterns():
        view = getattr(callback, "cls", None)
        if view is None or not issubclass(view, ApiViewSet):
            continue
        base = f"{view.surface.base}/"
        assert address.startswith(base), f"{address} is served by a view of {view.surface.name}."
        found += [
            Route(view.surface, address.removeprefix(base), method.upper(), action, view, _frozen(callback.initkwargs))
            for method, action in callback.actions.items()
            if method != "head"
        ]
    return tuple(found)


def of_surface(name: str) -> list[Route]:
    """The routes of one surface."""
    return [route for route in routes() if route.surface.name == name]


def strangers() -> list[str]:
    """Addresses that neither an ApiView answers nor OTHER_DOORS explains."""
    return [
        address
        for address, callback in patterns()
        if not issubclass(getattr(callback, "cls", object), ApiViewSet)
        and not any(address == door or (door.endswith("/") and address.startswith(door)) for door in OTHER_DOORS)
    ]


def _frozen(initkwargs: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in initkwargs.items() if name not in {"suffix", "basename", "detail"})
