"""Bodies that a route accepts, made from the shape it declares; and which model each reference in one names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from rest_framework import serializers

from accounts.models import Role, User
from accounts.permissions import built_in_id
from commerce.models import CartItem
from crm.api.fields import OptionalURLField
from crm.api.schema import DESCRIPTION
from crm.api.serializers import Serializer
from crm.api.viewsets import ApiViewSet
from crm.core import clock
from sales.models import Deal
from tests.isolation.factories import make, shared, tenant_models
from tests.isolation.routes import Route
from tests.isolation.tenants import Tenant, number

# What a reference is called where that is not its model's name.
SYNONYMS = {
    "owner": "user",
    "assignee": "user",
    "assigned_to": "user",
    "created_by": "user",
    "account": "company",
    "customer": "contact",
    "parent": "category",
    "opportunity": "deal",
    "related": "deal",
}


def _checkout(tenant: Tenant) -> dict[str, Any]:
    """An address; the owner has something to order."""
    make(CartItem, tenant, tenant.person("owner"))
    words = ("first_name", "last_name", "address1", "city", "postal_code")
    return {"shipping_address": dict.fromkeys(words, tenant.mark) | {"country": "US"}}


# Bodies that cannot be made from a shape alone, by (view or its parent, action): a function of the tenant.
EXAMPLES: dict[tuple[str, str], Callable[[Tenant], dict[str, Any]]] = {
    ("StockMovementViewSet", "create"): lambda tenant: {
        "adjustment": 1,
        "type": "restock",
        "reason": f"{tenant.mark} {number()}",
    },
    ("UserRoleViewSet", "assign"): lambda tenant: {"role_id": str(shared(Role, tenant).pk)},
    ("RoleResourceViewSet", "grant"): lambda tenant: {"permission_id": str(built_in_id("contacts:view"))},
    ("PlatformActivityViewSet", "create"): lambda tenant: {"subject": f"Call {number()}"} | _related(tenant),
    ("PlatformActivityViewSet", "partial_update"): lambda tenant: {"subject": f"Call {number()}"} | _related(tenant),
    ("TeamMemberViewSet", "partial_update"): lambda tenant: {"role": "viewer"},
    ("ShopOrderViewSet", "create"): _checkout,
    ("DealViewSet", "create"): lambda tenant: {"title": f"{tenant.mark} {number()}"},
    ("DealViewSet", "partial_update"): lambda tenant: {"title": f"{tenant.mark} {number()}"},
    ("PromotionViewSet", "create"): lambda tenant: {"code": f"CODE{number()}", "type": "percentage", "value": 10},
    ("TaxRateViewSet", "create"): lambda tenant: {"name": f"{tenant.mark} {number()}", "country": "US", "rate": 5},
    ("PermissionViewSet", "create"): lambda tenant: {
        "name": f"Own {number()}",
        "resource": "own",
        "action": f"do{number()}",
    },
}
# Shapes that actions read by themselves, by (view, action): seen by the fixture `seen` while every route is asked once.
SEEN: dict[tuple[type[ApiViewSet], str], type[Serializer]] = {}
PARAMETERS_SEEN: dict[tuple[type[ApiViewSet], str], set[str]] = {}


def _related(tenant: Tenant) -> dict[str, str]:
    return {"related_type": "opportunity", "related_id": str(shared(Deal, tenant).pk)}


@dataclass(frozen=True)
class Reference:
    """A place in a body that takes an id: its keys from the outside in, and the models it may name."""

    path: tuple[str, ...]
    is_list: bool
    targets: tuple[type[models.Model], ...]

    def placed(self, body: dict[str, Any], value: Any) -> dict[str, Any]:
        """The body with the id in its place."""
        return _placed(body, self.path, [value] if self.is_list else value)


def shape_of(route: Route) -> type[Serializer] | None:
    """The shape of the route's body, as the action was seen to read it; None where it reads none."""
    return SEEN.get((route.view, route.action))


def declares_body(route: Route) -> bool:
    """Tell whether the action says that it takes a body, so that it must have been seen to read one."""
    described = getattr(getattr(route.view, route.action), DESCRIPTION, None)
    return bool(described and described.request) or route.action in {"create", "update", "partial_update"}


def writable(shape: type[Serializer]) -> dict[str, serializers.Field]:
    """The fields that a body may set, by the surface's keys."""
    return {key: field for key, field in shape().fields.items() if not field.read_only}


