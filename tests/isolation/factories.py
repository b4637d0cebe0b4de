"""What the addresses name: which model each URL parameter stands for, and how to make one in an organization.

A row is made from its model's own fields, so that a new table needs nothing here. `@made` overrides that for a model
whose rows must hang together in a way its fields do not tell.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models import Organization, Permission, Role, User, UserRole
from commerce.models import Cart, StockItem, TaxRate
from crm.core import clock, search
from crm.core.fields import WebAddressField
from sales.models import Deal, Stage
from tests.isolation.routes import Route
from tests.isolation.tenants import Tenant, number

# (view, parameter) -> model, where the view's own model does not tell. A view is named without its surface's prefix;
# an entry for a parent class covers its surfaces.
PARAMETERS: dict[tuple[str, str], str] = {
    ("RoleResourceViewSet", "pk"): "accounts.Role",
    ("RoleResourceViewSet", "permission_pk"): "accounts.Permission",
    ("PermissionViewSet", "pk"): "accounts.Permission",
    ("UserRoleViewSet", "pk"): "accounts.User",
    ("UserRoleViewSet", "role_pk"): "accounts.Role",
    ("TimelineViewSet", "pk"): "contacts.Contact",
    ("ProductChildViewSet", "product_pk"): "commerce.Product",
    ("ShopCategoryProductViewSet", "pk"): "commerce.Category",
    ("StageViewSet", "pipeline_pk"): "sales.Pipeline",
    ("TeamStageMoveViewSet", "pk"): "sales.Pipeline",
    ("CartViewSet", "pk"): "commerce.CartItem",
}

# Columns that may not say just anything, with the reason; a canary is not written there.
NOT_FREE_TEXT = {
    "password": "a hash",
    "token_hash": "a hash that requests look up",
    "state_hash": "a hash that requests look up",
    "dedupe_hash": "a hash that is compared",
    "body_hash": "a hash that is compared",
    "timezone": "a time zone's name, which is computed with",
    "currency": "a currency's code, which is computed with",
    "kind": "names what a tally counts",
    "order_number": "made of digits",
    "topic": "names the handler of an outbox message",
}

# Parameters that name no row: a function of the tenant that gives a value.
VALUES: dict[str, Callable[[Tenant], Any]] = {}

Maker = Callable[..., models.Model]
MAKERS: dict[str, Maker] = {}


def made(label: str) -> Callable[[Maker], Maker]:
    """Register how a model (`app.Model`) is made: a function of (tenant, owner, **given)."""

    def register(maker: Maker) -> Maker:
        MAKERS[label.lower()] = maker
        return maker

    return register


@cache
def tenant_models() -> tuple[type[models.Model], ...]:
    """Every model whose rows belong to an organization."""
    return tuple(
        model
        for model in apps.get_models()
        if any(field.name == "organization" and field.related_model is Organization for field in model._meta.fields)
    )


def model_of(route: Route, parameter: str) -> type[models.Model]:
    """The model that a URL parameter names; LookupError says what to add."""
    for parent in route.view.__mro__:
        if (parent.__name__, parameter) in PARAMETERS:
            return apps.get_model(PARAMETERS[parent.__name__, parameter])
    model = getattr(route.view, "model", None)
    if parameter != "pk" or model is None:
        raise LookupError(
            f"{route}: nothing tells what <{parameter}> names. "
            f'Add ("{route.view.__name__}", "{parameter}"): "app.Model" to PARAMETERS in tests/isolation/factories.py.'
        )
    return model


def make(model: type[models.Model], tenant: Tenant, owner: User | None = None, **given: Any) -> models.Model:
    """A new row of the model in the organization, owned by `owner` where rows have owners."""
    maker = MAKERS.get(model._meta.label_lower)
    with tenant.scope():
        if maker is not None:
            return maker(tenant, owner, **given)
        return plain(model, tenant, owner, **given)


def plain(model: type[models.Model], tenant: Tenant, owner: User | None = None, **given: Any) -> models.Model:
    """A new row with a value in every field that needs one."""
    row = drafted(model, tenant, owner, **given)
    row.save(force_insert=True)
    return row


def drafted(model: type[models.Model], tenant: Tenant, owner: User | None = None, **given: Any) -> models.Model:
    """The same, not saved."""
    values = {
        field.attname: value
        for field in model._meta.concrete_fields
        if (value := _value(field, tenant, owner)) is not None
    }
    values |= given
    row = model(**values)
    if any(isinstance(field, SearchVectorField) for field in model._meta.fields):
        texts = [value for value in values.values() if isinstance(value, str)]
        row.search = search.vector(tenant.id, *texts)
    return row


def make_many(model: type[models.Model], tenant: Tenant, count: int) -> None:
    """So many rows more, at once."""
    owner = tenant.person("staff")
    with tenant.scope():
        model._base_manager.bulk_create([drafted(model, tenant, owner) for _ in range(count)])


def shared(model: type[models.Model], tenant: Tenant) -> models.Model:
    """The organization's one row of the model that other rows refer to; it belongs to the member of the staff."""
    if model not in tenant.things:
        if model is Organization:
            return tenant.organization
        if model is User:
            return tenant.person("staff")
        if model is Role:
            return make(Role, tenant)
        tenant.things[model] = make(model, tenant, tenant.person("staff"))
    return tenant.things[model]


