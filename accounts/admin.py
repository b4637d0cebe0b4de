"""Identity's back office. What has rules goes through the services, like every other entry point."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import slugify
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Invitation, OperatorEvent, Organization, Role, Session, User, UserRole
from accounts.permissions import BUILT_IN_ROLES
from accounts.services import invitations, organizations, passwords, permissions, registration, roles, sessions, users
from crm.admin.base import (
    ORGANIZATION,
    BackOfficeAdmin,
    ReadOnlyAdmin,
    TenantAdmin,
    TenantForm,
    actor_for,
    as_uuid,
    tell,
)
from crm.core.actor import system_actor
from crm.core.errors import DomainError
from crm.core.form_fields import LineFormField

admin.site.unregister(Group)  # roles are ours


class NewOrganization(forms.ModelForm):
    """An organization and who owns it."""

    slug = forms.CharField(
        required=False, max_length=63, widget=UnfoldAdminTextInputWidget, help_text="Left empty: made from the name."
    )
    owner_email = forms.EmailField(max_length=254, widget=UnfoldAdminEmailInputWidget)
    owner_name = LineFormField(required=False, max_length=201, widget=UnfoldAdminTextInputWidget)
    owner_password = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget,
        strip=False,
        help_text="Left empty: the owner is mailed a link to set one.",
    )

    class Meta:
        model = Organization
        fields = ("name",)


@admin.register(Organization)
class OrganizationAdmin(BackOfficeAdmin):
    """Organizations, newest first; an owner comes with each."""

    list_display = ("name", "slug", "currency", "timezone", "is_active", "shop_enabled", "created_at")
    search_fields = ("slug",)
    search_help_text = "The beginning of a slug or name, or an id."
    readonly_fields = ("slug", "found_here", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_active", "found_here")}),
        ("Profile", {"fields": ("industry", "company_size", "website", "contact_phone", "address", "logo")}),
        ("Settings", {"fields": ("timezone", "currency", "settings")}),
        ("Shop", {"fields": ("shop_enabled", "shop_name")}),
        ("History", {"fields": ("created_at", "updated_at")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "slug", "owner_email", "owner_name", "owner_password")}),)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Find by the beginning of the slug, which the name is written in too."""
        found, _ = super().get_search_results(request, queryset, search_term)
        return found | super().get_search_results(request, queryset, slugify(search_term))[0], False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Ask for the owner where an organization is made."""
        return super().get_form(request, obj, change, **({"form": NewOrganization} | kwargs if obj is None else kwargs))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let the slug be chosen once."""
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Found the organization with its owner, or change its settings."""
        details = form.cleaned_data
        if change:
            changes = {name: details[name] for name in form.changed_data}
            _became(obj, organizations.update_organization(actor_for(request, obj), obj, **changes))
            return
        founded = registration.create_organization_with_owner(
            name=details["name"],
            slug=details["slug"],
            email=details["owner_email"],
            full_name=details["owner_name"],
            password=details["owner_password"] or None,
        )
        _became(obj, founded.organization)

    @admin.display(description="Found here")
    def found_here(self, obj: Organization) -> str:
        """Link to what belongs to the organization."""
        return format_html_join(" · ", '<a href="{}">{}</a>', _lists_of(self.admin_site, obj))


class UserForm(TenantForm):
    """A user with the one role that stands for all: the highest-ranking."""

    role = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "phone", "timezone", "language", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields.get("role")
        if role is None:  # an operator, who holds none
            return
        if self.instance.organization_id is None:
            role.choices = [(name, name) for name in BUILT_IN_ROLES]
            self.initial.setdefault("role", "staff")  # nobody becomes an owner by an oversight
            return
        actor = system_actor(self.instance.organization_id)
        names = Role.objects.of(actor).order_by("-rank", "name").values_list("name", flat=True)
        held = roles.roles_of(actor, self.instance)
        role.choices = [*([] if held else [("", "none")]), *((name, name) for name in names)]
        role.required = bool(held)
        self.initial["role"] = held[0].name if held else ""


class NewUserForm(UserForm):
    """A new user of an organization."""

    password = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget,
        strip=False,
        help_text="Left empty: the user is invited by mail, and inactive until they accept.",
    )


class UserPasswordForm(AdminPasswordChangeForm):
    """A new password for a user, whose sessions end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Set it as an administrator of the organization would; an operator's own is simply saved."""
        password = self.cleaned_data["password1"]
        if self.user.organization_id is None:
            self.user.set_password(password)
            self.user.save(update_fields=["password", "updated_at"])
        else:
            passwords.change_for(system_actor(self.user.organization_id), self.user, new_password=password)
            self.user.refresh_from_db(fields=["password"])
        return self.user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, TenantAdmin):  # type: ignore[misc]  # Django's page in our setting
    """Users of all organizations, and operators."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = UserPasswordForm
    list_display = ("email", "full_name", "organization", "roles_held", "is_active", "is_invited", "created_at")
    list_filter = ()
    filter_horizontal = ()
    ordering = ("-id",)  # type: ignore[misc]  # a setting of the class, as everywhere in the admin
    search_fields = ("email_normalized",)
    search_help_text = "The beginning of an e-mail address, or an id; in one organization also words of the name."
    readonly_fields = (
        "organization",
        "roles_held",
        "is_invited",
        "last_login",
        "created_at",
        "updated_at",
        "password_link",
    )
    fieldsets = (
        (None, {"fields": ("email", "organization", "first_name", "last_name", "phone", "timezone", "language")}),
        ("Access", {"fields": ("role", "roles_held", "is_active", "is_invited", "password_link")}),
        ("History", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("tenant", "email", "first_name", "last_name", "phone", "timezone", "language")}),
        ("Access", {"fields": ("role", "password")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read the names of all roles with the users."""
        held = UserRole.objects.filter(organization_id=OuterRef("organization_id"), user_id=OuterRef("pk"))
        names = held.order_by("-role__rank", "role__name").values("role__name")
        return super().get_queryset(request).annotate(role_names=ArraySubquery(names))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show how an operator signs in as it is: whoever borrows a session must not keep the account."""
        shown = tuple(self.readonly_fields) if obj else ()
        return (*shown, "email", "role", "is_active") if obj and obj.organization_id is None else shown

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the role out where there is none to hold."""
        if obj is not None and obj.organization_id is None:
            return (
                (None, {"fields": ("email", "first_name", "last_name", "password_link", "last_login", "created_at")}),
            )
        return super().get_fieldsets(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make or change the user by the same rules as an owner would."""
        details = form.cleaned_data
        if change and obj.organization_id is None:
            obj.save()
        elif change:
            changes = {name: details[name] for name in form.changed_data if details[name] or name != "role"}
            _became(obj, users.update_user(actor_for(request, obj.organization), obj, **changes))
        else:
            organization = details.pop("tenant")
            made = users.create_user(
                actor_for(request, organization), **details | {"password": details["password"] or None}
            )
            _became(obj, made)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's signature
        """Ask for the present password where it is one's own."""
        if id == str(request.user.pk):
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)

    @admin.display(description="Roles")
    def roles_held(self, obj: User) -> str:
        """Name all roles, the highest-ranking first."""
        return "operator" if obj.is_superuser else ", ".join(obj.role_names) or "-"  # type: ignore[attr-defined]

    @admin.display(description="Password")
    def password_link(self, obj: User) -> str:
        """Link to the form that sets a new one."""
        address = reverse("admin:auth_user_password_change", args=[obj.pk])
        return format_html_join("", '<a href="{}">{}</a>', [(address, "Set a new password")])


