"""Products, their stock and variants, categories and brands on the Platform surface."""

from commerce.api.serializers.catalog import (
    BrandFieldsSerializer,
    CategoryFieldsSerializer,
    ProductFieldsSerializer,
    VariantFieldsSerializer,
)
from commerce.api.serializers.stock import MovementSerializer
from commerce.api.viewsets.catalog import BrandViewSet, CategoryViewSet, ProductViewSet, VariantViewSet
from commerce.api.viewsets.stock import StockMovementViewSet
from crm.api.platform import PLATFORM
from crm.api.routers import resource, route


class PlatformProductViewSet(ProductViewSet):
    """`/products`."""

    surface = PLATFORM
    serializer_class = ProductFieldsSerializer


class PlatformStockMovementViewSet(StockMovementViewSet):
    """`/products/{id}/stock`."""

    surface = PLATFORM
    serializer_class = MovementSerializer
    product_serializer_class = ProductFieldsSerializer


class PlatformVariantViewSet(VariantViewSet):
    """`/products/{id}/variants`."""

    surface = PLATFORM
    serializer_class = VariantFieldsSerializer


class PlatformCategoryViewSet(CategoryViewSet):
    """`/categories`."""

    surface = PLATFORM
    serializer_class = CategoryFieldsSerializer


class PlatformBrandViewSet(BrandViewSet):
    """`/brands`."""

    surface = PLATFORM
    serializer_class = BrandFieldsSerializer


urlpatterns = [
    route("products", PlatformProductViewSet, get="list", post="create"),
    route("products/<uuid:pk>", PlatformProductViewSet, get="retrieve", put="update", delete="destroy"),
    route("products/<uuid:pk>/restore", PlatformProductViewSet, post="restore"),
    route("products/<uuid:product_pk>/stock", PlatformStockMovementViewSet, get="list", post="create"),
    *resource("products/<uuid:product_pk>/variants", PlatformVariantViewSet, restore=False),
    *resource("categories", PlatformCategoryViewSet, restore=False),
    *resource("brands", PlatformBrandViewSet, restore=False),
]