def make_within(
    model: type[models.Model], tenant: Tenant, owner: User | None, parents: Mapping[type[models.Model], models.Model]
) -> models.Model:
    """A new row that belongs to the rows before it in the address."""
    given = {
        field.attname: parents[field.related_model].pk
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model in parents
    }
    return make(model, tenant, owner, **given)


def tie(tenant: Tenant, rows: list[models.Model]) -> None:
    """Make true what an address with two names presumes, such as that the role holds the permission."""
    with tenant.scope():
        match rows:
            case [Role() as role, Permission() as permission]:
                Role.objects.filter(pk=role.pk).update(permissions=[*role.permissions, str(permission)])
            case [User() as user, Role() as role]:
                UserRole.objects.create(organization_id=tenant.id, user=user, role=role)


def furnish(tenant: Tenant) -> None:
    """Put a row into every table of the organization, every reference filled."""
    for model in tenant_models():
        if model not in tenant.things:
            tenant.things[model] = make(model, tenant, tenant.person("staff"), **_references(model, tenant))


def _references(model: type[models.Model], tenant: Tenant) -> dict[str, Any]:
    """Values of the optional references whose rows are already there."""
    return {
        field.attname: tenant.things[field.related_model].pk
        for field in model._meta.concrete_fields
        if field.is_relation and field.null and field.related_model in tenant.things
    }


def _value(field: models.Field, tenant: Tenant, owner: User | None) -> Any:
    """A value for a field of a new row; None leaves it to the default."""
    if field.is_relation:
        return _reference(field, tenant, owner)
    if isinstance(field, models.CharField | models.TextField):
        return text(field, tenant) if free_text(field) else _bound_text(field)
    if isinstance(field, ArrayField) and isinstance(field.base_field, models.CharField) and field.name != "permissions":
        return [text(field.base_field, tenant, column=field.column, table=field.model._meta.db_table)]
    if isinstance(field, models.JSONField) and field.default is dict:
        return {"note": f"{tenant.mark}-{field.model._meta.db_table}-{field.column}"}
    made_by_itself = field.primary_key or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    if made_by_itself or field.has_default() or field.null:
        return None
    return next((value() for kind, value in _REQUIRED if isinstance(field, kind)), None)


def _reference(field: models.Field, tenant: Tenant, owner: User | None) -> Any:
    if field.name == "organization":
        return tenant.id
    if field.related_model is User and not field.null and _stands_once(field):
        return make(User, tenant).pk
    if owner is not None and field.attname in {getattr(field.model, "owned_by", None), "owner_id", "created_by_id"}:
        return owner.pk
    if field.null:
        return None
    # A reference that may stand only once needs a row of its own.
    alone = any(
        field.name in constraint.fields for constraint in field.model._meta.constraints if hasattr(constraint, "fields")
    )
    related = field.related_model
    if related is User and owner is not None and not alone:
        return owner.pk
    return (make(related, tenant, owner) if alone and related is not User else shared(related, tenant)).pk


