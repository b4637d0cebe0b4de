"""The back office of orders: what was ordered is shown; how far an order is, its service changes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from commerce.models import Order, OrderItem
from commerce.models.orders import TRANSITIONS
from commerce.services import orders
from crm.admin.base import TenantAdmin, TenantForm, actor_for
from crm.core import money

STEP = ("next_status", "tracking", "remark", "restock")


class OrderForm(TenantForm):
    """The next step of an order, if any."""

    next_status = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    tracking = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)
    remark = forms.CharField(required=False, max_length=5000, widget=UnfoldAdminTextareaWidget)
    restock = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, help_text="What was refunded goes back into stock."
    )

    class Meta:
        model = Order
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "next_status" in self.fields:
            steps = sorted(TRANSITIONS[self.instance.status])
            next_status: Any = self.fields["next_status"]
            next_status.choices = [("", "-"), *((step, step) for step in steps)]

    def clean(self) -> dict[str, Any]:
        """Take the rest only with a step."""
        cleaned = super().clean()
        if not cleaned.get("next_status") and any(cleaned.get(name) for name in STEP[1:]):
            self.add_error("next_status", "Choose the step that this belongs to.")
        return cleaned


class ItemsInline(TabularInline):
    """The lines of an order."""

    model = OrderItem
    fields = readonly_fields = ("position", "sku", "name", "quantity", "price", "less", "taxed", "amount")
    extra = 0
    can_delete = False
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the currency along."""
        return super().get_queryset(request).select_related("order")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Add nothing."""
        return False

    @admin.display(description="Price")
    def price(self, item: OrderItem) -> str:
        """Return the price of one."""
        return money.text(item.unit_price, item.order.currency)

    @admin.display(description="Discount")
    def less(self, item: OrderItem) -> str:
        """Return what promotions took off."""
        return money.text(item.discount, item.order.currency)

    @admin.display(description="Tax")
    def taxed(self, item: OrderItem) -> str:
        """Return the tax."""
        return money.text(item.tax, item.order.currency)

    @admin.display(description="Total")
    def amount(self, item: OrderItem) -> str:
        """Return what the line came to."""
        return money.text(item.total, item.order.currency)


def _shown(column: str, label: str) -> Any:
    """Return a column of money as people read it."""

    @admin.display(description=label)
    def amount(order: Order) -> str:
        return money.text(getattr(order, column), order.currency)

    return amount


AMOUNTS = tuple(
    _shown(column, column.replace("_", " ").capitalize())
    for column in ("subtotal", "discount_total", "tax_total", "shipping_total", "total")
)


@admin.register(Order)
class OrderAdmin(TenantAdmin):
    """Orders of all organizations."""

    form = OrderForm
    inlines = (ItemsInline,)
    list_display = ("order_number", "organization", "customer", "status", AMOUNTS[-1], "created_at")
    list_select_related = ("organization", "customer")
    list_filter = ("status",)
    search_fields = ("order_number",)
    search_help_text = "The beginning of an order number, or an id."
    readonly_fields = (
        *("order_number", "organization", "customer", "user", "status", "tracking_number", "notes"),
        *AMOUNTS,
        *("shipping_address", "billing_address", "shipping_method", "promotion_codes", "payment_method"),
        *("pricing", "created_by", "created_at", "updated_at", "stock_returned_at"),
    )
    fieldsets = (
        (None, {"fields": ("order_number", "organization", "customer", "user", "status", "tracking_number", "notes")}),
        ("Next step", {"fields": STEP}),
        ("Amounts", {"fields": (*AMOUNTS, "promotion_codes", "pricing")}),
        ("Delivery", {"fields": ("shipping_address", "billing_address", "shipping_method", "payment_method")}),
        ("History", {"fields": ("created_by", "created_at", "updated_at", "stock_returned_at")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Enter no orders here: they take prices and stock, which the API does."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Move the order on as a member of the organization would."""
        status, tracking, remark, restock = (form.cleaned_data[name] for name in STEP)
        if status:
            actor = actor_for(request, obj.organization)
            moved = orders.change_status(
                actor, obj, status=status, tracking_number=tracking, notes=remark, restock=restock
            )
            obj.__dict__.update(moved.__dict__)
