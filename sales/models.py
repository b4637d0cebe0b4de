"""Pipelines with their stages, deals (opportunities on the Platform), activities (a Team task is one of them)."""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

from crm.core import clock, search
from crm.core.actor import Actor
from crm.core.db import Param, SoftDeleteModel, TenantForeignKey, TenantModel, TenantQuerySet, TimestampedModel
from crm.core.fields import LineField
from crm.core.models import SummaryRow
from crm.core.money import LARGEST_MINOR


class StageKind(models.TextChoices):
    """What a deal that enters a stage becomes."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DealStatus(models.TextChoices):
    """Whether a deal is still worked on; it follows from the stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Priority(models.TextChoices):
    """How urgent a deal or an activity is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class ActivityType(models.TextChoices):
    """What is to be done, or was."""

    TASK = "task"
    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"
    NOTE = "note"


class ActivityStatus(models.TextChoices):
    """How far an activity is."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


UNFINISHED = (ActivityStatus.PENDING, ActivityStatus.IN_PROGRESS)


class Pipeline(SoftDeleteModel):
    """A way of selling: a row of stages. One living pipeline of each organization is the default."""

    name = LineField(max_length=100)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], name="pipeline_default_once", condition=Q(is_default=True, deleted_at=None)
            )
        ]
        indexes = [models.Index("organization", "created_at", "id", name="pipeline_recent")]

    def __str__(self) -> str:
        return self.name


class Stage(TimestampedModel):
    """A step of a pipeline. Positions run from 0 without gaps; `probability` is the percent that gets won from here.

    Whoever puts a deal into a stage holds the stage's lock.
    """

    pipeline = TenantForeignKey(Pipeline, related_name="stages", db_index=False)
    name = LineField(max_length=100)
    position = models.PositiveIntegerField()
    probability = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    kind = models.CharField(max_length=4, choices=StageKind, default=StageKind.OPEN)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "pipeline", "position"],
                name="stage_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=Q(probability__lte=100), name="stage_probability_range"),
        ]

    def __str__(self) -> str:
        return self.name


# The percent at which a deal counts: what is decided is certain, else its own figure, else its stage's.
CHANCE = Case(
    When(status=DealStatus.WON, then=Value(100)),
    When(status=DealStatus.LOST, then=Value(0)),
    default=Coalesce("probability", "stage__probability"),
    output_field=IntegerField(),
)


class DealRows(TenantQuerySet[Any]):
    """Questions about deals."""

    def searched(self, actor: Actor | UUID, text: str) -> Self:
        """Keep the deals in which every word of `text` begins a word of title, contact or company."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        return self.filter(search.matching("search", organization_id, text))


class Deal(SoftDeleteModel):
    """A deal: money that may be won. `status`, `closed_at` and `stage_entered_at` follow from its moves.

    `rank` orders the deals of a stage (sparse, unique); the position that clients see is how many come before.
    `amount` is in minor units; an empty `probability` means the stage's.
    """

    owned_by: ClassVar[str | None] = "owner_id"

    title = LineField(max_length=200)
    pipeline = TenantForeignKey(Pipeline, related_name="deals", db_index=False)
    stage = TenantForeignKey(Stage, related_name="deals", db_index=False)
    rank = models.BigIntegerField(editable=False)
    status = models.CharField(max_length=4, choices=DealStatus, default=DealStatus.OPEN, editable=False)
    contact = TenantForeignKey("contacts.Contact", null=True, blank=True, related_name="+", db_index=False)
    company = TenantForeignKey("contacts.Company", null=True, blank=True, related_name="+", db_index=False)
    amount = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    probability = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    priority = models.CharField(max_length=6, choices=Priority, default=Priority.MEDIUM)
    expected_close_date = models.DateField(null=True, blank=True)
    source = LineField(max_length=100, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    description = models.TextField(blank=True)
    lost_reason = models.CharField(max_length=500, blank=True)
    owner = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    created_by = TenantForeignKey(
        "accounts.User", null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    search = SearchVectorField(null=True, editable=False)
    stage_entered_at = models.DateTimeField(editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = DealRows.as_manager()

    class Meta:
        indexes = [
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="deal_recent",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                "owner",
                F("created_at").desc(),
                F("id").desc(),
                name="deal_owner",
                condition=Q(deleted_at=None),
            ),
            models.Index("organization", "contact", "id", name="deal_contact", condition=Q(contact__isnull=False)),
            models.Index("organization", "company", "id", name="deal_company", condition=Q(company__isnull=False)),
            models.Index("organization", "closed_at", name="deal_closed", condition=Q(closed_at__isnull=False)),
            GinIndex("search", name="deal_search", fastupdate=False),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "stage", "rank"], name="deal_rank_once", condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(condition=Q(amount__gte=0, amount__lte=LARGEST_MINOR), name="deal_amount_range"),
            models.CheckConstraint(
                condition=Q(probability__isnull=True) | Q(probability__lte=100), name="deal_probability_range"
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None) | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="deal_closed_when_decided",
            ),
        ]

    @property
    def chance(self) -> int:
        """Return the percent at which it counts, as `CHANCE` does."""
        own = self.stage.probability if self.probability is None else self.probability
        return {DealStatus.WON: 100, DealStatus.LOST: 0}.get(DealStatus(self.status), own)

    def __str__(self) -> str:
        return self.title


class ActivityRows(TenantQuerySet[Any]):
    """Questions about activities."""

    def searched(self, actor: Actor | UUID, text: str) -> Self:
        """Keep the activities in which every word of `text` begins a word of subject or description."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        return self.filter(search.matching("search", organization_id, text))

    def unfinished(self) -> Self:
        """Keep what is still to be done."""
        return self.filter(status__in=UNFINISHED)

    def due_for(self, person_id: UUID | Param, start: datetime | Param, end: datetime | Param) -> Self:
        """Keep what a person still has to do within a span of time (`end` is past it)."""
        return self.alive().unfinished().filter(owner_id=person_id, due_at__gte=start, due_at__lt=end)


