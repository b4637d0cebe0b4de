"""The back office's view of the kernel: what happened, and what waits to be delivered."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm.admin.base import ORGANIZATION, ReadOnlyAdmin, as_uuid
from crm.core import outbox
from crm.core.models import Event, OutboxMessage


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Facts, newest first."""

    list_display = ("occurred_at", "name", "title", "organization", "actor")
    list_select_related = ("organization", "actor")
    search_fields = ("id",)
    search_help_text = "The id of an event or, with an organization chosen, of what it is about."
    fields = (
        "occurred_at",
        "recorded_at",
        "name",
        "kind",
        "organization",
        "actor",
        "title",
        "content",
        "subject_type",
        "subject_id",
        "subject_label",
        "contact_id",
        "company_id",
        "changes",
        "metadata",
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Event], search_term: str) -> Any:
        """Find an event by its id, or those about one thing."""
        found, _ = super().get_search_results(request, queryset, search_term)
        about = as_uuid(search_term)
        organization_id = as_uuid(request.GET.get(ORGANIZATION, ""))
        if about is not None and organization_id is not None:
            found = queryset.filter(Q(pk=about) | Q(organization_id=organization_id, subject_id=about))
        return found, False


class StateFilter(admin.SimpleListFilter):
    """Messages by what becomes of them, each by an index of its own."""

    title = "state"
    parameter_name = "state"
    states: ClassVar[dict[str, Q]] = {
        "waiting": Q(done_at=None, dead_at=None),
        "dead": Q(dead_at__isnull=False),
        "delivered": Q(done_at__isnull=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [(name, name.capitalize()) for name in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        """Keep one state."""
        state = self.value()
        return queryset.filter(self.states[state]) if state in self.states else queryset


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Work that waits, was done, or was given up until somebody looks at it."""

    list_display = ("created_at", "topic", "organization", "due_at", "attempts", "done_at", "dead_at", "last_error")
    list_select_related = ("organization",)
    list_filter = (StateFilter,)
    search_fields = ("id",)
    search_help_text = "The id of a message."
    actions = ("retry",)
    fields = (
        "topic",
        "payload",
        "organization",
        "created_at",
        "due_at",
        "attempts",
        "leased_until",
        "done_at",
        "dead_at",
        "last_error",
    )

    @admin.action(description="Try the selected dead letters again")
    def retry(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        """Give dead letters to the worker once more."""
        retried = outbox.retry_dead(list(queryset.values_list("pk", flat=True)[: self.list_max_show_all]))
        self.message_user(request, f"{retried} messages will be tried again.")
