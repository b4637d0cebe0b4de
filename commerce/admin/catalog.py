"""The back office of the catalog: products with their variants and stock, categories, brands. Services change them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from commerce.models import Brand, Category, MovementType, Product, StockMovement, Variant
from commerce.services import products, stock, taxonomy, variants
from crm.admin.base import (
    AmountField,
    AmountsForm,
    BackOfficeAdmin,
    ReadOnlyAdmin,
    ServiceAdmin,
    TenantForm,
    actor_for,
)
from crm.core import money
from crm.core.web_addresses import web_address

MOVEMENTS_SHOWN = 20
VARIANTS_SHOWN = 50  # at once; a form of very many fields is refused as a whole
ADJUSTMENT = ("adjustment", "adjustment_type", "adjustment_reason")
HISTORY = ("created_at", "updated_at", "deleted_at")


class ProductForm(AmountsForm):
    """A product; its amounts in major units, and an adjustment of its stock to make on saving."""

    price = AmountField(required=True)
    sale_price = AmountField()
    cost = AmountField()
    images = SimpleArrayField(
        forms.CharField(max_length=500, validators=[web_address]),
        delimiter="\n",
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="One address a line.",
    )
    adjustment = forms.IntegerField(
        required=False, widget=UnfoldAdminIntegerFieldWidget, help_text="Units to add, or with a minus to take away."
    )
    adjustment_type = forms.ChoiceField(
        choices=MovementType.choices,
        required=False,
        initial=MovementType.CORRECTION,
        widget=UnfoldAdminSelectWidget,
    )
    adjustment_reason = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextareaWidget)

    class Meta:
        model = Product
        fields = ("name", "sku", "description", "category", "brand", "status", "currency", "images", "attributes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"sku", "currency", "attributes"} & self.fields.keys():
            self.fields[name].required = False

    def currency(self) -> str:
        """Return the product's own currency."""
        return str(self.instance.currency)


class VariantForm(forms.ModelForm):
    """A variant; its price in major units."""

    price = AmountField()
    # With what the page was opened with beside it: what is sold meanwhile is no new count.
    stock_quantity = forms.IntegerField(
        required=False,
        min_value=0,
        show_hidden_initial=True,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty: the product's stock.",
    )

    class Meta:
        model = Variant
        fields = ("name", "sku", "attributes", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sku"].required = self.fields["attributes"].required = False
        variant = self.instance
        if variant._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
            return
        if variant.price is not None:
            self.initial["price"] = money.exact(variant.price, variant.product.currency)
        if variant.stock is not None:
            self.initial["stock_quantity"] = variant.stock.quantity

    def _post_clean(self) -> None:
        """Leave the price to the service; as a column it has other units."""
        price = self.cleaned_data.pop("price", None)
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, missing in the stubs
        self.cleaned_data["price"] = price


class VariantsInline(TabularInline):
    """The living variants of a product."""

    model = Variant
    form = VariantForm
    fields = ("name", "sku", "price", "stock_quantity", "attributes", "active")
    extra = 0
    per_page = VARIANTS_SHOWN
    can_delete = True

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out the deleted."""
        return super().get_queryset(request).filter(deleted_at=None).select_related("product", "stock").order_by("id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let the service delete softly."""
        return self.has_change_permission(request, obj)


@admin.register(Product)
class ProductAdmin(ServiceAdmin):
    """Products of all organizations."""

    form = ProductForm
    references = ("category", "brand")
    autocomplete_fields = ("category", "brand")
    inlines = (VariantsInline,)
    list_display = (
        "name",
        "sku",
        "organization",
        "category",
        "status",
        "amount",
        "in_stock",
        "created_at",
        "deleted_at",
    )
    list_select_related = ("organization", "category", "stock")
    search_fields = ("name_normalized", "sku_normalized")
    search_help_text = "The beginning of a name or SKU, or an id; in one organization any words."
    readonly_fields = ("organization", "in_stock", "reorder_level", "movements", "created_by", *HISTORY)
    fieldsets = (
        (None, {"fields": ("name", "sku", "organization", "status", "description")}),
        ("Where it stands", {"fields": ("category", "brand", "images", "attributes")}),
        ("Price", {"fields": ("price", "sale_price", "cost", "currency")}),
        ("Stock", {"fields": ("in_stock", "reorder_level", ADJUSTMENT[:2], ADJUSTMENT[2], "movements")}),
        ("History", {"fields": ("created_by", *HISTORY)}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "name", "sku", "status", "description")}),
        ("Where it stands", {"fields": ("category", "brand", "images", "attributes")}),
        ("Price", {"fields": ("price", "sale_price", "cost", "currency")}),
    )
    creates = products.create_product
    updates = products.update_product
    deletes = products.delete_product
    restores = products.restore_product

    @admin.display(description="Price")
    def amount(self, product: Product) -> str:
        """Return what is charged, with its currency."""
        charged = product.price if product.sale_price is None else product.sale_price
        return money.text(charged, product.currency)

    @admin.display(description="In stock")
    def in_stock(self, product: Product) -> int:
        """Return the balance."""
        return int(product.stock.quantity)

    @admin.display(description="Reorder level")
    def reorder_level(self, product: Product) -> int:
        """Return from which balance on stock counts as low."""
        return int(product.stock.reorder_level)

    @admin.display(description="Newest movements")
    def movements(self, product: Product) -> str:
        """Return the end of the ledger, with a link to all of it."""
        ledger = StockMovement.objects.of(product.organization_id).filter(stock_id=product.stock_id)
        newest = ledger.order_by("-created_at", "-id")[:MOVEMENTS_SHOWN]
        details = ((f"{row.created_at:%Y-%m-%d %H:%M}", row, row.balance, row.reason) for row in newest)
        address = reverse("admin:commerce_stockmovement_changelist")
        rows = format_html_join("", "<li>{}: {} &rarr; {} {}</li>", details)
        return format_html('<ul>{}</ul><a href="{}?stock__id__exact={}">All</a>', rows, address, product.stock_id)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make or change the product, then adjust its stock where that was asked for."""
        adjustment, kind, reason = (form.cleaned_data.pop(name, None) for name in ADJUSTMENT)
        form.changed_data[:] = [name for name in form.changed_data if name not in ADJUSTMENT]
        super().save_model(request, obj, form, change)
        if adjustment:
            actor = actor_for(request, obj.organization)
            stock.adjust_stock(actor, obj, adjustment=adjustment, type=kind or MovementType.CORRECTION, reason=reason)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Let the services make, change and delete variants."""
        actor = actor_for(request, form.instance.organization)
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []
        for inline in formset.forms:
            details = {name: value for name, value in inline.cleaned_data.items() if name in inline.changed_data}
            if inline in formset.deleted_forms:
                if not inline.instance._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
                    variants.delete_variant(actor, inline.instance)
            elif inline.instance._state.adding:  # noqa: SLF001 - the same
                if details:
                    variants.create_variant(actor, form.instance, **details)
            elif details:
                variants.update_variant(actor, inline.instance, **details)


