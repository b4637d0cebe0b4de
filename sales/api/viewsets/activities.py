"""Activities and tasks as resources: rows, filters, orders, services, and what a person is reminded of."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpResponse

from crm.api.filtersets import FilterSet, MomentField, SearchFilter
from crm.api.schema import extend_schema
from crm.api.surfaces import Page
from crm.api.viewsets import ResourceViewSet, Services
from crm.core import clock
from crm.core.actor import Actor
from crm.core.db import NOW, Param
from crm.core.errors import Invalid
from sales.models import UNFINISHED, Activity, ActivityStatus, ActivityType, Priority
from sales.services import activities, reminders

MYSELF = "me"
ASSIGNED = "Whom it is assigned to; `me` is the user who asks."
MOST_REMINDED = 100  # in each list of reminders
ZONES_APART = timedelta(days=2)  # more than lies between the same day's ends in two time zones


class DueFilter(django_filters.Filter):
    """From or to a moment; what is due on a day matches that day in whichever time zone it is kept."""

    field_class = MomentField

    def day_of_organization(self, day: date) -> tuple[datetime, datetime]:
        """Return where a day begins and ends for what has a time."""
        return clock.day_bounds(day, self.parent.actor.organization_timezone)


class DueFrom(DueFilter):
    """From a moment on."""

    def filter(self, qs: Any, value: date | datetime | None) -> Any:
        """Narrow to what is due then or later."""
        if value is None or isinstance(value, datetime):
            return qs.filter(due_at__gte=value) if value else qs
        begins, _ = self.day_of_organization(value)
        near = max(begins, clock.EARLIEST + ZONES_APART) - ZONES_APART
        return qs.filter(Q(due_on__gte=value) | Q(due_on=None, due_at__gte=begins), due_at__gte=near)


class DueTo(DueFilter):
    """Up to a moment."""

    def filter(self, qs: Any, value: date | datetime | None) -> Any:
        """Narrow to what is due until then."""
        if value is None or isinstance(value, datetime):
            return qs.filter(due_at__lte=value) if value else qs
        _, ends = self.day_of_organization(value)
        near = min(ends, clock.LATEST - ZONES_APART) + ZONES_APART
        return qs.filter(Q(due_on__lte=value) | Q(due_on=None, due_at__lt=ends), due_at__lt=near)


class TaskFilterSet(FilterSet):
    """Filters of task lists."""

    search = SearchFilter()
    status = django_filters.ChoiceFilter(choices=ActivityStatus.choices)
    priority = django_filters.ChoiceFilter(choices=Priority.choices)
    owner_id = django_filters.UUIDFilter(help_text=ASSIGNED)
    contact_id = django_filters.UUIDFilter()
    company_id = django_filters.UUIDFilter()
    deal_id = django_filters.UUIDFilter()
    due_from = DueFrom()
    due_to = DueTo()
    overdue = django_filters.BooleanFilter(method="with_overdue")

    def with_overdue(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001 - django-filter's signature
        """Keep what is overdue, or what is not."""
        late = Q(status__in=UNFINISHED, due_at__lt=NOW)
        return rows.filter(late) if value else rows.exclude(late)


class ActivityFilterSet(TaskFilterSet):
    """Filters of activity lists."""

    type = django_filters.ChoiceFilter(choices=ActivityType.choices)


class ActivityViewSet(ResourceViewSet):
    """Activities of every type."""

    permission_resource = "activities"
    permissions = {"complete": "activities:update"}
    model = Activity
    verbose_name = "Activity"
    verbose_name_plural = "activities"
    filterset_class = ActivityFilterSet
    counter = "activities"
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at", "due_at": "due_at", "subject": "subject"}
    services = Services(
        create=activities.create_activity,
        update=activities.update_activity,
        delete=activities.delete_activity,
        restore=activities.restore_activity,
    )

    def get_filter_data(self) -> dict[str, str]:
        """Return the filters, oneself by id."""
        requested = super().get_filter_data()
        if requested.get("owner_id") == MYSELF:
            requested["owner_id"] = str(self.actor.user_id)
        return requested

    def get_restorable_queryset(self, actor: Actor) -> QuerySet[Activity]:
        """Return the rows that a restore may name, to those who may restore."""
        activities.require_restorer(actor)
        return super().get_restorable_queryset(actor)

    @extend_schema(response="serializer_class")
    def complete(self, request: Any, pk: UUID) -> HttpResponse:
        """Complete one; one that is completed already stays as it is."""
        return self.respond_with(activities.complete_activity(self.actor, self.get_object(pk)))


class TaskViewSet(ActivityViewSet):
    """Activities of type `task` alone."""

    permissions = {**ActivityViewSet.permissions, "reminders": "activities:view"}

    verbose_name = "Task"
    verbose_name_plural = "tasks"
    filterset_class = TaskFilterSet
    counter = "tasks"
    ordering_fields = {"created_at": "created_at", "updated_at": "updated_at", "due_date": "due_at", "title": "subject"}

    def get_queryset(self, actor: Actor) -> QuerySet[Activity]:
        """Return the tasks a list shows."""
        return super().get_queryset(actor).filter(type=ActivityType.TASK)

    def get_restorable_queryset(self, actor: Actor) -> QuerySet[Activity]:
        """Return the tasks that a restore may name."""
        return super().get_restorable_queryset(actor).filter(type=ActivityType.TASK)

    @extend_schema(
        response={
            "overdue": ["serializer_class"],
            "today": ["serializer_class"],
            "upcoming": ["serializer_class"],
            "counts": {"overdue": int, "today": int, "upcoming": int, "total": int},
        },
        parameters={"assignee_id": UUID},
        error_statuses=(400, 403),
    )
    def reminders(self, request: Any) -> HttpResponse:
        """Return one's own tasks that are overdue, due today and due in the next seven days, in one's own time zone.

        Each list shows the 100 that are due first; the counts are true. Those who see everybody's tasks and
        may change them may ask for another's by `assigneeId`.
        """
        person = reminders.person_for(self.actor, self._assignee_asked())
        pages = {name: self._due(person.id, *span) for name, span in reminders.spans(person.timezone).items()}
        counts = {name: page.total for name, page in pages.items()}
        lists = {name: page.rows for name, page in pages.items()}
        return self.respond({**lists, "counts": {**counts, "total": sum(counts.values())}})

    def _assignee_asked(self) -> UUID | None:
        key = self.surface.key("assignee_id")
        requested = self.request.GET.get(key, "")
        if requested in {"", MYSELF}:
            return None
        try:
            return UUID(requested)
        except ValueError:
            raise Invalid({key: "Enter a valid UUID."}) from None

    def _due(self, person_id: UUID, start: datetime, end: datetime) -> Page:
        return self.query(self.serializer_class, Activity).page(
            self.actor,
            lambda actor: (
                Activity.objects.visible_to(actor)
                .filter(type=ActivityType.TASK)
                .due_for(Param("person_id"), Param("start"), Param("end"))
            ),
            order=("due_at", "id"),
            number=1,
            size=MOST_REMINDED,
            cache_key=(type(self), "reminders"),
            values={"person_id": person_id, "start": start, "end": end},
        )
