"""Another organization's things: unreadable, unchangeable, and no different from things that never were."""

import pytest

from tests.isolation import calls, evidence, factories
from tests.isolation.attack import Attack
from tests.isolation.calls import MEMBERS, Persona, ask, body_for, turned_away, values_for
from tests.isolation.routes import of_surface, routes
from tests.isolation.tenants import Tenant


@pytest.mark.parametrize("name", MEMBERS)
def test_no_role_reads_changes_or_recognises_anything_of_another_organization(
    name: str, ours: Tenant, theirs: Tenant, seen: None
) -> None:
    attack = Attack(Persona(name, ours, ours.person(name)), ours, theirs)

    assert attack.everything() == [], "\n".join(attack.findings)
    assert attack.requests >= len(routes())


def test_no_one_without_a_valid_token_learns_anything(ours: Tenant, theirs: Tenant, seen: None) -> None:
    for persona in turned_away(ours):
        attack = Attack(persona, ours, theirs)
        for route in routes():
            attack.ids_in_addresses(route)

        assert attack.aftermath() == [], "\n".join(attack.findings)


def test_an_access_token_of_one_organization_is_none_at_another_s_shop(
    ours: Tenant, theirs: Tenant, seen: None
) -> None:
    complaints = []
    before = evidence.fingerprint(theirs)
    for route in of_surface("storefront"):
        if route.is_public:
            continue
        for name in ("owner", "customer"):
            persona = Persona(name, ours, ours.person(name))
            for tenant in (ours, theirs):
                answer = ask(
                    route, persona, values_for(route, tenant, fresh=False), body_for(route, ours), shop=theirs.slug
                )
                if answer.status_code != 401 or evidence.leaked(answer, theirs, evidence.ids(theirs), [theirs.slug]):
                    complaints.append(f"{route} as {name}: {answer.status_code} {answer.content[:200]!r}")

    assert complaints == [], "\n".join(complaints)
    assert evidence.changes(before, evidence.fingerprint(theirs)) == []


def test_a_person_of_the_other_organization_is_a_stranger_here_too(ours: Tenant, theirs: Tenant, seen: None) -> None:
    factories.furnish(ours)
    for name in ("owner", "staff"):
        attack = Attack(Persona(f"their {name}", theirs, theirs.person(name)), theirs, ours)
        for route in routes():
            attack.ids_in_addresses(route)

        assert attack.findings == [], "\n".join(attack.findings)
        assert evidence.changes(attack.before, evidence.fingerprint(ours), but={"accounts_session"}) == []


def test_the_evidence_finds_what_it_looks_for(ours: Tenant, theirs: Tenant) -> None:
    route = next(route for route in routes() if route.address == "contacts" and route.is_read)
    owner = calls.Persona("owner", theirs, theirs.person("owner"))

    answer = ask(route, owner, {})

    assert evidence.leaked(answer, theirs, evidence.ids(theirs))
