"""Products, variants, categories and brands as resources: rows, filters, orders, services."""

from functools import cached_property
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.http import HttpResponse

from commerce.api.serializers.catalog import IN_STOCK
from commerce.models import Brand, Category, Product, ProductStatus, Variant
from commerce.services import products, taxonomy, variants
from contacts.services.search_index import normal_name
from crm.api.filtersets import ContainsFilter, FilterSet, SearchFilter
from crm.api.viewsets import ResourceViewSet, Services
from crm.core.actor import Actor
from crm.core.errors import NotFound
from crm.core.money import LARGEST_MINOR


class ProductFilterSet(FilterSet):
    """Filters of product lists."""

    search = SearchFilter()
    category = django_filters.CharFilter(field_name="category", method="named")
    category_id = django_filters.UUIDFilter()
    brand = django_filters.CharFilter(field_name="brand", method="named")
    brand_id = django_filters.UUIDFilter()
    status = django_filters.ChoiceFilter(choices=ProductStatus.choices)
    low_stock = django_filters.BooleanFilter(method="with_low_stock")

    def named(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what stands in a category, or is of a brand, of this name: case, accents and spaces aside."""
        return rows.filter(**{f"{name}__name_normalized": normal_name(value)})

    def with_low_stock(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001 - the library's signature
        """Keep what has fallen to its reorder level, or what has not."""
        low = {"stock__quantity__lte": F("stock__reorder_level")}
        return rows.filter(**low) if value else rows.exclude(**low)


class MinorUnits(django_filters.NumberFilter):
    """An amount in minor units."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST_MINOR, **kwargs)


class WithinFilter(django_filters.UUIDFilter):
    """What stands in a category or anywhere below it."""

    def filter(self, qs: Any, value: UUID | None) -> Any:
        """Narrow to the category's tree."""
        return qs.within(self.parent.actor, value) if value else qs


class ShopFilterSet(FilterSet):
    """Filters of a shop's catalog; prices are what is charged."""

    search = SearchFilter()
    category_id = WithinFilter()
    brand = django_filters.CharFilter(method="of_brand")
    min_price = MinorUnits(field_name="current_price", lookup_expr="gte")
    max_price = MinorUnits(field_name="current_price", lookup_expr="lte")
    in_stock = django_filters.BooleanFilter(method="with_stock")

    def of_brand(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what is of a brand, by its id or slug, case aside."""
        try:
            return rows.filter(brand_id=UUID(value))
        except ValueError:
            return rows.filter(brand__slug__iexact=value.strip())

    def with_stock(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001 - the library's signature
        """Keep what can be bought now, in any of its variants, or what cannot."""
        return rows.filter(IN_STOCK) if value else rows.exclude(IN_STOCK)


class ProductViewSet(ResourceViewSet):
    """Products."""

    permission_resource = "products"
    model = Product
    verbose_name = "Product"
    verbose_name_plural = "products"
    filterset_class = ProductFilterSet
    counter = "products"
    ordering_fields = {
        "created_at": "created_at",
        "updated_at": "updated_at",
        "name": "name_normalized",
        "sku": "sku_normalized",
        "price": "price",
        "stock": "stock__quantity",
    }
    services = Services(
        create=products.create_product,
        update=products.update_product,
        delete=products.delete_product,
        restore=products.restore_product,
    )


class ProductChildViewSet(ResourceViewSet):
    """What hangs on a product, which the address names first."""

    is_compiled = False

    @cached_property
    def product(self) -> Product:
        """Return the product, or raise `NotFound`."""
        found: Product | None = (
            Product.objects.visible_to(self.actor).alive().filter(pk=self.kwargs["product_pk"]).first()
        )
        if found is None:
            raise NotFound("Product not found.")
        return found


class VariantViewSet(ProductChildViewSet):
    """The variants of a product."""

    permission_resource = "products"
    model = Variant
    verbose_name = "Variant"
    verbose_name_plural = "variants"
    ordering_fields = {"created_at": "created_at", "name": "name", "sku": "sku_normalized"}
    ordering = ("created_at", "id")
    services = Services(update=variants.update_variant, delete=variants.delete_variant)

    def get_queryset(self, actor: Actor) -> QuerySet[Variant]:
        """Return the product's living variants."""
        rows: QuerySet[Variant] = Variant.objects.visible_to(actor).alive().filter(product=self.product)
        return rows

    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Add a variant."""
        return self.respond_with(variants.create_variant(self.actor, self.product, **self.validate()), 201)


class CategoryFilterSet(FilterSet):
    """Filters of category lists."""

    search = ContainsFilter("name")
    parent_id = django_filters.UUIDFilter()
    active = django_filters.BooleanFilter()


class BrandFilterSet(FilterSet):
    """Filters of brand lists."""

    search = ContainsFilter("name")
    active = django_filters.BooleanFilter()


class CategoryViewSet(ResourceViewSet):
    """Categories."""

    permission_resource = "products"
    model = Category
    verbose_name = "Category"
    verbose_name_plural = "categories"
    filterset_class = CategoryFilterSet
    ordering_fields = {"created_at": "created_at", "name": "name_normalized"}
    services = Services(
        create=taxonomy.create_category, update=taxonomy.update_category, delete=taxonomy.delete_category
    )


class BrandViewSet(ResourceViewSet):
    """Brands."""

    permission_resource = "products"
    model = Brand
    verbose_name = "Brand"
    verbose_name_plural = "brands"
    filterset_class = BrandFilterSet
    ordering_fields = {"created_at": "created_at", "name": "name_normalized"}
    services = Services(create=taxonomy.create_brand, update=taxonomy.update_brand, delete=taxonomy.delete_brand)
