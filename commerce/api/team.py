"""Products on the Team surface."""

from commerce.api.serializers.catalog import ProductFieldsSerializer
from commerce.api.viewsets.catalog import ProductViewSet
from crm.api.routers import resource
from crm.api.team import TEAM


class TeamProductSerializer(ProductFieldsSerializer):
    """A product in camelCase."""


class TeamProductViewSet(ProductViewSet):
    """`/products`."""

    surface = TEAM
    serializer_class = TeamProductSerializer


urlpatterns = resource("products", TeamProductViewSet)
