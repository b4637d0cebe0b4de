"""What a body may not do: name what one cannot see, or set what is not offered."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.http import HttpResponse
from rest_framework.serializers import BaseSerializer

from crm.core import clock, db
from tests.isolation import evidence, factories, request_bodies
from tests.isolation.attack import Attack
from tests.isolation.calls import Persona, ask, body_for, values_for
from tests.isolation.routes import SURFACES, Route, of_surface, routes
from tests.isolation.tenants import Tenant

# Routes whose references may be refused for another reason than the reference, each with that reason.
UNPROVEN: dict[str, str] = {}


def test_every_reference_is_taken_where_it_is_one_s_own(ours: Tenant, seen: None) -> None:
    """The control of the refusals: a body with an id of ours is accepted, or an error names that very field."""
    owner = Persona("owner", ours, ours.person("owner"))
    unproven = []
    for route, reference in _references():
        place = ".".join(reference.path)
        for model in reference.targets:
            values = values_for(route, ours, owner.user, fresh=True)
            own = reference.placed(body_for(route, ours) or {}, str(factories.make(model, ours, owner.user).pk))
            foreign = reference.placed(body_for(route, ours) or {}, str(uuid4()))
            taken, refused = ask(route, owner, values, own), ask(route, owner, values, foreign)
            if taken.status_code >= 300 and place not in refused.content.decode() and str(route) not in UNPROVEN:
                unproven.append(f"{route} {place}: {taken.status_code} {taken.content[:200]!r}")

    assert unproven == [], "Give request_bodies.EXAMPLES a body that is accepted:\n" + "\n".join(unproven)


def test_every_reference_names_a_model(seen: None) -> None:
    unclear = {f"{route}: {'.'.join(reference.path)}" for route, reference in _references() if not reference.targets}

    assert unclear == set(), "Add the word to SYNONYMS in tests/isolation/request_bodies.py."


def test_staff_cannot_name_what_only_others_see(ours: Tenant, theirs: Tenant, seen: None) -> None:
    staff, owner = ours.person("staff"), ours.person("owner")
    attack = Attack(Persona("staff", ours, staff), ours, theirs)
    for route, reference in _references():
        for model in reference.targets:
            if getattr(model, "owned_by", None):
                attack.reference(
                    route, reference, str(factories.make(model, ours, owner).pk), f"an unseen {model.__name__}"
                )

    assert attack.findings == [], "\n".join(attack.findings)


def test_nobody_can_name_what_was_deleted(ours: Tenant, theirs: Tenant, seen: None) -> None:
    owner = ours.person("owner")
    attack = Attack(Persona("owner", ours, owner), ours, theirs)
    for route, reference in _references():
        for model in reference.targets:
            if getattr(model, "is_soft_deleted", False):
                gone = factories.make(model, ours, owner, deleted_at=clock.now())
                attack.reference(route, reference, str(gone.pk), f"a deleted {model.__name__}")

    assert attack.findings == [], "\n".join(attack.findings)


@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_no_body_sets_what_the_shape_does_not_offer(surface: str, ours: Tenant, theirs: Tenant, seen: None) -> None:
    owner = Persona("owner", ours, ours.person("owner"))
    complaints: list[str] = []
    tried = 0
    for route in of_surface(surface):
        if route.is_read or route.is_public or request_bodies.shape_of(route) is None:
            continue
        tries = _unoffered(route, theirs)
        tried += len(tries)
        complaints += _assigned(route, owner, tries)

    assert complaints == [], "\n".join(complaints)
    assert tried or surface == "storefront"


def _references() -> list[tuple[Route, request_bodies.Reference]]:
    found = []
    for route in routes():
        shape = request_bodies.shape_of(route)
        if shape is not None and not route.is_public:
            found += [
                (route, reference) for reference in request_bodies.references(shape, getattr(route.view, "model", None))
            ]
    return found


def _model(route: Route) -> type[models.Model] | None:
    if route.parameters and route.parameters[-1] not in factories.VALUES:
        return factories.model_of(route, route.parameters[-1])
    return getattr(route.view, "model", None)


def _unoffered(route: Route, theirs: Tenant) -> list[tuple[str, models.Field, Any]]:
    """Each column that the shape does not let a body set, with the key it would have and a value that would show."""
    model, shape = _model(route), request_bodies.shape_of(route)
    if model is None or shape is None:
        return []
    offered = {str(field.source or key) for key, field in request_bodies.writable(shape).items()}
    offered |= {name.removesuffix("_id") for name in offered} | set(_nested_sources(shape))
    return [
        (key, field, _evil(field, theirs))
        for field in model._meta.concrete_fields
        if field.attname not in offered and field.name not in offered
        for key in {field.attname, route.surface.key(field.attname)} - set(request_bodies.writable(shape))
    ]


def _nested_sources(shape: Any) -> list[str]:
    return [
        str(inner.source or key)
        for field in request_bodies.writable(shape).values()
        if isinstance(field, BaseSerializer) and field.source == "*"
        for key, inner in field.fields.items()
    ]


_EVIL: tuple[tuple[Any, Any], ...] = (
    (models.UUIDField, lambda field: str(uuid4())),
    (models.BooleanField, lambda field: not field.get_default()),
    (models.DateTimeField, lambda field: "2001-02-03T04:05:06Z"),
    (models.DateField, lambda field: "2001-02-03"),
    (models.IntegerField | models.DecimalField, lambda field: 77),
    (models.JSONField, lambda field: {"evil": True}),
    (ArrayField, lambda field: ["evil"]),
)


def _evil(field: models.Field, theirs: Tenant) -> Any:
    """A value that would show, had it been stored."""
    if field.name == "organization":
        return str(theirs.id)
    if field.is_relation:
        return str(factories.shared(field.related_model, theirs).pk)
    return next((value(field) for kind, value in _EVIL if isinstance(field, kind)), "evil"[: field.max_length])


def _assigned(route: Route, owner: Persona, tries: list[tuple[str, models.Field, Any]]) -> list[str]:
    """What went wrong where a body also named columns that are not offered: all at once, then those not refused."""
    answer, _ = _sent(route, owner, {key: value for key, _, value in tries})
    if answer.status_code >= 500:
        return [f"{route} broke: {answer.status_code} {answer.content[:160]!r}"]
    refused = answer.content.decode() if answer.status_code >= 400 else ""
    found = []
    for key, field, value in tries:
        if f'"{key}"' not in refused:
            found += _taken(route, owner, key, field, value)
    return found


def _taken(route: Route, owner: Persona, key: str, field: models.Field, value: Any) -> list[str]:
    """What went wrong with one of them that was not refused."""
    answer, before = _sent(route, owner, {key: value}, field)
    if answer.status_code >= 500:
        return [f"{route} broke on {key}: {answer.status_code} {answer.content[:160]!r}"]
    # What a POST made is named in its answer; what was there before is in `before`.
    rows = set(before) or {name.decode() for name in evidence.UUID.findall(answer.content)}
    for row in rows:
        stored = _stored(field, row)
        if stored != before.get(row) and stored is not None and _same(stored, value):
            return [f"{route} set {key} to {value}"]
        if row in before and stored != before[row] and not (answer.status_code < 300 and _is_derived(field)):
            return [f"{route} changed {key}: {before[row]} to {stored}"]
    return []


def _sent(
    route: Route, owner: Persona, extra: dict[str, Any], field: models.Field | None = None
) -> tuple[HttpResponse, dict[str, str | None]]:
    """The answer to an accepted body with more in it, and what the column of the thing it names held before."""
    values = values_for(route, owner.tenant, owner.tenant.person("staff"), fresh=True)
    before = {str(values[name]): _stored(field, values[name]) for name in route.parameters[-1:]} if field else {}
    return ask(route, owner, values, (body_for(route, owner.tenant) or {}) | extra), before


def _is_derived(field: models.Field) -> bool:
    """Tell whether a column follows from others, which the body did change."""
    return not field.editable or field.name.endswith(("_normalized", "_name")) or getattr(field, "auto_now", False)


def _same(stored: str, value: Any) -> bool:
    return stored == str(value) or stored.replace(" ", "T").startswith(str(value).rstrip("Z"))


def _stored(field: models.Field, pk: Any) -> str | None:
    """The column of the row, as text; the operator sees it whosever it is."""
    table, key = field.model._meta.db_table, field.model._meta.pk.column
    with db.operator("command"), connection.cursor() as cursor:
        cursor.execute(f"SELECT {field.column}::text FROM {table} WHERE {key}::text = %s", [str(pk)])
        found = cursor.fetchone()
    return found[0] if found else None
