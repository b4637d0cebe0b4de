"""What an API can set is named in the signature of the service that sets it."""

import inspect
from functools import partial
from typing import Any, get_type_hints

import pytest

from crm.api.serializers import Serializer
from crm.api.viewsets import ResourceViewSet
from tests.isolation.routes import Route, routes


def named(service: Any) -> set[str]:
    """The keywords of a service: its own, and those of the TypedDict that stands for the rest."""
    function = service.func if isinstance(service, partial) else service
    parameters = inspect.signature(function).parameters.values()
    names = {parameter.name for parameter in parameters}
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (rest,) = get_type_hints(function, include_extras=True)[parameter.name].__args__
            names |= set(get_type_hints(rest))
    return names


def settable(serializer: type[Serializer]) -> set[str]:
    """The domain names of what a body may hold; a name in one piece is stored as its two parts."""
    fields = serializer().fields.items()
    return {str(field.source or key) for key, field in fields if not field.read_only} - {"*"}


SERVICES = {"create": "create", "update": "update", "partial_update": "update"}
ROUTES = [route for route in routes() if issubclass(route.view, ResourceViewSet) and route.action in SERVICES]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_signature_names_what_a_body_can_set(route: Route) -> None:
    service = getattr(route.view.services, SERVICES[route.action])
    if service is None:  # the view calls others
        return

    assert settable(route.instance().get_input_serializer_class()) - named(service) == set()


def test_every_resource_is_looked_at() -> None:
    assert sum(getattr(route.view.services, SERVICES[route.action]) is not None for route in ROUTES) > 40
