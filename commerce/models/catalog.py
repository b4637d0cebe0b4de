"""The catalog: categories (a tree), brands, products and their variants."""

from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import CharField, F, Func, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from commerce.models.stock import StockItem
from crm.core import search
from crm.core.actor import Actor
from crm.core.db import SoftDeleteModel, TenantForeignKey, TenantQuerySet
from crm.core.fields import FreeObjectField, LineField, WebAddressField
from crm.core.money import LARGEST_MINOR

LONGEST_NORMALIZED_SKU = 200  # of 64 characters: some become three when their case is folded


class ProductStatus(models.TextChoices):
    """Whether a product can be bought: only active ones."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISCONTINUED = "discontinued"


class CategoryRows(TenantQuerySet[Any]):
    """Questions about categories."""

    def within(self, actor: Actor | UUID, category_id: UUID) -> Self:
        """Keep a living category of the actor's organization, and everything below it."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        below = RawSQL(_BELOW, (organization_id, category_id, organization_id))  # noqa: S611 - fixed text
        return self.filter(pk__in=below)


_BELOW = """
    WITH RECURSIVE below AS (
        SELECT id FROM commerce_category WHERE organization_id = %s AND id = %s AND deleted_at IS NULL
        UNION
        SELECT child.id FROM commerce_category AS child JOIN below ON child.parent_id = below.id
        WHERE child.organization_id = %s AND child.deleted_at IS NULL
    ) SELECT id FROM below
"""


class Category(SoftDeleteModel):
    """A shelf of the shop; what is on its children is on it too."""

    name = LineField(max_length=100)
    name_normalized = models.CharField(max_length=100, editable=False)
    slug = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    parent = TenantForeignKey("self", null=True, blank=True, related_name="children", db_index=False)
    image_url = WebAddressField(max_length=500, blank=True)
    active = models.BooleanField(default=True)

    objects: ClassVar[Any] = CategoryRows.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "slug"], name="category_slug_once", condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="category_not_its_own_parent"),
        ]
        indexes = [
            models.Index("organization", "parent", "id", name="category_parent", condition=Q(deleted_at=None)),
            models.Index("organization", "name_normalized", "id", name="category_name", condition=Q(deleted_at=None)),
        ]

    def __str__(self) -> str:
        return self.name


class Brand(SoftDeleteModel):
    """Who makes it."""

    name = LineField(max_length=100)
    name_normalized = models.CharField(max_length=100, editable=False)
    slug = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    logo_url = WebAddressField(max_length=500, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "slug"], name="brand_slug_once", condition=Q(deleted_at=None)
            )
        ]
        indexes = [
            models.Index("organization", "name_normalized", "id", name="brand_name", condition=Q(deleted_at=None))
        ]

    def __str__(self) -> str:
        return self.name


# As text of the statement: what is planned once, for any parameters, could not use the indexes of active products.
ACTIVE = Func(template=f"'{ProductStatus.ACTIVE}'", output_field=CharField())


