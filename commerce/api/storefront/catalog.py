"""The catalog of a shop: for everybody who knows its address, and what is on sale alone."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from accounts.services import shops
from commerce.api.resources.catalog import ShopFilters
from commerce.api.shapes.catalog import ShopBrand, ShopCategory, ShopProduct, ShopProductDetails
from commerce.models import Brand, Category, Product
from crm.api.resources import Resource
from crm.api.routes import route
from crm.api.storefront import STOREFRONT
from crm.core.actor import Actor
from crm.core.db import CompiledQuery
from crm.core.errors import NotFound


class Showcase(Resource):
    """What a shop shows to anybody, token or none."""

    surface = STOREFRONT
    public = {"list": "a shop shows its catalog to everybody", "retrieve": "the same"}
    shared = frozenset(public)

    def perform_for_anybody(self, handler: Any) -> HttpResponse:
        """Enter the shop that the address names, as a visitor."""
        return shops.visit(self.kwargs["shop"], lambda visitor: self.perform(handler, visitor))


class ShopProducts(Showcase):
    """`/catalog/products`."""

    model = Product
    noun = "Product"
    plural = "products"
    shape = ShopProductDetails
    list_shape = ShopProduct
    filters = ShopFilters
    tally = "products on sale"
    orders = {"created_at": "created_at", "name": "name_normalized", "price": "current_price"}

    def rows(self, actor: Actor) -> QuerySet[Product]:
        """Return what is on sale."""
        rows: QuerySet[Product] = Product.objects.of(actor).on_sale()
        return rows


class ShopCategoryProducts(ShopProducts):
    """`/catalog/products/category/:id`: what stands in the category or below it."""

    def filters_asked(self) -> dict[str, str]:
        """Add the category of the address, which must be there and be shown."""
        pk = self.kwargs["pk"]
        if not _SHOWN.rows(self.actor, pk=pk):
            raise NotFound("Category not found.")
        return {**super().filters_asked(), "category_id": str(pk)}


_SHOWN = CompiledQuery(
    lambda actor, pk: Category.objects.of(actor).alive().filter(pk=pk, active=True).values_list("pk")
)


class ShopCategories(Showcase):
    """`/catalog/categories`."""

    model = Category
    noun = "Category"
    plural = "categories"
    shape = ShopCategory
    orders = {"created_at": "created_at", "name": "name_normalized"}
    default_order = ("name_normalized", "id")

    def rows(self, actor: Actor) -> QuerySet[Category]:
        """Return the categories that are shown."""
        rows: QuerySet[Category] = Category.objects.of(actor).alive().filter(active=True)
        return rows


class ShopBrands(Showcase):
    """`/catalog/brands`."""

    model = Brand
    noun = "Brand"
    plural = "brands"
    shape = ShopBrand
    orders = {"created_at": "created_at", "name": "name_normalized"}
    default_order = ("name_normalized", "id")

    def rows(self, actor: Actor) -> QuerySet[Brand]:
        """Return the brands that are shown."""
        rows: QuerySet[Brand] = Brand.objects.of(actor).alive().filter(active=True)
        return rows


urlpatterns = [
    route("catalog/products", ShopProducts, get="list"),
    route("catalog/products/<uuid:pk>", ShopProducts, get="retrieve"),
    route("catalog/products/category/<uuid:pk>", ShopCategoryProducts, get="list"),
    route("catalog/categories", ShopCategories, get="list"),
    route("catalog/brands", ShopBrands, get="list"),
]
