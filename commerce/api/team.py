"""Products on the Team surface."""

from commerce.api.resources.catalog import Products
from commerce.api.shapes.catalog import ProductFields
from crm.api.routes import resource
from crm.api.shapes import CamelShape
from crm.api.team import TEAM


class TeamProduct(ProductFields, CamelShape):
    """A product in camelCase."""


class TeamProducts(Products):
    """`/products`."""

    surface = TEAM
    shape = TeamProduct


urlpatterns = resource("products", TeamProducts)
