"""`/cart`: a shopper's own, whoever they are."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from commerce.api.shapes.carts import CartFields, CartItemChange, NewCartItem, shown
from commerce.services import carts
from commerce.services.carts import Contents
from crm.api.permissions import SIGNED_IN
from crm.api.routes import route
from crm.api.schema import describes
from crm.api.storefront import STOREFRONT
from crm.api.views import ApiView


class Cart(ApiView):
    """The cart of the user who asks; every answer is the whole cart as it now stands."""

    surface = STOREFRONT
    shape = CartFields
    permissions = dict.fromkeys(("retrieve", "add", "change", "remove", "clear"), SIGNED_IN)
    writing = {"retrieve": "who has no cart yet gets one, for its id and date to stay the same"}

    @describes(answer=CartFields)
    def retrieve(self, request: Any, shop: str) -> HttpResponse:
        """Show the cart."""
        return self.shown(carts.contents_of(self.actor))

    @describes(body=NewCartItem, answer=CartFields)
    def add(self, request: Any, shop: str) -> HttpResponse:
        """Put a product into the cart; what is there already in the same choice becomes more."""
        return self.shown(carts.add_item(self.actor, **self.read(NewCartItem)))

    @describes(body=CartItemChange, answer=CartFields)
    def change(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Change how many of an item there are."""
        return self.shown(carts.change_quantity(self.actor, pk, **self.read(CartItemChange)))

    @describes(answer=CartFields)
    def remove(self, request: Any, shop: str, pk: UUID) -> HttpResponse:
        """Take an item out of the cart."""
        return self.shown(carts.remove_item(self.actor, pk))

    @describes(answer=CartFields)
    def clear(self, request: Any, shop: str) -> HttpResponse:
        """Empty the cart."""
        return self.shown(carts.empty_cart(self.actor))

    def shown(self, contents: Contents) -> HttpResponse:
        """Answer with a cart."""
        return self.answer(shown(contents, self.actor.currency))


urlpatterns = [
    route("cart", Cart, get="retrieve", delete="clear"),
    route("cart/items", Cart, post="add"),
    route("cart/items/<uuid:pk>", Cart, patch="change", delete="remove"),
]