class ProductRows(TenantQuerySet[Any]):
    """Questions about products."""

    def searched(self, actor: Actor | UUID, text: str) -> Self:
        """Keep the products in which every word of `text` begins a word of name, SKU, brand or description."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        return self.filter(search.matching("search", organization_id, text))

    def on_sale(self) -> Self:
        """Keep what a shop shows: living products that are active."""
        return self.filter(deleted_at__isnull=True, status=ACTIVE)

    def within(self, actor: Actor | UUID, category_id: UUID) -> Self:
        """Keep what stands in a category or anywhere below it."""
        return self.filter(category_id__in=Category.objects.of(actor).within(actor, category_id).values("pk"))


class Product(SoftDeleteModel):
    """What is sold: one row behind all three surfaces. Prices are in minor units of `currency`.

    `current_price` is what is charged: `sale_price` where there is one. `stock` is the balance it is sold from.
    """

    name = LineField(max_length=200)
    name_normalized = models.CharField(max_length=200, editable=False)
    sku = models.CharField(max_length=64)
    sku_normalized = models.CharField(max_length=LONGEST_NORMALIZED_SKU, editable=False)
    description = models.TextField(blank=True)
    category = TenantForeignKey(Category, null=True, blank=True, related_name="products", db_index=False)
    brand = TenantForeignKey(Brand, null=True, blank=True, related_name="products", db_index=False)
    price = models.BigIntegerField()
    sale_price = models.BigIntegerField(null=True, blank=True)
    current_price = models.GeneratedField(
        expression=Coalesce("sale_price", "price"), output_field=models.BigIntegerField(), db_persist=True
    )
    cost = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12, choices=ProductStatus, default=ProductStatus.ACTIVE)
    images = ArrayField(WebAddressField(max_length=500), default=list, blank=True)
    attributes = FreeObjectField(default=dict, blank=True)
    stock = TenantForeignKey(StockItem, related_name="products", db_index=False, editable=False)
    search = SearchVectorField(null=True, editable=False)
    created_by = TenantForeignKey(
        "accounts.User", null=True, blank=True, related_name="+", db_index=False, editable=False
    )

    objects: ClassVar[Any] = ProductRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sku_normalized"], name="product_sku_once", condition=Q(deleted_at=None)
            ),
            models.UniqueConstraint(fields=["organization", "stock"], name="product_stock_once"),
            models.CheckConstraint(condition=Q(price__gte=0, price__lte=LARGEST_MINOR), name="product_price_range"),
            models.CheckConstraint(
                condition=Q(sale_price__isnull=True) | Q(sale_price__gte=0, sale_price__lte=LARGEST_MINOR),
                name="product_sale_price_range",
            ),
        ]
        indexes = [
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="product_recent",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="product_on_sale",
                condition=Q(deleted_at=None, status="active"),
            ),
            models.Index(
                "organization",
                "current_price",
                "id",
                name="product_on_sale_price",
                condition=Q(deleted_at=None, status="active"),
            ),
            models.Index("organization", "name_normalized", "id", name="product_name", condition=Q(deleted_at=None)),
            models.Index(
                "organization",
                "brand",
                F("created_at").desc(),
                F("id").desc(),
                name="product_brand",
                condition=Q(deleted_at=None, brand__isnull=False),
            ),
            models.Index(
                "organization",
                "category",
                F("created_at").desc(),
                F("id").desc(),
                name="product_category",
                condition=Q(deleted_at=None),
            ),
            # The back office looks across organizations, by prefix.
            models.Index(OpClass("name_normalized", "varchar_pattern_ops"), name="product_name_prefix"),
            models.Index(OpClass("sku_normalized", "varchar_pattern_ops"), name="product_sku_prefix"),
            GinIndex("search", name="product_search", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(SoftDeleteModel):
    """A form a product comes in. Without a price or a stock of its own it has the product's.

    An SKU stands once among products and variants alike; each table's own constraint holds it for itself.
    """

    product = TenantForeignKey(Product, related_name="variants", db_index=False)
    sku = models.CharField(max_length=64)
    sku_normalized = models.CharField(max_length=LONGEST_NORMALIZED_SKU, editable=False)
    name = LineField(max_length=200)
    attributes = FreeObjectField(default=dict, blank=True)
    price = models.BigIntegerField(null=True, blank=True)
    stock = TenantForeignKey(StockItem, null=True, blank=True, related_name="+", db_index=False, editable=False)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sku_normalized"], name="variant_sku_once", condition=Q(deleted_at=None)
            ),
            models.UniqueConstraint(fields=["organization", "stock"], name="variant_stock_once"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0, price__lte=LARGEST_MINOR),
                name="variant_price_range",
            ),
        ]
        indexes = [models.Index("organization", "product", "id", name="variant_product")]

    def __str__(self) -> str:
        return self.name
