"""Every persona at every route: who gets in is what the policy says, and nothing ever breaks."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse

from crm.api.permissions import MEMBER, SIGNED_IN, required
from tests.isolation import policy
from tests.isolation.calls import MEMBERS, Persona, ask, body_for, demoted, is_json, turned_away, values_for
from tests.isolation.routes import SURFACES, Route, of_surface
from tests.isolation.tenants import Tenant

REFUSED = {401, 403, 404, 405}
surfaces = pytest.mark.parametrize("surface", sorted(SURFACES))


@surfaces
@pytest.mark.parametrize("name", MEMBERS)
def test_a_role_gets_in_exactly_where_the_policy_says(surface: str, name: str, ours: Tenant, seen: None) -> None:
    persona = Persona(name, ours, ours.person(name))

    assert_all(surface, lambda route: judged(route, persona, name.partition("_other")[0]))


@surfaces
def test_a_demoted_user_s_old_token_may_only_what_the_new_role_may(surface: str, ours: Tenant, seen: None) -> None:
    persona = demoted(ours, "manager", "viewer")

    assert_all(surface, lambda route: judged(route, persona, "viewer") if not _ends_sessions(route) else None)


@surfaces
def test_whoever_has_no_valid_token_gets_401(surface: str, ours: Tenant, seen: None) -> None:
    for persona in turned_away(ours):

        def answers_401(route: Route, persona: Persona = persona) -> str | None:
            if route.is_public:
                return None
            response = ask(route, persona, values_for(route, ours, fresh=False), body_for(route, ours))
            return complaint(route, persona, response, response.status_code == 401, "401")

        assert_all(surface, answers_401)


@surfaces
def test_public_routes_ask_for_no_token(surface: str, ours: Tenant, seen: None) -> None:
    def answers(route: Route) -> str | None:
        if not route.is_public:
            return None
        anonymous = Persona("anonymous", ours)
        response = ask(route, anonymous, values_for(route, ours, fresh=False), body_for(route, ours))
        refused = {404, 405} if route.address in policy.OWN_PROOF else {401, 403, 404, 405}
        return complaint(route, anonymous, response, response.status_code not in refused, "an answer")

    assert_all(surface, answers)


@surfaces
def test_a_role_without_permissions_gets_in_nowhere(surface: str, ours: Tenant, seen: None) -> None:
    nobody = Persona("a role without permissions", ours, ours.holder())

    def is_refused(route: Route) -> str | None:
        if route.is_public or (
            route.surface.admits_shoppers and required(route.view, route.action) in {SIGNED_IN, MEMBER}
        ):
            return None
        response = ask(route, nobody, values_for(route, ours, fresh=False), body_for(route, ours))
        return complaint(route, nobody, response, response.status_code == 403, "403")

    assert_all(surface, is_refused)


@surfaces
def test_a_role_with_exactly_the_needed_permission_gets_in(surface: str, ours: Tenant, seen: None) -> None:
    def gets_in(route: Route) -> str | None:
        needed = required(route.view, route.action)
        if route.is_public or needed in {SIGNED_IN, MEMBER} or isinstance(policy.entry(route), policy.Narrowed):
            return None
        holder = Persona(f"a role with {needed} alone", ours, ours.holder(needed))
        response = request(route, holder)
        if str(route) in policy.TAKES_RANK:
            return complaint(route, holder, response, response.status_code == 403, "403, for it takes rank")
        return complaint(route, holder, response, is_let_in(route, response), "to get in")

    assert_all(surface, gets_in)


def judged(route: Route, persona: Persona, role: str) -> str | None:
    """What is wrong with how a route treats a role; None where nothing is."""
    if route.is_public:
        return None
    response = request(route, persona)
    if role not in policy.admitted(route):
        return complaint(route, persona, response, response.status_code == 403, "403")
    is_personal = isinstance(policy.entry(route), policy.Personal) and persona.name != "staff"
    if is_personal or (persona.name == "staff_other" and _names_what_is_owned(route)):
        return complaint(route, persona, response, response.status_code == 404, "404, for it is another's")
    return complaint(route, persona, response, is_let_in(route, response), "to get in")


def request(route: Route, persona: Persona) -> HttpResponse:
    """Ask with things that the member of the staff owns; what may be changed is made for this request."""
    tenant = persona.tenant
    values = values_for(route, tenant, tenant.person("staff"), fresh=not route.is_read)
    return ask(route, persona, values, body_for(route, tenant))


def is_let_in(route: Route, response: HttpResponse) -> bool:
    """Tell whether the route did what it does: a refusal of the body alone counts, for the door was open."""
    if response.status_code == 503:
        return b"_not_configured" in response.content.lower()
    return response.status_code < 500 and response.status_code not in REFUSED


def complaint(route: Route, persona: Persona, response: HttpResponse, fine: object, expected: str) -> str | None:
    """A line for the report, where the answer is not fine or not JSON."""
    if fine and is_json(response):
        return None
    return f"{route} as {persona.name}: {response.status_code}, expected {expected}: {response.content[:200]!r}"


def assert_all(surface: str, check: Callable[[Route], str | None]) -> None:
    """Run the check over every route of the surface and report every complaint at once."""
    complaints = [found for route in of_surface(surface) if (found := check(route))]
    assert complaints == [], "\n".join(complaints)


def _names_what_is_owned(route: Route) -> bool:
    from tests.isolation.factories import VALUES, model_of

    return any(
        getattr(model_of(route, parameter), "owned_by", None)
        for parameter in route.parameters
        if parameter not in VALUES
    )


def _ends_sessions(route: Route) -> bool:
    return "logout" in route.address
