"""What another organization has counts for nothing: no total, figure or search here moves when theirs grows."""

import json
from typing import Any

from tests.isolation import evidence, factories, request_bodies
from tests.isolation.calls import Persona, ask, values_for
from tests.isolation.routes import routes
from tests.isolation.tenants import Tenant

MORE = 200
# Keys whose values move with time alone.
MOVING = frozenset({"uptime"})


def test_200_more_rows_in_each_of_their_tables_change_no_answer(ours: Tenant, theirs: Tenant, seen: None) -> None:
    factories.furnish(ours)
    personas = [Persona(name, ours, ours.person(name)) for name in ("owner", "staff")]
    before = [_answers(persona) for persona in personas]
    rows_before = _row_count(theirs)

    for model in factories.tenant_models():
        factories.make_many(model, theirs, MORE)

    after = [_answers(persona) for persona in personas]
    assert _row_count(theirs) >= rows_before + MORE * len(factories.tenant_models())
    for was, is_now in zip(before, after, strict=True):
        assert {asked: answer for asked, answer in is_now.items() if was[asked] != answer} == {}
        assert sum(status == 200 for status, _ in was.values()) > 10


def _answers(persona: Persona) -> dict[str, tuple[int, Any]]:
    """Every answer to a read: plain, and searched for a word that both organizations' rows hold."""
    found = {}
    for route in routes():
        if not route.is_read or route.is_public:
            continue
        values = values_for(route, persona.tenant, fresh=False)
        searches = set(route.surface.search) & request_bodies.PARAMETERS_SEEN.get((route.view, route.action), set())
        for query in ("", *(f"{key}=contact" for key in sorted(searches))):
            answer = ask(route, persona, values, query=query)
            found[f"{route}?{query}"] = (answer.status_code, _settled(json.loads(answer.content or b"null")))
    return found


def _settled(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: _settled(value) for key, value in body.items() if key not in MOVING}
    return [_settled(value) for value in body] if isinstance(body, list) else body


def _row_count(tenant: Tenant) -> int:
    return sum(int(value.partition(" ")[0]) for value in evidence.fingerprint(tenant).values())
