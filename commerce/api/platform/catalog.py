"""Products, their stock and variants, categories and brands on the Platform surface."""

from commerce.api.resources.catalog import Brands, Categories, Products, Variants
from commerce.api.resources.stock import Ledger
from commerce.api.shapes.catalog import BrandFields, CategoryFields, ProductFields, VariantFields
from commerce.api.shapes.stock import Movement
from crm.api.platform import PLATFORM
from crm.api.routes import resource, route


class PlatformProducts(Products):
    """`/products`."""

    surface = PLATFORM
    shape = ProductFields


class PlatformLedger(Ledger):
    """`/products/{id}/stock`."""

    surface = PLATFORM
    shape = Movement
    product_shape = ProductFields


class PlatformVariants(Variants):
    """`/products/{id}/variants`."""

    surface = PLATFORM
    shape = VariantFields


class PlatformCategories(Categories):
    """`/categories`."""

    surface = PLATFORM
    shape = CategoryFields


class PlatformBrands(Brands):
    """`/brands`."""

    surface = PLATFORM
    shape = BrandFields


urlpatterns = [
    route("products", PlatformProducts, get="list", post="create"),
    route("products/<uuid:pk>", PlatformProducts, get="retrieve", put="update", delete="destroy"),
    route("products/<uuid:pk>/restore", PlatformProducts, post="restore"),
    route("products/<uuid:product_pk>/stock", PlatformLedger, get="list", post="create"),
    *resource("products/<uuid:product_pk>/variants", PlatformVariants, restore=False),
    *resource("categories", PlatformCategories, restore=False),
    *resource("brands", PlatformBrands, restore=False),
]
