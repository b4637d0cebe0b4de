"""What orders look like: on the Platform in major units, in the shop as objects; addresses as they were written."""

from typing import Any

from django.db.models import F
from rest_framework import serializers

from commerce.models import Order, OrderItem, OrderStatus
from commerce.models.carts import MOST_LINES
from contacts.api.shapes import DisplayName, PersonRef, PostalAddress
from crm.api.children import Children
from crm.api.shapes import Amount, Choice, Computed, FreeObject, Line, LongText, MoneyObject, Shape, Text, TextList
from crm.core.models import Event

MOST_CODES = 20
LARGEST_QUANTITY = 1_000_000
LONGEST_NOTES = 5000


class ShopAddress(Shape):
    """A postal address as the shop's document writes it."""

    first_name = Line(max_length=100)
    last_name = Line(max_length=100)
    company = Text(max_length=200)
    address1 = Line(max_length=200)
    address2 = Text(max_length=200)
    city = Line(max_length=100)
    state = Text(max_length=100)
    postal_code = Line(max_length=20)
    country = Line(max_length=60)
    phone_number = Text(max_length=40)


class WrittenAddress(serializers.Field):
    """An address checked against a shape, and kept and shown as it was written."""

    def __init__(self, shape: type[Shape], **kwargs: Any) -> None:
        self.taken_as = self.shown_as = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Return the parts that were given."""
        checked = self.taken_as.checked(data)
        return {key: checked[key] if data[key] is not None else None for key in data}


class ShopOrderItem(Shape):
    """A line of an order in the shop."""

    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyObject(currency="order__currency")
    quantity = serializers.IntegerField()
    discount_amount = MoneyObject(source="discount", currency="order__currency")
    tax_amount = MoneyObject(source="tax", currency="order__currency")
    total = MoneyObject(currency="order__currency")


class ShopOrder(Shape):
    """An order in the shop."""

    id = serializers.UUIDField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    status = Choice(OrderStatus, read_only=True)
    items = Children(ShopOrderItem, OrderItem, "order", order=("position",))
    shipping_address = WrittenAddress(ShopAddress, read_only=True)
    billing_address = WrittenAddress(ShopAddress, read_only=True)
    subtotal = MoneyObject()
    discount_total = MoneyObject()
    tax_total = MoneyObject()
    shipping_total = MoneyObject()
    total = MoneyObject()
    notes = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Order


class Checkout(Shape):
    """How a cart is to be ordered. `shipping_method_id` takes a method's id or its code."""

    shipping_address = WrittenAddress(ShopAddress)
    billing_address = WrittenAddress(ShopAddress, required=False, allow_null=True)
    payment_method_id = Text(max_length=200, source="payment_method")
    promotion_codes = TextList(longest=40, most=MOST_CODES, allow_null=True)
    shipping_method_id = Text(max_length=40)
    notes = LongText(max_length=LONGEST_NOTES)


class OrderItemFields(Shape):
    """A line of an order."""

    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = Amount(currency="order__currency")
    discount = Amount(currency="order__currency")
    tax = Amount(currency="order__currency")
    total = Amount(currency="order__currency")


class OrderFields(Shape):
    """An order on the Platform."""

    id = serializers.UUIDField(read_only=True)
    order_number = serializers.CharField(read_only=True)
    customer_id = serializers.UUIDField(read_only=True)
    customer_name = DisplayName(source="customer.name")
    status = Choice(OrderStatus, read_only=True)
    items = Children(OrderItemFields, OrderItem, "order", order=("position",))
    subtotal = Amount(currency="currency", read_only=True)
    discount_total = Amount(currency="currency", read_only=True)
    tax_total = Amount(currency="currency", read_only=True)
    shipping_total = Amount(currency="currency", read_only=True)
    total = Amount(currency="currency", read_only=True)
    currency = serializers.CharField(read_only=True)
    shipping_address = FreeObject(read_only=True)
    billing_address = FreeObject(read_only=True)
    shipping_method = Text(read_only=True)
    promotion_codes = TextList(read_only=True)
    tracking_number = Text(read_only=True)
    notes = Text(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Order


class NewOrderItem(Shape):
    """A line to be ordered; `unit_price`, where it is not the catalogue's, takes `orders:override_price`."""

    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField(required=False, allow_null=True)
    quantity = serializers.IntegerField(min_value=1, max_value=LARGEST_QUANTITY)
    unit_price = Amount(allow_null=True, min_value=0)


class NewOrder(Shape):
    """An order to be entered. `shipping_method` takes a method's code or its id."""

    customer_id = serializers.UUIDField()
    items = serializers.ListField(child=NewOrderItem(), allow_empty=False, max_length=MOST_LINES)
    shipping_address = WrittenAddress(PostalAddress, required=False, allow_null=True)
    billing_address = WrittenAddress(PostalAddress, required=False, allow_null=True)
    shipping_method = Text(max_length=40, source="shipping_method_id")
    promotion_codes = TextList(longest=40, most=MOST_CODES, allow_null=True)
    notes = LongText(max_length=LONGEST_NOTES)


class StatusChange(Shape):
    """How far the order is now. `restock` puts what was refunded back into stock."""

    status = serializers.ChoiceField(choices=OrderStatus.choices)
    tracking_number = Text(max_length=200)
    notes = LongText(max_length=LONGEST_NOTES)
    restock = serializers.BooleanField(required=False)


class StatusEntry(Shape):
    """A step of an order, with what was said about it; its creation came from no status."""

    id = serializers.UUIDField(read_only=True)
    from_status = Computed(F("changes__status__from"), serializers.ChoiceField(OrderStatus.choices, allow_null=True))
    to_status = Computed(F("metadata__status"), serializers.ChoiceField(OrderStatus.choices))
    changed_by = PersonRef(source="actor", read_only=True)
    changed_at = serializers.DateTimeField(source="occurred_at", read_only=True)
    notes = Text(source="content", read_only=True)
    tracking_number = Computed(F("changes__tracking_number__to"), serializers.CharField(allow_null=True))

    class Meta:
        model = Event