class Activity(SoftDeleteModel):
    """Something to do, or done: a task, call, meeting, e-mail or note about a contact, a company or a deal.

    `due_at` decides what is due; where a date alone was given, `due_on` keeps it and `due_at` is that day's last
    second in the time zone of the owner (the person it is assigned to). `scheduled_at` says since when it has been
    due then for that person: what came up after a day's reminder waits for the next one.
    """

    owned_by: ClassVar[str | None] = "owner_id"
    made_by: ClassVar[str | None] = "created_by_id"

    type = models.CharField(max_length=8, choices=ActivityType, default=ActivityType.TASK)
    subject = LineField(max_length=200)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=11, choices=ActivityStatus, default=ActivityStatus.PENDING)
    priority = models.CharField(max_length=6, choices=Priority, default=Priority.MEDIUM)
    due_at = models.DateTimeField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True, editable=False)
    scheduled_at = models.DateTimeField(default=clock.now, editable=False)
    owner = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    created_by = TenantForeignKey(
        "accounts.User", null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    contact = TenantForeignKey("contacts.Contact", null=True, blank=True, related_name="+", db_index=False)
    company = TenantForeignKey("contacts.Company", null=True, blank=True, related_name="+", db_index=False)
    deal = TenantForeignKey(Deal, null=True, blank=True, related_name="activities", db_index=False)
    search = SearchVectorField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = ActivityRows.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="activity_recent",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                "owner",
                F("created_at").desc(),
                F("id").desc(),
                name="activity_owner",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                "created_by",
                F("created_at").desc(),
                F("id").desc(),
                name="activity_maker",
                condition=Q(deleted_at=None) & ~Q(owner_id=F("created_by_id")),
            ),
            models.Index(
                "organization",
                "due_at",
                name="activity_calendar",
                condition=Q(deleted_at=None, due_at__isnull=False),
            ),
            models.Index(
                "organization",
                "due_at",
                "owner",
                include=["created_by", "type"],
                name="activity_due",
                condition=Q(deleted_at=None, status__in=UNFINISHED, due_at__isnull=False),
            ),
            models.Index(
                "organization",
                "owner",
                "due_at",
                name="activity_owner_due",
                condition=Q(deleted_at=None, status__in=UNFINISHED, due_at__isnull=False),
            ),
            models.Index("organization", "contact", "id", name="activity_contact", condition=Q(contact__isnull=False)),
            models.Index("organization", "company", "id", name="activity_company", condition=Q(company__isnull=False)),
            models.Index("organization", "deal", "id", name="activity_deal", condition=Q(deal__isnull=False)),
            GinIndex("search", name="activity_search", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="completed", completed_at__isnull=False)
                | (~Q(status="completed") & Q(completed_at=None)),
                name="activity_completed_when_done",
            )
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def label(self) -> str:
        """Return its type in a word that begins a sentence."""
        return "E-mail" if self.type == ActivityType.EMAIL else ActivityType(self.type).label


class DailyReminder(TenantModel):
    """The reminder of one person for one day of their own calendar: whoever makes this row mails it, nobody else."""

    user = TenantForeignKey("accounts.User", related_name="+", db_index=False)
    day = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user", "day"], name="daily_reminder_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class Figure(SummaryRow):
    """Sums over deals and activities; docs/figures.md says what for, migrations 0003 and 0004 how they are kept.

    Money is in minor units, `day` is a day of UTC or a month's first, and what does not matter to a kind is empty:

    - `deals`: living deals by owner, stage, status and currency;
    - `closed`: the decided ones among them by owner, status, currency and the day of their decision; again with
      `by month`;
    - `left`: moves out of a stage by the deal's owner, stage and day; `seconds` were spent there;
    - `due`, `due for others`: unfinished activities by the day they are due and the person they are assigned to, or
      who made them for somebody else; both again with `by month`.
    """

    sums: ClassVar[tuple[str, ...]] = ("n", "amount", "weighted", "unweighted", "seconds")

    stage_id = models.UUIDField(null=True)
    status = models.CharField(max_length=4, choices=DealStatus, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    day = models.DateField(null=True)
    amount = models.DecimalField(max_digits=40, decimal_places=0, default=0)
    # Amount times percent of the deals with a probability of their own; the amount of those that take the stage's.
    weighted = models.DecimalField(max_digits=40, decimal_places=0, default=0)
    unweighted = models.DecimalField(max_digits=40, decimal_places=0, default=0)
    seconds = models.BigIntegerField(default=0)  # from creation to decision, of won deals

    class Meta:
        indexes = [
            models.Index("organization", "kind", "day", "owner_id", name="figure_sum"),
            models.Index("organization", "kind", name="summary_uncompacted", condition=Q(is_compacted=False)),
        ]
