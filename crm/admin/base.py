"""What the back office's pages have in common: none of them counts, sorts or loads a whole table.

Search goes by the prefix of indexed columns, or, once an organization is chosen (`?organization__id__exact=…`), by
the words of the table's search column. References are chosen by autocomplete or raw id, never from a full list.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from crm.core import money
from crm.core.actor import Actor, system_actor
from crm.core.errors import DomainError

MOST_COUNTED = 1000  # rows that a list counts and can be leafed through; beyond them one searches
ORGANIZATION = "organization__id__exact"


class BoundedPaginator(Paginator):
    """Counts no further than `MOST_COUNTED`, so that a list costs the same however long the table is."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most `MOST_COUNTED`."""
        rows = self.object_list
        return rows.order_by()[:MOST_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


def actor_for(request: HttpRequest, organization: Any) -> Actor:
    """Return who a service sees acting when an operator changes a row of this organization.

    The operator is nobody's colleague, so events carry no user; the admin's own log names the operator.
    """
    acting = system_actor(organization.pk, timezone=organization.timezone, currency=organization.currency)
    return replace(acting, name=f"{request.user} (operator)", organization_slug=organization.slug)


def link_to(row: Model | None) -> str:
    """Return a link to a row's page in the admin."""
    if row is None:
        return "-"
    meta = row._meta  # noqa: SLF001 - Django's documented model metadata
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]), row
    )


class BackOfficeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The base of all pages. `search_fields` name columns indexed for prefixes; `normalized` ones are lower case."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 100
    list_disable_select_all = True
    ordering: Sequence[str] | None = ("-id",)
    sortable_by: Sequence[str] | None = ()
    save_on_top = False
    view_on_site = False
    compressed_fields = True

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer our own actions only: deleting many rows at once is none of them."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nothing for good; services deactivate."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Narrow by id, by prefix, or within one organization by word."""
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        pk = as_uuid(term)
        if pk is not None:
            return queryset.filter(pk=pk), False
        organization_id = as_uuid(request.GET.get(ORGANIZATION, ""))
        if organization_id is not None and hasattr(queryset, "searched"):
            return queryset.searched(organization_id, term), False
        found = Q()
        for column in set(self.get_search_fields(request)) - {"id"}:
            found |= Q(**{f"{column}__startswith": term.lower() if column.endswith(("_normalized", "slug")) else term})
        return (queryset.filter(found) if found else queryset.none()), False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the page; what a service refuses is told on it, and nothing is saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            tell(self, request, refusal)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(BackOfficeAdmin):
    """Pages that show and change nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Add nothing."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change nothing."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what `fields` or `fieldsets` name, be it a column or a method."""
        return [name for _, options in self.get_fieldsets(request, obj) for name in _flat(options["fields"])]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show every column, also those that forms leave out."""
        return self.fields or [field.name for field in self.opts.fields]


class TenantForm(forms.ModelForm):
    """Asks for the organization (`tenant`) where a row is made, and takes references inside it alone."""

    tenant: Any = forms.ModelChoiceField(queryset=None, label="Organization")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
            field = self._meta.model._meta.get_field("organization")  # noqa: SLF001 - documented model metadata
            tenant: Any = self.fields["tenant"]
            tenant.queryset = field.remote_field.model.objects.all()
        else:
            self.fields.pop("tenant", None)

    def clean(self) -> dict[str, Any]:
        """Refuse rows of another organization."""
        cleaned = super().clean() or self.cleaned_data
        organization = cleaned.get("tenant")
        if organization is not None:
            self.instance.organization = organization
        for name, value in list(cleaned.items()):
            if name != "tenant" and getattr(value, "organization_id", None) not in {
                None,
                self.instance.organization_id,
            }:
                self.add_error(name, "This belongs to another organization.")
        return cleaned