def _stands_once(field: models.Field) -> bool:
    """Tell whether an organization has at most one row for each value of the column."""
    return any(
        set(getattr(constraint, "fields", ())) == {"organization", field.name}
        for constraint in field.model._meta.constraints
    )


def free_text(field: models.Field) -> bool:
    """Tell whether a column takes any text that is long enough to carry a canary."""
    return (
        not field.choices and field.name not in NOT_FREE_TEXT and (field.max_length is None or field.max_length >= 12)
    )


def text(field: models.Field, tenant: Tenant, *, table: str = "", column: str = "") -> str:
    """Text that says where it stands and is different in every row."""
    end = f"-{number()}"
    if isinstance(field, models.EmailField):
        return f"{tenant.mark}-{column or field.column}{end}@example.com".replace("_", "-").lower()
    words = f"{tenant.mark}-{table or field.model._meta.db_table}-{column or field.column}"
    if isinstance(field, WebAddressField):
        return f"https://example.com/{words}{end}"
    return words[: (field.max_length or 200) - len(end)] + end


def _bound_text(field: models.Field) -> Any:
    if field.name.endswith("_hash"):
        return f"{number():064d}"[: field.max_length]
    if field.has_default() or field.blank:
        return None
    if field.name == "currency":
        return "USD"
    return field.choices[0][0] if field.choices else str(number())[: field.max_length]


_REQUIRED: tuple[tuple[Any, Callable[[], Any]], ...] = (
    (models.DateTimeField, lambda: clock.now() + timedelta(days=1)),
    (models.DateField, lambda: clock.now().date() + timedelta(days=number())),  # some stand once a day
    (models.UUIDField, uuid4),
    (models.BooleanField, lambda: False),
    (models.IntegerField | models.DecimalField | models.FloatField, lambda: 1),
    (models.JSONField, dict),
)


@made("accounts.User")
def _user(tenant: Tenant, owner: User | None, **given: Any) -> User:
    return tenant.join("target", [tenant.roles["staff"]], **given)


@made("accounts.Role")
def _role(tenant: Tenant, owner: User | None, **given: Any) -> Role:
    return plain(Role, tenant, owner, **({"rank": 15, "permissions": ["contacts:view"]} | given))


@made("accounts.Permission")
def _permission(tenant: Tenant, owner: User | None, **given: Any) -> Permission:
    return plain(Permission, tenant, owner, **given)


@made("sales.Deal")
def _deal(tenant: Tenant, owner: User | None, **given: Any) -> Deal:
    stage = shared(Stage, tenant)
    pipeline_id = given.get("pipeline_id", stage.pipeline_id)
    if pipeline_id != stage.pipeline_id:
        stage = make(Stage, tenant, owner, pipeline_id=pipeline_id)
    where = {"stage_id": stage.pk, "pipeline_id": pipeline_id, "rank": number()}
    return plain(Deal, tenant, owner, **(where | given))


@made("commerce.Cart")
def _cart(tenant: Tenant, owner: User | None, **given: Any) -> Cart:
    user = given.setdefault("user_id", (owner or tenant.person("staff")).pk)
    there = Cart.objects.filter(organization_id=tenant.id, user_id=user).first()
    return there or plain(Cart, tenant, owner, **given)


@made("commerce.StockItem")
def _stock(tenant: Tenant, owner: User | None, **given: Any) -> StockItem:
    return plain(StockItem, tenant, owner, **({"quantity": 100_000} | given))


@made("commerce.TaxRate")
def _tax_rate(tenant: Tenant, owner: User | None, **given: Any) -> models.Model:
    return plain(TaxRate, tenant, owner, **({"country": "US"} | given))
