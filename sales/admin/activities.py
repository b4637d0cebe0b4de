"""The back office of activities. Every change goes through the services."""

from typing import Any

from django.contrib import admin

from crm.admin.base import ServiceAdmin, TenantForm
from sales.models import Activity
from sales.services import activities


class ActivityForm(TenantForm):
    """An activity; a due date becomes a due time where it is changed here."""

    class Meta:
        model = Activity
        fields = (
            "type",
            "subject",
            "description",
            "status",
            "priority",
            "due_at",
            "owner",
            "contact",
            "company",
            "deal",
        )


@admin.register(Activity)
class ActivityAdmin(ServiceAdmin):
    """Activities of all organizations; a Team task is one of type task."""

    form = ActivityForm
    references = ("owner", "contact", "company", "deal")
    autocomplete_fields = ("owner", "contact", "company", "deal")
    list_display = ("subject", "type", "status", "due_at", "organization", "owner", "created_at", "deleted_at")
    list_select_related = ("organization", "owner")
    search_fields = ("id",)
    search_help_text = "An id; in one organization also words of subject and description."
    readonly_fields = (
        "organization",
        "due_on",
        "scheduled_at",
        "completed_at",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
    )
    fieldsets = (
        (None, {"fields": ("type", "subject", "description", "organization", "owner")}),
        ("State", {"fields": ("status", "priority", "due_at", "due_on", "scheduled_at", "completed_at")}),
        ("About", {"fields": ("contact", "company", "deal")}),
        ("History", {"fields": ("created_by", "created_at", "updated_at", "deleted_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "type", "subject", "description", "owner")}),
        ("State", {"fields": ("status", "priority", "due_at")}),
        ("About", {"fields": ("contact", "company", "deal")}),
    )
    creates = activities.create_activity
    updates = activities.update_activity
    deletes = activities.delete_activity
    restores = activities.restore_activity

    def given(self, name: str, value: Any) -> tuple[str, Any]:
        """Return a field as the service takes it: when it is due, under one name."""
        return ("due", value) if name == "due_at" else super().given(name, value)
