"""`/cart`: a shopper's own, whoever they are."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from commerce.api.serializers.carts import CartFieldsSerializer, CartItemChangeSerializer, NewCartItemSerializer, shown
from commerce.services import carts
from commerce.services.carts import Contents
from crm.api.permissions import SIGNED_IN
from crm.api.routers import route
from crm.api.schema import extend_schema
from crm.api.storefront import STOREFRONT
from crm.api.viewsets import ApiViewSet


class CartViewSet(ApiViewSet):
    """The cart of the user who asks; every answer is the whole cart as it now stands."""

    surface = STOREFRONT
    serializer_class = CartFieldsSerializer
    permissions = dict.fromkeys(("retrieve", "add", "change", "remove", "clear"), SIGNED_IN)
    writes_on_get = {"retrieve": "who has no cart yet gets one, for its id and date to stay the same"}

    @extend_schema(response=CartFieldsSerializer)
    def retrieve(self, request: Any, shop: str) -> HttpResponse:
        """Show the cart."""
        return self.respond_with(carts.contents_of(self.actor))

    @extend_schema(request=NewCartItemSerializer, response=CartFieldsSerializer)
    def add(self, request: Any, shop: str) -> HttpResponse:
        """Add a product to the cart; the same choice again adds to its quantity."""
        return self.respond_with(carts.add_item(self.actor, **self.validate(NewCartItemSerializer)))

    @extend_schema(request=CartItemChangeSerializer, response=CartFieldsSerializer)
    def change(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Change the quantity of an item."""
        return self.respond_with(carts.change_quantity(self.actor, pk, **self.validate(CartItemChangeSerializer)))

    @extend_schema(response=CartFieldsSerializer)
    def remove(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Take an item out of the cart."""
        return self.respond_with(carts.remove_item(self.actor, pk))

    @extend_schema(response=CartFieldsSerializer)
    def clear(self, request: Any, shop: str) -> HttpResponse:
        """Empty the cart."""
        return self.respond_with(carts.empty_cart(self.actor))

    def respond_with(self, contents: Contents) -> HttpResponse:
        """Answer with a cart."""
        return self.respond(shown(contents, self.actor.currency))


urlpatterns = [
    route("cart", CartViewSet, get="retrieve", delete="clear"),
    route("cart/items", CartViewSet, post="add"),
    route("cart/items/<uuid:pk>", CartViewSet, patch="change", delete="remove"),
]
