"""What a cart looks like, and what is put into it."""

from typing import Any

from rest_framework import serializers

from commerce.models.carts import LARGEST_ATTRIBUTES, MOST_OF_ONE
from commerce.services.carts import CartLine, Contents
from crm.api.fields import JSONObjectField, MoneyField
from crm.api.serializers import Serializer


class CartItemFieldsSerializer(Serializer):
    """A line of a cart, at today's price; `available` says whether it could be ordered now."""

    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    price = MoneyField()
    quantity = serializers.IntegerField()
    attributes = JSONObjectField()
    available = serializers.BooleanField()


class CartFieldsSerializer(Serializer):
    """A user's cart."""

    id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    session_id = serializers.CharField(allow_blank=True)
    items = CartItemFieldsSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewCartItemSerializer(Serializer):
    """What is put into a cart."""

    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(required=False, allow_null=True)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_OF_ONE)
    attributes = JSONObjectField(largest=LARGEST_ATTRIBUTES, required=False, allow_null=True)


class CartItemChangeSerializer(Serializer):
    """How many of it."""

    quantity = serializers.IntegerField(min_value=1, max_value=MOST_OF_ONE)


def shown(contents: Contents, currency: str) -> dict[str, Any]:
    """Return a cart in `CartFieldsSerializer`, of a shop that sells in `currency`.

    Nobody shops without a user, so there is never a session in it.
    """
    cart = contents.cart
    return {
        "id": cart.pk,
        "user_id": cart.user_id,
        "session_id": "",
        "items": [_shown(contents, line, currency) for line in contents.lines],
        "created_at": cart.created_at,
        "updated_at": cart.updated_at,
    }


def _shown(contents: Contents, line: CartLine, currency: str) -> dict[str, Any]:
    return {
        "id": line.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sellable.sku,
        "name": line.sellable.name,
        "price": {"amount": line.sellable.price, "currency": line.sellable.currency},
        "quantity": line.quantity,
        "attributes": line.attributes,
        "available": line.sellable.unavailable_reason(currency) is None
        and contents.wanted_of(line) <= line.sellable.available,
    }