class TenantAdmin(BackOfficeAdmin):
    """Rows of organizations: `form` descends from `TenantForm`, and `add_fieldsets` name its `tenant`."""

    form = TenantForm
    list_select_related: Sequence[str] | bool = ("organization",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Let the organization be found by typing."""
        form = super().get_form(request, obj, change, **kwargs)
        if "tenant" in form.base_fields:
            field = self.opts.get_field("organization")
            form.base_fields["tenant"].widget = AutocompleteSelect(field, self.admin_site)
        return form


class ServiceAdmin(TenantAdmin):
    """Rows that services make and change: `creates(actor, **fields)`, `updates(actor, row, **fields)`, and so on.

    `references` are the fields whose rows the services take by id.
    """

    references: tuple[str, ...] = ()
    creates: Callable[..., Any]
    updates: Callable[..., Any]
    deletes: Callable[..., Any]
    restores: Callable[..., Any] | None = None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the fields that may not be set."""
        return self.readonly_fields if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change what is alive; the deleted are restored first."""
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer to restore only where there is a service that does."""
        actions = super().get_actions(request)
        if type(self).restores is None:
            actions.pop("restore_rows", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make or change the row as a member of the organization would."""
        actor = actor_for(request, obj.organization)
        values = form.cleaned_data
        names = form.changed_data if change else [name for name in values if name != "tenant"]
        fields = dict(self.given(name, values[name]) for name in names)
        if change:
            rows = self.model.objects.of(obj.organization_id)
            row = type(self).updates(actor, rows.get(pk=obj.pk), **fields)
        else:
            row = type(self).creates(actor, **fields)
        obj.__dict__.update(row.__dict__)

    def given(self, name: str, value: Any) -> tuple[str, Any]:
        """Return a field of the form as the service takes it."""
        if name not in self.references:
            return name, value
        return f"{name}_id", None if value is None else value.pk

    @admin.action(description="Delete the selected")
    def delete_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete softly."""
        self._each(request, queryset.filter(deleted_at=None), type(self).deletes, "deleted")

    @admin.action(description="Restore the selected")
    def restore_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Bring back."""
        self._each(request, queryset.filter(deleted_at__isnull=False), type(self).restores, "restored")

    actions = ("delete_rows", "restore_rows")

    def _each(self, request: HttpRequest, queryset: QuerySet[Any], service: Any, done: str) -> None:
        count = 0
        for row in queryset.select_related("organization")[: self.list_max_show_all]:
            try:
                with transaction.atomic():
                    service(actor_for(request, row.organization), row)
                count += 1
            except DomainError as refusal:
                tell(self, request, refusal)
        self.message_user(request, f"{count} {done}.")


class AmountField(forms.DecimalField):
    """Money in major units; the service knows how many decimals its currency has."""

    def __init__(self, **kwargs: Any) -> None:
        given = {"required": False, "min_value": 0, "max_digits": 20, "decimal_places": 3}
        super().__init__(**(given | {"widget": UnfoldAdminDecimalFieldWidget} | kwargs))


class AmountsForm(TenantForm):
    """A form with amounts, shown and taken in major units."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001 - Django's documented way to tell a new row
            return
        for name in self.amounts():
            minor = getattr(self.instance, name)
            self.initial[name] = None if minor is None else money.exact(minor, self.currency())

    def amounts(self) -> list[str]:
        """Return the names of the amounts."""
        return [name for name, field in self.fields.items() if isinstance(field, AmountField)]

    def currency(self) -> str:
        """Return the currency of the row's amounts."""
        return str(self.instance.organization.currency)

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the amounts to the service: the row has none yet where the model checks itself."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own hook
        return excluded | set(self.amounts())

    def _post_clean(self) -> None:
        """Leave the amounts to the service; as columns they have other units."""
        amounts = {name: self.cleaned_data.pop(name, None) for name in self.amounts()}
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, missing in the stubs
        self.cleaned_data |= amounts


def tell(page: Any, request: HttpRequest, refusal: DomainError) -> None:
    """Show a service's refusal, with its field errors, as a message."""
    fields = "; ".join(f"{name}: {text}" for name, text in refusal.details.items())
    page.message_user(request, fields or refusal.message, level=messages.ERROR)


def back_to(page: Any, row: Model) -> HttpResponse:
    """Return to a row's page."""
    return HttpResponseRedirect(reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk]))


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is, or None."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _flat(names: Sequence[Any]) -> list[str]:
    return [name for part in names for name in ([part] if isinstance(part, str) else part)]
