"""The catalog of a shop: for everybody who knows its address, and what is on sale alone."""

from django.db.models import QuerySet
from django.http import HttpResponse

from accounts.services import shops
from commerce.api.serializers.catalog import (
    ShopBrandSerializer,
    ShopCategorySerializer,
    ShopProductDetailsSerializer,
    ShopProductSerializer,
)
from commerce.api.viewsets.catalog import ShopFilterSet
from commerce.models import Brand, Category, Product
from crm.api.routers import route
from crm.api.storefront import STOREFRONT
from crm.api.viewsets import ResourceViewSet
from crm.core.actor import Actor
from crm.core.db import CompiledQuery
from crm.core.errors import NotFound


class ShopCatalogViewSet(ResourceViewSet):
    """What a shop shows to anybody, token or none."""

    surface = STOREFRONT
    allow_anonymous = {"list": "a shop shows its catalog to everybody", "retrieve": "the same"}
    cacheable = frozenset(allow_anonymous)

    def handle_anonymous(self) -> HttpResponse:
        """Enter the shop that the address names, as a visitor."""
        slug, state = self.kwargs["shop"], dict(vars(self))
        try:
            with shops.enter_read_only(slug) as check:
                return self.run_read_only(check)
        except shops.ShopClosed:  # it is forgotten now, and looked for anew
            with shops.enter_read_only(slug) as check:
                return self.fresh(state).run_read_only(check)


class ShopProductViewSet(ShopCatalogViewSet):
    """`/catalog/products`."""

    model = Product
    verbose_name = "Product"
    verbose_name_plural = "products"
    serializer_class = ShopProductDetailsSerializer
    list_serializer_class = ShopProductSerializer
    filterset_class = ShopFilterSet
    counter = "products on sale"
    ordering_fields = {"created_at": "created_at", "name": "name_normalized", "price": "current_price"}

    def get_queryset(self, actor: Actor) -> QuerySet[Product]:
        """Return what is on sale."""
        rows: QuerySet[Product] = Product.objects.of(actor).on_sale()
        return rows


class ShopCategoryProductViewSet(ShopProductViewSet):
    """`/catalog/products/category/:id`: what stands in the category or below it."""

    def get_filter_data(self) -> dict[str, str]:
        """Add the category of the address, which must be there and be shown."""
        pk = self.kwargs["pk"]
        if not _SHOWN.rows(self.actor, pk=pk):
            raise NotFound("Category not found.")
        return {**super().get_filter_data(), "category_id": str(pk)}


_SHOWN = CompiledQuery(
    lambda actor, pk: Category.objects.of(actor).alive().filter(pk=pk, active=True).values_list("pk")
)


class ShopCategoryViewSet(ShopCatalogViewSet):
    """`/catalog/categories`."""

    model = Category
    verbose_name = "Category"
    verbose_name_plural = "categories"
    serializer_class = ShopCategorySerializer
    ordering_fields = {"created_at": "created_at", "name": "name_normalized"}
    ordering = ("name_normalized", "id")

    def get_queryset(self, actor: Actor) -> QuerySet[Category]:
        """Return the categories that are shown."""
        rows: QuerySet[Category] = Category.objects.of(actor).alive().filter(active=True)
        return rows


class ShopBrandViewSet(ShopCatalogViewSet):
    """`/catalog/brands`."""

    model = Brand
    verbose_name = "Brand"
    verbose_name_plural = "brands"
    serializer_class = ShopBrandSerializer
    ordering_fields = {"created_at": "created_at", "name": "name_normalized"}
    ordering = ("name_normalized", "id")

    def get_queryset(self, actor: Actor) -> QuerySet[Brand]:
        """Return the brands that are shown."""
        rows: QuerySet[Brand] = Brand.objects.of(actor).alive().filter(active=True)
        return rows


urlpatterns = [
    route("catalog/products", ShopProductViewSet, get="list"),
    route("catalog/products/<uuid:pk>", ShopProductViewSet, get="retrieve"),
    route("catalog/products/category/<uuid:pk>", ShopCategoryProductViewSet, get="list"),
    route("catalog/categories", ShopCategoryViewSet, get="list"),
    route("catalog/brands", ShopBrandViewSet, get="list"),
]