class RoleForm(TenantForm):
    """A custom role and what it permits."""

    granted = forms.MultipleChoiceField(required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = Role
        fields = ("name", "description", "scope")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding or "granted" not in self.fields:  # noqa: SLF001 - Django's way to tell a new row
            self.fields.pop("granted", None)
            return
        permits = permissions.all_permissions(system_actor(self.instance.organization_id))
        granted: Any = self.fields["granted"]
        granted.choices = [(str(permit.id), f"{permit.code}: {permit.description}") for permit in permits]
        self.initial["granted"] = [str(permit.id) for permit in permits if permit.held_as in self.instance.permissions]


@admin.register(Role)
class RoleAdmin(TenantAdmin):
    """Roles; built-in ones are fixed."""

    form = RoleForm
    list_display = ("name", "organization", "scope", "rank", "is_built_in", "created_at")
    search_fields = ("name",)
    search_help_text = "The beginning of a name, or an id."
    readonly_fields = ("organization", "rank", "is_built_in", "created_at")
    fieldsets = (
        (None, {"fields": ("organization", "name", "description", "scope", "rank", "is_built_in", "created_at")}),
        ("Permissions", {"fields": ("granted",)}),
    )
    add_fieldsets = ((None, {"fields": ("tenant", "name", "description", "scope")}),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change custom roles alone."""
        return super().has_change_permission(request, obj) and not (obj and obj.is_built_in)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the fields that may not be set."""
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show no choice of permissions where there is none."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets[:1] if obj and obj.is_built_in else fieldsets

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Make or change the role as an owner would."""
        details = form.cleaned_data
        if not change:
            organization = details.pop("tenant")
            _became(obj, roles.create_role(actor_for(request, organization), **details))
            return
        actor = actor_for(request, obj.organization)
        wanted, had = set(details.pop("granted")), set(form.initial["granted"])
        changed = roles.update_role(
            actor, obj, **{name: details[name] for name in form.changed_data if name in details}
        )
        for permission in permissions.all_permissions(actor):
            if str(permission.id) in wanted - had:
                permissions.grant_permission(actor, changed, permission.id)
            elif str(permission.id) in had - wanted:
                permissions.revoke_permission(actor, changed, permission.id)
        _became(obj, Role.objects.of(actor).get(pk=obj.pk))


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations to teams."""

    list_display = (
        "email",
        "organization",
        "role",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )
    list_select_related = ("organization", "role", "invited_by")
    search_fields = ("email_normalized",)
    search_help_text = "The beginning of an e-mail address, or an id."
    actions = ("resend", "revoke")
    fields = (
        "email",
        "organization",
        "role",
        "user",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )

    @admin.action(description="Mail the selected invitations again")
    def resend(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Give them seven new days."""
        _each(self, request, queryset, invitations.resend, "mailed again")

    @admin.action(description="Withdraw the selected invitations")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Let their links work no more."""
        _each(self, request, queryset, invitations.revoke, "withdrawn")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Sign-ins; ending one takes effect on its next request."""

    list_display = ("user", "organization", "surface", "address", "created_at", "expires_at", "ended_at", "end_reason")
    list_select_related = ("organization", "user")
    search_fields = ("user_id",)
    search_help_text = "The id of a session or of a user."
    actions = ("end",)
    fields = (
        "user",
        "organization",
        "surface",
        "address",
        "user_agent",
        "created_at",
        "expires_at",
        "ended_at",
        "end_reason",
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Find a session by its id, or all of one user."""
        pk = as_uuid(search_term)
        if pk is None:
            return (queryset.none() if search_term.strip() else queryset), False
        return queryset.filter(Q(pk=pk) | Q(user_id=pk)), False

    @admin.action(description="End the selected sessions")
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """End them at once."""
        _each(self, request, queryset, sessions.end_other, "ended")


@admin.register(OperatorEvent)
class OperatorEventAdmin(ReadOnlyAdmin):
    """Sign-ins of operators, and what became of their second factors; kept for a year."""

    list_display = ("occurred_at", "name", "email", "address", "reason")
    search_fields = ("email",)
    search_help_text = "The beginning of an e-mail address, or an id."
    fields = ("occurred_at", "name", "email", "operator_id", "address", "user_agent", "reason")


def _each(page: Any, request: HttpRequest, queryset: QuerySet[Any], service: Any, done: str) -> None:
    """Call a service for each selected row; a refusal undoes that row alone."""
    count = 0
    for row in queryset.select_related("organization")[: page.list_max_show_all]:
        try:
            with transaction.atomic():
                service(actor_for(request, row.organization), row)
            count += 1
        except DomainError as refusal:
            tell(page, request, refusal)
    page.message_user(request, f"{count} {done}.")


def _became(obj: Any, row: Any) -> None:
    """Let the admin go on with the row that a service made or changed."""
    obj.__dict__.update(row.__dict__)


def _lists_of(site: admin.AdminSite, organization: Organization) -> Iterator[tuple[str, str]]:
    for model in site._registry:  # noqa: SLF001 - the admin's own list of its pages
        meta = model._meta  # noqa: SLF001 - Django's documented model metadata
        if any(field.name == "organization" for field in meta.fields):
            address = reverse(f"{site.name}:{meta.app_label}_{meta.model_name}_changelist")
            yield f"{address}?{urlencode({ORGANIZATION: organization.pk})}", str(meta.verbose_name_plural).capitalize()
