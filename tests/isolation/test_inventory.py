"""The four inventories agree: what is served, what is declared, what the policy says, what the documents describe."""

import re

import pytest

from accounts.permissions import ALL, BUILT_IN_ROLES
from crm.api import documents
from crm.api.permissions import MEMBER, SIGNED_IN, required
from tests.isolation import evidence, factories, policy, request_bodies, tenants
from tests.isolation.routes import OTHER_DOORS, PARAMETER, SURFACES, Route, of_surface, patterns, routes, strangers

NAME = re.compile(r"\{\w+\}")


def test_every_address_is_answered_by_an_api_view_or_has_a_written_reason_not_to_be() -> None:
    assert strangers() == [], "Serve it with an ApiView, or add it to OTHER_DOORS in tests/isolation/routes.py."
    assert all(len(reason) > 20 for reason in OTHER_DOORS.values())


def test_no_address_has_a_format_suffix() -> None:
    assert [address for address, _ in patterns() if "format" in address or address.endswith((".json/", ".api"))] == []


def test_every_action_declares_a_permission_or_a_reason_to_be_public() -> None:
    undeclared = [
        str(route)
        for route in routes()
        if not (route.view.allow_anonymous.get(route.action) if route.is_public else required(route.view, route.action))
    ]

    assert undeclared == []


def test_every_declared_permission_exists() -> None:
    unknown = {
        f"{route}: {needed}"
        for route in routes()
        if not route.is_public and (needed := required(route.view, route.action)) not in ALL | {MEMBER, SIGNED_IN}
    }

    assert unknown == set()


def test_every_route_stands_in_the_policy() -> None:
    missing = [policy.missing(route) for route in routes() if policy.entry(route) is None]

    assert missing == [], "\n".join(missing)


def test_every_line_of_the_policy_is_served() -> None:
    assert policy.stale() == []


def test_the_policy_says_of_every_route_what_its_permission_means_for_the_built_in_roles() -> None:
    different = []
    for route in routes():
        said, derived = policy.entry(route), _derived(route)
        if isinstance(said, policy.Personal):
            said = said.roles
        if isinstance(said, policy.Narrowed):
            if not (said.roles < derived and said.because):
                different.append(f"{route}: {sorted(said.roles)} narrows nothing of {sorted(derived)}")
        elif said is not None and said != derived:
            different.append(f"{route}: the policy says {sorted(said)}, its permission means {sorted(derived)}")

    assert different == [], "\n".join(different)


@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_the_openapi_document_describes_what_is_served_and_nothing_else(surface: str) -> None:
    described = {
        (NAME.sub("*", path), method.upper())
        for path, methods in documents.document_of(surface)["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    served = {
        (PARAMETER.sub("*", f"/{route.surface.base}/{route.address}"), route.method) for route in of_surface(surface)
    }

    assert described == served


def test_the_walk_reached_every_body(seen: None) -> None:
    unread = [
        str(route)
        for route in routes()
        if request_bodies.declares_body(route) and request_bodies.shape_of(route) is None
    ]

    assert unread == [], "The action takes a body, but the walk's owner was refused before it was read."


def test_every_parameter_of_every_address_has_something_to_stand_for_it() -> None:
    unexplained = []
    for route in routes():
        for parameter in route.parameters:
            try:
                parameter in factories.VALUES or factories.model_of(route, parameter)
            except LookupError as error:
                unexplained.append(str(error))

    assert unexplained == [], "\n".join(unexplained)


@pytest.mark.parametrize("model", factories.tenant_models(), ids=lambda model: model._meta.label)
def test_a_row_of_every_tenant_table_can_be_made(model: type) -> None:
    tenant = tenants.found("OURS")

    row = factories.make(model, tenant, tenant.person("staff"))

    with tenant.scope():
        assert model._base_manager.filter(pk=row.pk, organization_id=tenant.id).exists()


def test_every_text_column_of_theirs_holds_a_canary(theirs: tenants.Tenant) -> None:
    assert evidence.unmarked(theirs) == []


def _derived(route: Route) -> frozenset[str]:
    if route.is_public:
        return policy.PUBLIC
    needed = required(route.view, route.action)
    everybody = policy.SIGNED_IN if route.surface.admits_shoppers else policy.MEMBERS
    if needed == SIGNED_IN:
        return everybody
    if needed == MEMBER:
        return policy.MEMBERS
    return frozenset(role for role in everybody if needed in BUILT_IN_ROLES[role])
