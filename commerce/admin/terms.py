"""The back office of promotions, shipping methods and tax rates. Every change goes through the services."""

from typing import Any

from django.contrib import admin
from django.db.models import Model

from commerce.models import Promotion, ShippingMethod, TaxRate
from commerce.services import promotions, shop_config
from crm.admin.base import AmountField, AmountsForm, ServiceAdmin, TenantForm

HISTORY = ("History", {"fields": ("created_at", "updated_at", "deleted_at")})


class TermAdmin(ServiceAdmin):
    """What the pages of the shop's terms have in common: they are deleted, and never restored."""

    readonly_fields: tuple[str, ...] = ("organization", "created_at", "updated_at", "deleted_at")


class TermForm(AmountsForm):
    """A term with amounts in a currency of its own."""

    def currency(self) -> str:
        """Return the currency of the row's amounts."""
        return str(self.instance.currency)


class PromotionForm(TermForm):
    """A promotion; its value in percent, or in major units where it is fixed."""

    value = AmountField(required=True, help_text="Percent, or the amount where the type is fixed.")
    minimum_total = AmountField(help_text="Of the same currency.")

    class Meta:
        model = Promotion
        fields = ("code", "type", "starts_at", "ends_at", "max_uses", "max_uses_per_user", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.value is not None:
            self.initial["value"] = promotions.shown_value(self.instance.type, self.instance.value, self.currency())


@admin.register(Promotion)
class PromotionAdmin(TermAdmin):
    """Promotions of all organizations."""

    form = PromotionForm
    list_display = ("code", "organization", "type", "starts_at", "ends_at", "uses", "max_uses", "active", "deleted_at")
    search_fields = ("code_normalized",)
    search_help_text = "The beginning of a code, or an id."
    readonly_fields = (*TermAdmin.readonly_fields, "currency", "uses")
    fieldsets = (
        (None, {"fields": ("code", "organization", "type", "value", "currency", "minimum_total", "active")}),
        ("When and how often", {"fields": ("starts_at", "ends_at", "max_uses", "max_uses_per_user", "uses")}),
        HISTORY,
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "code", "type", "value", "minimum_total", "active")}),
        ("When and how often", {"fields": ("starts_at", "ends_at", "max_uses", "max_uses_per_user")}),
    )
    creates = promotions.create_promotion
    updates = promotions.update_promotion
    deletes = promotions.delete_promotion


class ShippingMethodForm(TermForm):
    """A shipping method; its amounts in major units."""

    price = AmountField(required=True, initial=0, help_text="A new method's is in the shop's currency.")
    free_from = AmountField(help_text="The value of goods after discounts from which it costs nothing.")

    class Meta:
        model = ShippingMethod
        fields = ("code", "name", "active")


@admin.register(ShippingMethod)
class ShippingMethodAdmin(TermAdmin):
    """Shipping methods of all organizations."""

    form = ShippingMethodForm
    list_display = ("code", "name", "organization", "active", "deleted_at")
    search_fields = ("code_normalized",)
    search_help_text = "The beginning of a code, or an id."
    readonly_fields = (*TermAdmin.readonly_fields, "currency")
    fieldsets = (
        (None, {"fields": ("code", "organization", "name", "price", "currency", "free_from", "active")}),
        HISTORY,
    )
    add_fieldsets = ((None, {"fields": ("tenant", "code", "name", "price", "free_from", "active")}),)
    creates = shop_config.create_shipping_method
    updates = shop_config.update_shipping_method
    deletes = shop_config.delete_shipping_method


class TaxRateForm(TenantForm):
    """A tax rate."""

    class Meta:
        model: type[Model] = TaxRate
        fields = ("name", "country", "state", "rate", "starts_on", "applies_to_shipping")
        help_texts = {
            "country": "Its ISO 3166 code, such as US.",
            "state": "Its code without the country's, such as NY; empty for the whole country.",
            "rate": "In percent.",
        }


@admin.register(TaxRate)
class TaxRateAdmin(TermAdmin):
    """Tax rates of all organizations."""

    form = TaxRateForm
    list_display = ("name", "organization", "country", "state", "rate", "starts_on", "deleted_at")
    search_fields = ("id",)
    search_help_text = "The id of a tax rate."
    fieldsets = (
        (None, {"fields": ("name", "organization", "country", "state", "rate", "starts_on", "applies_to_shipping")}),
        HISTORY,
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "name", "country", "state", "rate", "starts_on", "applies_to_shipping")}),
    )
    creates = shop_config.create_tax_rate
    updates = shop_config.update_tax_rate
    deletes = shop_config.delete_tax_rate
