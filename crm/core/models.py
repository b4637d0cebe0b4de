"""Tables of the kernel: events, outbox, idempotency keys, rate counters, row counters and summary rows."""

from typing import ClassVar

from django.db import models

from crm.core.db import TenantForeignKey, TenantModel


class TimelineKind(models.TextChoices):
    """What a timeline entry is about."""

    NOTE = "note"
    CALL = "call"
    EMAIL = "email"
    SMS = "sms"
    MEETING = "meeting"
    UPDATE = "update"
    DEAL = "deal"
    TASK = "task"
    INVOICE = "invoice"
    MESSAGE = "message"
    CAMPAIGN = "campaign"
    ORDER = "order"


class Event(TenantModel):
    """A fact: who did what to which thing, when, and which fields went from what to what. Never changed or deleted.

    `contact` and `company` say on whose timelines it stands, `deal` which deal it speaks of; `subject_*` is the thing
    itself. The columns have no foreign keys: a fact outlives the things it speaks of.
    """

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=TimelineKind, default=TimelineKind.UPDATE)
    actor = TenantForeignKey("accounts.User", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)
    subject_type = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    subject_label = models.CharField(max_length=300, blank=True)
    contact = TenantForeignKey(
        "contacts.Contact", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    company = TenantForeignKey(
        "contacts.Company", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    deal = TenantForeignKey("sales.Deal", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)
    title = models.CharField(max_length=400)
    content = models.TextField(blank=True)
    changes = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                "organization",
                "contact",
                models.F("occurred_at").desc(),
                models.F("id").desc(),
                name="event_contact",
                condition=models.Q(contact__isnull=False),
            ),
            models.Index("organization", models.F("occurred_at").desc(), models.F("id").desc(), name="event_recent"),
            models.Index("organization", "subject_id", models.F("id").desc(), name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_label}"


class OutboxMessage(TenantModel):
    """Work that must happen after its transaction: PostgreSQL holds it, Celery only rings.

    A claim is a lease (`leased_until`, `lease`); a message that keeps failing becomes a dead letter, with its reason.
    """

    topic = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                "due_at", "id", name="outbox_due", condition=models.Q(done_at__isnull=True, dead_at__isnull=True)
            ),
            models.Index("done_at", name="outbox_done", condition=models.Q(done_at__isnull=False)),
            models.Index("dead_at", name="outbox_dead", condition=models.Q(dead_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"


class IdempotencyKey(TenantModel):
    """The answer a POST already got under its `Idempotency-Key`; `status` is empty while the first one runs.

    `subject_type` (`app.model`) and `subject_id` name the row that the answer is about, where rows have owners.
    """

    user_id = models.UUIDField()
    route = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    response = models.BinaryField(null=True)
    subject_type = models.CharField(max_length=60, db_default="")
    subject_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user_id", "route", "key"], name="idempotency_once")
        ]
        indexes = [models.Index("created_at", name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class RateCounter(models.Model):
    """Hits of one subject in one window, counted in PostgreSQL: losing Redis neither lifts nor adds a limit."""

    key = models.CharField(max_length=200, primary_key=True)
    window_ends_at = models.DateTimeField(db_index=True)
    hits = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.key


class SummaryRow(models.Model):
    """A row of a table of kept sums: signed rows that triggers (`crm.core.db.operations`) write and beat folds.

    `sums` names the columns that add up; all the others but the id and `is_compacted` are the key.
    """

    sums: ClassVar[tuple[str, ...]] = ("n",)

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    owner_id = models.UUIDField(null=True)
    n = models.BigIntegerField()
    is_compacted = models.BooleanField(db_default=False, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.n}"


class RowCounter(SummaryRow):
    """Row counts; the sum over a kind is the number of living rows.

    Each row counts twice: under its kind by owner, and under `<kind> by month` by the month (UTC) of its creation.
    """

    month = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index("organization", "kind", "owner_id", "month", include=["n"], name="row_counter_sum"),
            models.Index(
                "organization", "kind", name="row_counter_uncompacted", condition=models.Q(is_compacted=False)
            ),
        ]
