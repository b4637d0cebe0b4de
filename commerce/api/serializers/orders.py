"""What orders look like: on the Platform in major units, in the shop as objects; addresses as they were written."""

from typing import Any

from django.db.models import F
from rest_framework import serializers

from commerce.models import Order, OrderItem, OrderStatus
from commerce.models.carts import MOST_LINES
from contacts.api.serializers import DisplayName, PersonRefSerializer, PostalAddressSerializer
from crm.api.fields import (
    AmountField,
    JSONObjectField,
    LineField,
    MoneyField,
    NestedList,
    OptionalCharField,
    OptionalChoiceField,
    OptionalTextField,
    SqlField,
    SqlValueField,
    TextListField,
)
from crm.api.serializers import Serializer
from crm.core.models import Event

MOST_CODES = 20
LARGEST_QUANTITY = 1_000_000
LONGEST_NOTES = 5000


class ShopAddressSerializer(Serializer):
    """A postal address as the shop's document writes it."""

    first_name = LineField(max_length=100)
    last_name = LineField(max_length=100)
    company = OptionalCharField(max_length=200)
    address1 = LineField(max_length=200)
    address2 = OptionalCharField(max_length=200)
    city = LineField(max_length=100)
    state = OptionalCharField(max_length=100)
    postal_code = LineField(max_length=20)
    country = LineField(max_length=60)
    phone_number = OptionalCharField(max_length=40)


class WrittenAddress(SqlField):
    """An address checked against a shape, and kept and shown as it was written."""

    def __init__(self, shape: type[Serializer], **kwargs: Any) -> None:
        self.request_schema = self.response_schema = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Return the parts that were given."""
        checked = self.request_schema.validate_body(data)
        return {key: checked[key] if data[key] is not None else None for key in data}


class ShopOrderItemSerializer(Serializer):
    """A line of an order in the shop."""

    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField(currency="order__currency")
    quantity = serializers.IntegerField()
    discount_amount = MoneyField(source="discount", currency="order__currency")
    tax_amount = MoneyField(source="tax", currency="order__currency")
    total = MoneyField(currency="order__currency")


class ShopOrderSerializer(Serializer):
    """An order in the shop."""

    id = serializers.UUIDField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    status = OptionalChoiceField(OrderStatus, read_only=True)
    items = NestedList(ShopOrderItemSerializer, OrderItem, "order", order=("position",))
    shipping_address = WrittenAddress(ShopAddressSerializer, read_only=True)
    billing_address = WrittenAddress(ShopAddressSerializer, read_only=True)
    subtotal = MoneyField()
    discount_total = MoneyField()
    tax_total = MoneyField()
    shipping_total = MoneyField()
    total = MoneyField()
    notes = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Order


class CheckoutSerializer(Serializer):
    """How a cart is to be ordered. `shipping_method_id` takes a method's id or its code."""

    shipping_address = WrittenAddress(ShopAddressSerializer)
    billing_address = WrittenAddress(ShopAddressSerializer, required=False, allow_null=True)
    payment_method_id = OptionalCharField(max_length=200, source="payment_method")
    promotion_codes = TextListField(longest=40, most=MOST_CODES, allow_null=True)
    shipping_method_id = OptionalCharField(max_length=40)
    notes = OptionalTextField(max_length=LONGEST_NOTES)


class OrderItemFieldsSerializer(Serializer):
    """A line of an order."""

    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = AmountField(currency="order__currency")
    discount = AmountField(currency="order__currency")
    tax = AmountField(currency="order__currency")
    total = AmountField(currency="order__currency")


class OrderFieldsSerializer(Serializer):
    """An order on the Platform."""

    id = serializers.UUIDField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    customer_id = serializers.UUIDField(read_only=True)
    customer_name = DisplayName(source="customer.name")
    status = OptionalChoiceField(OrderStatus, read_only=True)
    items = NestedList(OrderItemFieldsSerializer, OrderItem, "order", order=("position",))
    subtotal = AmountField(currency="currency", read_only=True)
    discount_total = AmountField(currency="currency", read_only=True)
    tax_total = AmountField(currency="currency", read_only=True)
    shipping_total = AmountField(currency="currency", read_only=True)
    total = AmountField(currency="currency", read_only=True)
    currency = serializers.CharField(read_only=True)
    shipping_address = JSONObjectField(read_only=True)
    billing_address = JSONObjectField(read_only=True)
    shipping_method = OptionalCharField(read_only=True)
    promotion_codes = TextListField(read_only=True)
    tracking_number = OptionalCharField(read_only=True)
    notes = OptionalCharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Order


class NewOrderItemSerializer(Serializer):
    """A line to be ordered; `unit_price`, where it is not the catalogue's, takes `orders:override_price`."""

    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(required=False, allow_null=True)
    quantity = serializers.IntegerField(min_value=1, max_value=LARGEST_QUANTITY)
    unit_price = AmountField(allow_null=True, min_value=0)


class NewOrderSerializer(Serializer):
    """An order to be entered. `shipping_method` takes a method's code or its id."""

    customer_id = serializers.UUIDField()
    items = serializers.ListField(child=NewOrderItemSerializer(), allow_empty=False, max_length=MOST_LINES)
    shipping_address = WrittenAddress(PostalAddressSerializer, required=False, allow_null=True)
    billing_address = WrittenAddress(PostalAddressSerializer, required=False, allow_null=True)
    shipping_method = OptionalCharField(max_length=40, source="shipping_method_id")
    promotion_codes = TextListField(longest=40, most=MOST_CODES, allow_null=True)
    notes = OptionalTextField(max_length=LONGEST_NOTES)


class StatusChangeSerializer(Serializer):
    """How far the order is now. `restock` puts what was refunded back into stock."""

    status = serializers.ChoiceField(choices=OrderStatus.choices)
    tracking_number = OptionalCharField(max_length=200)
    notes = OptionalTextField(max_length=LONGEST_NOTES)
    restock = serializers.BooleanField(required=False)


class StatusEntrySerializer(Serializer):
    """A step of an order, with what was said about it; its creation came from no status."""

    id = serializers.UUIDField(read_only=True)
    from_status = SqlValueField(
        F("changes__status__from"), serializers.ChoiceField(OrderStatus.choices, allow_null=True)
    )
    to_status = SqlValueField(F("metadata__status"), serializers.ChoiceField(OrderStatus.choices))
    changed_by = PersonRefSerializer(source="actor", read_only=True)
    changed_at = serializers.DateTimeField(source="occurred_at", read_only=True)
    notes = OptionalCharField(source="content", read_only=True)
    tracking_number = SqlValueField(F("changes__tracking_number__to"), serializers.CharField(allow_null=True))

    class Meta:
        model = Event
