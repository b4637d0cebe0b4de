"""Promotions, shipping methods, tax rates and the shop itself on the Platform surface."""

from typing import Any

from django.http import HttpResponse

from accounts.models import Organization
from accounts.services.organizations import own_organization, update_organization
from commerce.api.serializers.terms import ShopFieldsSerializer
from commerce.api.viewsets.terms import PromotionViewSet, ShippingMethodViewSet, TaxRateViewSet
from crm.api.platform import PLATFORM
from crm.api.routers import resource, route
from crm.api.schema import extend_schema
from crm.api.viewsets import ApiViewSet


class PlatformPromotionViewSet(PromotionViewSet):
    """`/promotions`."""

    surface = PLATFORM


class PlatformShippingMethodViewSet(ShippingMethodViewSet):
    """`/shipping-methods`."""

    surface = PLATFORM


class PlatformTaxRateViewSet(TaxRateViewSet):
    """`/tax-rates`."""

    surface = PLATFORM


class PlatformShopViewSet(ApiViewSet):
    """`/shop`."""

    surface = PLATFORM
    serializer_class = ShopFieldsSerializer
    permissions = {"retrieve": "shop:update", "partial_update": "shop:update"}

    @extend_schema(response=ShopFieldsSerializer)
    def retrieve(self, request: Any) -> HttpResponse:
        """Show whether the storefront is on, its currency and its name."""
        organization_id = self.actor.organization_id
        return self.respond(
            self.query(ShopFieldsSerializer, Organization).one(
                self.actor, own_organization, organization_id, cache_key="own"
            )
        )

    @extend_schema(request=ShopFieldsSerializer, response=ShopFieldsSerializer, partial=True)
    def partial_update(self, request: Any) -> HttpResponse:
        """Switch the storefront on or off, name it, or change its currency, which converts no amount."""
        update_organization(self.actor, own_organization(self.actor).get(), **self.validate(partial=True))
        return self.retrieve(request)


urlpatterns = [
    *resource("promotions", PlatformPromotionViewSet, restore=False),
    *resource("shipping-methods", PlatformShippingMethodViewSet, restore=False),
    *resource("tax-rates", PlatformTaxRateViewSet, restore=False),
    route("shop", PlatformShopViewSet, get="retrieve", patch="partial_update"),
]
