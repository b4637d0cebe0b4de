"""What products, variants, categories and brands look like, declared once in the domain's names."""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import validate_unicode_slug
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, JSONObject
from rest_framework import serializers

from commerce.models import Brand, Category, Product, ProductStatus, Variant
from crm.api.fields import (
    AmountField,
    JSONObjectField,
    LineField,
    MoneyField,
    MoneySerializer,
    OptionalCharField,
    OptionalChoiceField,
    OptionalTextField,
    OptionalURLField,
    SqlField,
    SqlValueField,
)
from crm.api.serializers import Serializer

LARGEST_STOCK = 10**9
LONGEST_TEXT = 20_000
LONGEST_LINK = 500
MOST_IMAGES = 50


class NameOf(SqlField, LineField):
    """A category or brand by its name, found or made by the service; shown as the name."""

    response_schema = serializers.CharField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True, "allow_blank": True, "max_length": 100} | kwargs))

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the column it is read from."""
        return (f"{self.source}__name",)

    def from_row(self, name: str | None) -> str | None:
        """Return the name, or None."""
        return name


class OfStock(SqlField, serializers.IntegerField):
    """A whole number that is kept with the stock: taken under its own name, read from `column` of the stock item."""

    def __init__(self, column: str, **kwargs: Any) -> None:
        self.column = column
        super().__init__(**({"required": False, "min_value": 0} | kwargs))

    def sql(self, source: str) -> Any:
        """Return the SQL that reads it."""
        return F(f"stock__{self.column}")


class Sku(OptionalCharField):
    """An SKU; left out or empty it is made of the name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 64} | kwargs))


class Links(serializers.ListField):
    """Addresses of pictures."""

    def __init__(self, **kwargs: Any) -> None:
        child = OptionalURLField(max_length=LONGEST_LINK, allow_null=False, allow_blank=False)
        super().__init__(child=child, **({"required": False, "max_length": MOST_IMAGES} | kwargs))


def quietly(check: Callable[[str], None]) -> Callable[[str], None]:
    """Return a check that the OpenAPI documents do not tell of: no reader of theirs means the same by it.

    Which letters there are in the world changes every year.
    """

    def checked(text: str) -> None:
        check(text)

    return checked


class ProductFieldsSerializer(Serializer):
    """A product."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=200)
    sku = Sku()
    description = OptionalTextField(max_length=LONGEST_TEXT)
    category = NameOf()
    category_id = serializers.UUIDField(required=False, allow_null=True)
    brand = NameOf()
    brand_id = serializers.UUIDField(required=False, allow_null=True)
    price = AmountField(currency="currency", required=True, min_value=0)
    sale_price = AmountField(currency="currency", min_value=0, allow_null=True)
    cost = AmountField(currency="currency", min_value=0, allow_null=True)
    currency = LineField(max_length=3, min_length=3, required=False)
    stock_quantity = OfStock("quantity", max_value=LARGEST_STOCK)
    reorder_level = OfStock("reorder_level", max_value=2**31 - 1)
    status = OptionalChoiceField(ProductStatus)
    images = Links()
    attributes = JSONObjectField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Product


class VariantFieldsSerializer(Serializer):
    """A variant; price and stock are null where it has the product's."""

    id = serializers.UUIDField(read_only=True)
    product_id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=200)
    sku = Sku()
    attributes = JSONObjectField(required=False)
    price = AmountField(currency="product__currency", min_value=0, allow_null=True)
    currency = serializers.CharField(source="product.currency", read_only=True)
    stock_quantity = OfStock("quantity", max_value=LARGEST_STOCK, allow_null=True)
    reorder_level = OfStock("reorder_level", max_value=2**31 - 1, allow_null=True)
    active = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Variant


class ShelfSerializer(Serializer):
    """What categories and brands show alike."""

    id = serializers.UUIDField(read_only=True)
    name = LineField(max_length=100)
    slug = OptionalCharField(max_length=120, allow_null=False, validators=[quietly(validate_unicode_slug)])
    description = OptionalTextField(max_length=LONGEST_TEXT, allow_null=False)
    active = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class CategoryFieldsSerializer(ShelfSerializer):
    """A category."""

    parent_id = serializers.UUIDField(required=False, allow_null=True)
    image_url = OptionalURLField(max_length=LONGEST_LINK, allow_null=False)

    class Meta:
        model = Category


class BrandFieldsSerializer(ShelfSerializer):
    """A brand."""

    logo_url = OptionalURLField(max_length=LONGEST_LINK, allow_null=False)

    class Meta:
        model = Brand


class ShopProductSerializer(Serializer):
    """A product as a shop shows it."""

    id = serializers.UUIDField(read_only=True)
    sku = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)
    base_price = MoneyField(source="price")
    SalePrice = MoneyField(source="sale_price")
    status = serializers.CharField(read_only=True)
    brand_id = serializers.UUIDField(read_only=True)
    category_id = serializers.UUIDField(read_only=True)
    images = Links(read_only=True)
    attributes = JSONObjectField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Product


class ShopVariantSerializer(Serializer):
    """A form in which a product can be bought, with the price that is charged for it."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    attributes = serializers.DictField()
    price = MoneySerializer()
    in_stock = serializers.BooleanField()


def _sold(**conditions: Any) -> Any:
    """Return the living, active variants of the product that the query is about."""
    rows = Variant.objects.filter(organization_id=OuterRef("organization_id"), product_id=OuterRef("pk"))
    return rows.filter(active=True, deleted_at=None, **conditions)


IN_STOCK = Q(stock__quantity__gt=0) | Exists(_sold(stock__quantity__gt=0))
_VARIANTS = ArraySubquery(
    _sold()
    .order_by("created_at", "id")
    .values(
        variant=JSONObject(
            id="id",
            sku="sku",
            name="name",
            attributes="attributes",
            price=JSONObject(amount=Coalesce("price", "product__current_price"), currency="product__currency"),
            in_stock=Case(
                When(stock__isnull=False, then=Q(stock__quantity__gt=0)), default=Q(product__stock__quantity__gt=0)
            ),
        )
    )
)


class ShopProductDetailsSerializer(ShopProductSerializer):
    """A product's own page: beside the list's keys whether it is in stock, and its variants."""

    in_stock = SqlValueField(
        Case(When(IN_STOCK, then=Value(True)), default=Value(False), output_field=BooleanField()),
        serializers.BooleanField(),
    )
    variants = SqlValueField(_VARIANTS, ShopVariantSerializer(many=True))


class ShopCategorySerializer(CategoryFieldsSerializer):
    """A category as a shop shows it."""


class ShopBrandSerializer(BrandFieldsSerializer):
    """A brand as a shop shows it."""