class ShelfAdmin(ServiceAdmin):
    """What the pages of categories and brands have in common."""

    list_display: tuple[str, ...] = ("name", "slug", "organization", "active", "created_at", "deleted_at")
    search_fields = ("name_normalized",)
    search_help_text = "The beginning of a name, or an id."
    readonly_fields = ("organization", *HISTORY)


class CategoryForm(TenantForm):
    """A category; its slug is made where none is given."""

    slug = forms.SlugField(max_length=120, allow_unicode=True, required=False)

    class Meta:
        model = Category
        fields = ("name", "slug", "parent", "description", "image_url", "active")


@admin.register(Category)
class CategoryAdmin(ShelfAdmin):
    """Categories of all organizations."""

    form = CategoryForm
    references = ("parent",)
    autocomplete_fields = ("parent",)
    list_display = ("name", "slug", "organization", "parent", "active", "created_at", "deleted_at")
    list_select_related = ("organization", "parent")
    fieldsets = (
        (None, {"fields": ("name", "slug", "organization", "parent", "description", "image_url", "active")}),
        ("History", {"fields": HISTORY}),
    )
    add_fieldsets = ((None, {"fields": ("tenant", "name", "slug", "parent", "description", "image_url", "active")}),)
    creates = taxonomy.create_category
    updates = taxonomy.update_category
    deletes = taxonomy.delete_category


class BrandForm(TenantForm):
    """A brand; its slug is made where none is given."""

    slug = forms.SlugField(max_length=120, allow_unicode=True, required=False)

    class Meta:
        model = Brand
        fields = ("name", "slug", "description", "logo_url", "active")


@admin.register(Brand)
class BrandAdmin(ShelfAdmin):
    """Brands of all organizations."""

    form = BrandForm
    fieldsets = (
        (None, {"fields": ("name", "slug", "organization", "description", "logo_url", "active")}),
        ("History", {"fields": HISTORY}),
    )
    add_fieldsets = ((None, {"fields": ("tenant", "name", "slug", "description", "logo_url", "active")}),)
    creates = taxonomy.create_brand
    updates = taxonomy.update_brand
    deletes = taxonomy.delete_brand


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """The ledger of stock, which nobody can change."""

    list_display = ("created_at", "organization", "type", "change", "balance", "reason", "reference_type", "created_by")
    list_select_related = ("organization", "created_by")
    list_filter = ("type",)
    search_fields = ("id",)
    search_help_text = "The id of a movement."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Let a product's page ask for its own ledger."""
        return lookup == "stock__id__exact" or BackOfficeAdmin.lookup_allowed(self, lookup, value, request)
