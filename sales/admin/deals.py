"""The back office of deals. Every change goes through the services: another stage is a move."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from unfold.widgets import UnfoldAdminSelectWidget

from crm.admin.base import AmountField, AmountsForm, ServiceAdmin
from crm.core import money
from sales.models import Deal, Stage
from sales.services import deals

HISTORY = ("created_by", "stage_entered_at", "closed_at", "created_at", "updated_at", "deleted_at")


class StageField(forms.ModelChoiceField):
    """A stage, named with its pipeline."""

    def label_from_instance(self, obj: Any) -> str:
        """Return both names."""
        return f"{obj.pipeline}: {obj}"


class DealForm(AmountsForm):
    """A deal; its worth in major units. A new one begins in the first stage of the default pipeline."""

    amount = AmountField()
    stage = StageField(queryset=None, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Deal
        fields = ("title", "contact", "company", "owner", "currency", "probability", "priority", "lost_reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        deal = self.instance
        if "currency" in self.fields:  # not on the page of a deleted deal, which shows and changes nothing
            self.fields["currency"].required = False
        if deal._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
            del self.fields["stage"]
            return
        choice: Any = self.fields["stage"]
        # Its own too, where the pipeline is deleted: it stays there while all else is changed.
        open_to_it = Stage.objects.of(deal.organization_id).filter(Q(pipeline__deleted_at=None) | Q(pk=deal.stage_id))
        choice.queryset = open_to_it.select_related("pipeline").order_by("pipeline__created_at", "position")
        self.initial["stage"] = deal.stage_id

    def currency(self) -> str:
        """Return the deal's own currency."""
        return str(self.instance.currency)


@admin.register(Deal)
class DealAdmin(ServiceAdmin):
    """Deals (opportunities) of all organizations."""

    form = DealForm
    references = ("contact", "company", "owner", "stage")
    autocomplete_fields = ("contact", "company", "owner")
    list_display = (
        "title",
        "organization",
        "pipeline",
        "stage",
        "worth",
        "status",
        "owner",
        "created_at",
        "deleted_at",
    )
    list_select_related = ("organization", "pipeline", "stage", "owner")
    list_filter = ("status", "priority")
    search_fields = ("id",)
    search_help_text = "An id; in one organization any words of title, contact and company."
    readonly_fields = ("organization", "pipeline", "status", *HISTORY)
    fieldsets = (
        (None, {"fields": ("title", "organization", "contact", "company", "owner")}),
        ("Standing", {"fields": ("pipeline", "stage", "status", "lost_reason", "probability", "priority")}),
        ("Worth", {"fields": ("amount", "currency", "expected_close_date")}),
        ("More", {"fields": ("source", "tags", "description")}),
        ("History", {"fields": HISTORY}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "title", "contact", "company", "owner")}),
        ("Worth", {"fields": ("amount", "currency", "probability", "priority", "expected_close_date")}),
        ("More", {"fields": ("source", "tags", "description")}),
    )
    creates = deals.create_deal
    updates = deals.update_deal
    deletes = deals.delete_deal
    restores = deals.restore_deal

    @admin.display(description="Worth")
    def worth(self, deal: Deal) -> str:
        """Return the amount with its currency."""
        return money.text(deal.amount, deal.currency)
