"""Promotions, shipping methods, tax rates and the shop itself on the Platform surface."""

from typing import Any

from django.http import HttpResponse

from accounts.models import Organization
from accounts.services.settings import own_organization, update_organization
from commerce.api.resources.terms import Promotions, ShippingMethods, TaxRates
from commerce.api.shapes.terms import ShopFields
from crm.api.platform import PLATFORM
from crm.api.resources import query_of
from crm.api.routes import resource, route
from crm.api.schema import describes
from crm.api.views import ApiView


class PlatformPromotions(Promotions):
    """`/promotions`."""

    surface = PLATFORM


class PlatformShippingMethods(ShippingMethods):
    """`/shipping-methods`."""

    surface = PLATFORM


class PlatformTaxRates(TaxRates):
    """`/tax-rates`."""

    surface = PLATFORM


class PlatformShop(ApiView):
    """`/shop`."""

    surface = PLATFORM
    shape = ShopFields
    permissions = {"retrieve": "shop:update", "partial_update": "shop:update"}

    @describes(answer=ShopFields)
    def retrieve(self, request: Any) -> HttpResponse:
        """Show whether the storefront is on, its currency and its name."""
        organization_id = self.actor.organization_id
        return self.answer(
            query_of(Organization, ShopFields).one(self.actor, own_organization, organization_id, cache_key="own")
        )

    @describes(body=ShopFields, answer=ShopFields, partial=True)
    def partial_update(self, request: Any) -> HttpResponse:
        """Switch the storefront on or off, name it, or change its currency, which converts no amount."""
        update_organization(self.actor, own_organization(self.actor).get(), **self.read(partial=True))
        return self.retrieve(request)


urlpatterns = [
    *resource("promotions", PlatformPromotions, restore=False),
    *resource("shipping-methods", PlatformShippingMethods, restore=False),
    *resource("tax-rates", PlatformTaxRates, restore=False),
    route("shop", PlatformShop, get="retrieve", patch="partial_update"),
]
