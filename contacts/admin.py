"""The back office of companies and contacts. Every change goes through the services."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from contacts.models import Company, Contact
from contacts.services import companies, contacts
from crm.core import money
from crm.core.admin_base import TenantAdmin, TenantForm, actor_for, tell
from crm.core.errors import DomainError

REFERENCES = ("owner", "company")  # services take their ids


class OwnedAdmin(TenantAdmin):
    """What the pages of companies and contacts have in common."""

    autocomplete_fields: tuple[str, ...] = ("owner",)
    readonly_fields: tuple[str, ...] = (
        "organization",
        "address",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
    )
    actions = ("delete_rows", "restore_rows")
    creates: Callable[..., Any]
    updates: Callable[..., Any]
    deletes: Callable[..., Any]
    restores: Callable[..., Any]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask only for what may be told."""
        return self.readonly_fields if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change what is alive; the deleted are restored first."""
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make or change the row as a member of the organization would."""
        actor = actor_for(request, obj.organization)
        told = form.cleaned_data
        names = form.changed_data if change else [name for name in told if name != "tenant"]
        fields = {_key(name): _value(name, told[name]) for name in names}
        if change:
            row = type(self).updates(actor, self.model.objects.get(pk=obj.pk), **fields)
        else:
            row = type(self).creates(actor, **fields)
        obj.__dict__.update(row.__dict__)

    @admin.action(description="Delete the selected (they can be restored)")
    def delete_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete softly."""
        self._each(request, queryset.filter(deleted_at=None), type(self).deletes, "deleted")

    @admin.action(description="Restore the selected")
    def restore_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Bring back."""
        self._each(request, queryset.filter(deleted_at__isnull=False), type(self).restores, "restored")

    def _each(self, request: HttpRequest, queryset: QuerySet[Any], service: Callable[..., Any], done: str) -> None:
        count = 0
        for row in queryset.select_related("organization")[: self.list_max_show_all]:
            try:
                with transaction.atomic():
                    service(actor_for(request, row.organization), row)
                count += 1
            except DomainError as refusal:
                tell(self, request, refusal)
        self.message_user(request, f"{count} {done}.")


class CompanyForm(TenantForm):
    """A company; its revenue in major units."""

    annual_revenue = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="In the organization's currency.",
    )

    class Meta:
        model = Company
        fields = ("name", "website", "phone", "industry", "tier", "lifecycle_stage", "country", "employee_count")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        company = self.instance
        if company.annual_revenue is not None and not company._state.adding:  # noqa: SLF001 - Django's way to tell a new row
            self.initial["annual_revenue"] = money.to_major(company.annual_revenue, company.organization.currency)

    def _post_clean(self) -> None:
        """Leave the amount to the service, which knows the currency; as a column it has other units."""
        revenue = self.cleaned_data.pop("annual_revenue", None)
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, missing in the stubs
        self.cleaned_data["annual_revenue"] = revenue


@admin.register(Company)
class CompanyAdmin(OwnedAdmin):
    """Companies of all organizations."""

    form = CompanyForm
    list_display = ("name", "organization", "industry", "tier", "lifecycle_stage", "owner", "created_at", "deleted_at")
    list_select_related = ("organization", "owner")
    search_fields = ("name_normalized",)
    search_help_text = "The beginning of a name, or an id; in one organization any words of name, phone and website."
    fieldsets = (
        (None, {"fields": ("name", "organization", "owner", "lifecycle_stage", "tags")}),
        ("Profile", {"fields": ("website", "phone", "industry", "tier", "country", "address")}),
        ("Size", {"fields": ("employee_count", "annual_revenue")}),
        ("History", {"fields": ("created_by", "created_at", "updated_at", "deleted_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "name", "owner", "lifecycle_stage", "tags")}),
        ("Profile", {"fields": ("website", "phone", "industry", "tier", "country")}),
        ("Size", {"fields": ("employee_count", "annual_revenue")}),
    )
    creates = companies.create_company
    updates = companies.update_company
    deletes = companies.delete_company
    restores = companies.restore_company


class ContactForm(TenantForm):
    """A contact."""

    class Meta:
        model = Contact
        fields = ("first_name", "last_name", "email", "phone", "job_title", "company", "owner")


@admin.register(Contact)
class ContactAdmin(OwnedAdmin):
    """Contacts of all organizations: customers and shoppers are contacts too."""

    form = ContactForm
    list_display = ("__str__", "email", "organization", "company", "owner", "status", "created_at", "deleted_at")
    list_select_related = ("organization", "company", "owner")
    autocomplete_fields = ("owner", "company")
    search_fields = ("email_normalized",)
    search_help_text = "The beginning of an e-mail address, or an id; in one organization any words of name and phone."
    readonly_fields = (*OwnedAdmin.readonly_fields, "user", "custom_fields", "dedupe_hash", "last_contacted_at")
    fieldsets = (
        (None, {"fields": ("first_name", "last_name", "email", "phone", "organization", "owner", "user")}),
        ("Work", {"fields": ("company", "job_title", "address")}),
        (
            "Standing",
            {"fields": ("status", "lifecycle_stage", "lead_status", "temperature", "rating", "source", "tags")},
        ),
        ("Wishes and notes", {"fields": ("do_not_contact", "notes", "custom_fields")}),
        ("History", {"fields": ("last_contacted_at", "created_by", "created_at", "updated_at", "deleted_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "first_name", "last_name", "email", "phone", "owner")}),
        ("Work", {"fields": ("company", "job_title")}),
        ("Standing", {"fields": ("lifecycle_stage", "lead_status", "temperature", "source", "tags", "notes")}),
    )
    creates = contacts.create_contact
    updates = contacts.update_contact
    deletes = contacts.delete_contact
    restores = contacts.restore_contact


def _key(name: str) -> str:
    return f"{name}_id" if name in REFERENCES else name


def _value(name: str, value: Any) -> Any:
    return value.pk if name in REFERENCES and value is not None else value