def filled(shape: type[Serializer] | None, tenant: Tenant, model: Any = None) -> dict[str, Any]:
    """The smallest body that the shape calls valid, with a text in it that shows."""
    if shape is None:
        return {}
    fields = writable(shape)
    body = {key: sample(field, tenant, model) for key, field in fields.items() if field.required}
    visible = next((key for key, field in fields.items() if _is_plain_text(field)), None)
    if visible is not None:
        body.setdefault(visible, sample(fields[visible], tenant, model))
    return body


def sample(field: serializers.Field, tenant: Tenant, model: Any = None) -> Any:
    """A valid value of a field."""
    if field.source in {"role", "role_name"}:
        return "viewer"
    for kind, value in _SAMPLES:
        if isinstance(field, kind):
            return value(field, tenant, model)
    return f"{tenant.mark} {number()}"


def references(shape: type[Serializer], model: Any) -> list[Reference]:
    """Every place in bodies of the shape that takes an id."""
    return list(_references(shape(), (), model))


def targets(name: str, model: Any) -> tuple[type[models.Model], ...]:
    """The models that a reference's domain name may mean; every tenant model where it tells nothing."""
    stem = name.removesuffix("_ids").removesuffix("_id")
    for field in getattr(getattr(model, "_meta", None), "concrete_fields", ()):
        if field.is_relation and field.name == stem:
            return (field.related_model,)
    stem = SYNONYMS.get(stem, stem)
    if stem == "user":
        return (User,)
    return tuple(found for found in tenant_models() if found.__name__.lower() == stem.replace("_", ""))


def _references(shape: serializers.Serializer, path: tuple[str, ...], model: Any) -> Iterator[Reference]:
    for key, field in shape.fields.items():
        if field.read_only:
            continue
        is_list = isinstance(field, serializers.ListField | serializers.ListSerializer)
        inner = field.child if is_list else field
        here = (*path, key)
        if isinstance(inner, serializers.BaseSerializer):
            yield from _references(inner, (*here, *("0",) * is_list), model)
        elif isinstance(inner, serializers.UUIDField) or str(field.source or key).endswith(("_id", "_ids")):
            yield Reference(here, is_list, targets(str(field.source or key), model))


def _placed(body: Any, path: tuple[str, ...], value: Any) -> Any:
    key, *rest = path
    if key == "0":
        items = list(body or [{}])
        return [_placed(items[0], tuple(rest), value) if rest else value, *items[1:]]
    made = dict(body or {})
    made[key] = _placed(made.get(key), tuple(rest), value) if rest else value
    return made


def _is_plain_text(field: serializers.Field) -> bool:
    return type(field).__name__ in {"OptionalCharField", "LineField", "OptionalTextField"} and not getattr(
        field, "is_secret", False
    )


def _own(field: serializers.Field, tenant: Tenant, model: Any) -> Any:
    found = targets(str(field.source or field.field_name), model)
    return str(shared(found[0], tenant).pk) if found else "00000000-0000-4000-8000-000000000000"


def _list(field: Any, tenant: Tenant, model: Any) -> list[Any]:
    return [sample(field.child, tenant, model)]


def _object(field: Any, tenant: Tenant, model: Any) -> dict[str, Any]:
    return {
        key: sample(inner, tenant, model)
        for key, inner in field.fields.items()
        if inner.required and not inner.read_only
    }


_SAMPLES: tuple[tuple[Any, Any], ...] = (
    (serializers.ListSerializer, _list),
    (serializers.BaseSerializer, _object),
    (serializers.UUIDField, _own),
    (serializers.EmailField, lambda field, tenant, model: f"mail-{number()}@example.com"),
    (OptionalURLField, lambda field, tenant, model: f"https://example.com/{number()}"),
    (serializers.MultipleChoiceField, lambda field, tenant, model: [next(iter(field.choices))]),
    (serializers.ChoiceField, lambda field, tenant, model: next(value for value in field.choices if value != "")),
    (serializers.CharField, lambda field, tenant, model: f"{tenant.mark} {number()}"[-(field.max_length or 200) :]),
    (serializers.BooleanField, lambda field, tenant, model: True),
    (serializers.IntegerField, lambda field, tenant, model: int(field.min_value or 1)),
    (serializers.DecimalField, lambda field, tenant, model: 1),
    (serializers.FloatField, lambda field, tenant, model: 1),
    (serializers.DateTimeField, lambda field, tenant, model: (clock.now() + timedelta(days=1)).isoformat()),
    (serializers.DateField, lambda field, tenant, model: clock.now().date().isoformat()),
    (serializers.ListField, _list),
    (serializers.DictField, lambda field, tenant, model: {}),
    (serializers.JSONField, lambda field, tenant, model: {}),
)
