"""The back office of companies and contacts. Every change goes through the services."""

from django.contrib import admin

from contacts.models import Company, Contact
from contacts.services import companies, contacts
from crm.admin.base import AmountField, AmountsForm, ServiceAdmin, TenantForm


class OwnedAdmin(ServiceAdmin):
    """What the pages of companies and contacts have in common."""

    references = ("owner", "company")
    autocomplete_fields: tuple[str, ...] = ("owner",)
    readonly_fields: tuple[str, ...] = (
        "organization",
        "address",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
    )


class CompanyForm(AmountsForm):
    """A company; its revenue in major units."""

    annual_revenue = AmountField(help_text="In the organization's currency.")

    class Meta:
        model = Company
        fields = ("name", "website", "phone", "industry", "tier", "lifecycle_stage", "country", "employee_count")


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
