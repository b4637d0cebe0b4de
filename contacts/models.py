"""Companies and contacts. A customer and a shopper are contacts too; the timeline is read from events."""

from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from crm.core import search
from crm.core.actor import Actor
from crm.core.db import SoftDeleteModel, TenantForeignKey, TenantQuerySet
from crm.core.fields import FreeObjectField, LineField, WebAddressField


class LifecycleStage(models.TextChoices):
    """How far a relationship has come."""

    SUBSCRIBER = "subscriber"
    LEAD = "lead"
    MARKETING_QUALIFIED = "marketing_qualified"
    SALES_QUALIFIED = "sales_qualified"
    OPPORTUNITY = "opportunity"
    CUSTOMER = "customer"
    EVANGELIST = "evangelist"
    OTHER = "other"


class LeadStatus(models.TextChoices):
    """Where the work on a lead stands."""

    NEW = "new"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"


class Temperature(models.TextChoices):
    """How interested a lead is."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


class Status(models.TextChoices):
    """Whether a contact is in use."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class OwnedRows(TenantQuerySet[Any]):
    """Questions that companies and contacts share."""

    def searched(self, actor: Actor | UUID, text: str) -> Self:
        """Keep the rows of the actor's organization in which every word of `text` begins a word."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        return self.filter(search.matching("search", organization_id, text))


class Owned(SoftDeleteModel):
    """What companies and contacts have in common: an owner, soft deletion, tags, a search column."""

    owned_by: ClassVar[str | None] = "owner_id"

    owner = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False)
    lifecycle_stage = models.CharField(max_length=20, choices=LifecycleStage, default=LifecycleStage.LEAD)
    phone = LineField(max_length=40, blank=True)
    address = models.JSONField(null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    search = SearchVectorField(null=True, editable=False)
    created_by = TenantForeignKey(
        "accounts.User", null=True, blank=True, related_name="+", db_index=False, editable=False
    )

    objects: ClassVar[Any] = OwnedRows.as_manager()

    class Meta:
        abstract = True


class Company(Owned):
    """A company (an account on the Platform)."""

    name = LineField(max_length=200)
    name_normalized = models.CharField(max_length=200, editable=False)
    website = WebAddressField(max_length=300, blank=True)
    industry = LineField(max_length=100, blank=True)
    tier = LineField(max_length=60, blank=True)
    country = LineField(max_length=60, blank=True)
    employee_count = models.PositiveIntegerField(null=True, blank=True)
    annual_revenue = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "companies"
        indexes = [
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="company_recent",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                "owner",
                F("created_at").desc(),
                F("id").desc(),
                name="company_owner",
                condition=Q(deleted_at=None),
            ),
            models.Index("organization", "name_normalized", "id", name="company_name", condition=Q(deleted_at=None)),
            # The back office looks across organizations, by prefix.
            models.Index(OpClass("name_normalized", "varchar_pattern_ops"), name="company_name_prefix"),
            GinIndex("search", name="company_search", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(Owned):
    """A person (a customer on the Platform, and what stands for a shopper of the Storefront)."""

    first_name = LineField(max_length=100, blank=True)
    last_name = LineField(max_length=100, blank=True)
    full_name = LineField(max_length=201, blank=True, editable=False)
    name_normalized = models.CharField(max_length=201, blank=True, editable=False)
    email = models.EmailField(max_length=254, blank=True)
    email_normalized = models.CharField(max_length=254, blank=True, editable=False)
    job_title = LineField(max_length=150, blank=True)
    company = TenantForeignKey(Company, null=True, blank=True, related_name="contacts", db_index=False)
    lead_status = models.CharField(max_length=20, choices=LeadStatus, default=LeadStatus.NEW)
    temperature = models.CharField(max_length=10, choices=Temperature, blank=True)
    source = LineField(max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    do_not_contact = models.BooleanField(default=False)
    rating = models.DecimalField(
        max_digits=2,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(5)],
    )
    notes = models.TextField(blank=True)
    custom_fields = FreeObjectField(default=dict, blank=True)
    avatar = WebAddressField(max_length=500, blank=True)
    dedupe_hash = models.CharField(max_length=64, blank=True, editable=False)
    user = TenantForeignKey("accounts.User", null=True, blank=True, related_name="+", db_index=False, editable=False)
    last_contacted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(
                "organization",
                F("created_at").desc(),
                F("id").desc(),
                name="contact_recent",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                "organization",
                "owner",
                F("created_at").desc(),
                F("id").desc(),
                name="contact_owner",
                condition=Q(deleted_at=None),
            ),
            models.Index("organization", "company", "id", name="contact_company", condition=Q(company__isnull=False)),
            models.Index("organization", "name_normalized", "id", name="contact_name", condition=Q(deleted_at=None)),
            models.Index("organization", "email_normalized", "id", name="contact_email", condition=Q(deleted_at=None)),
            models.Index("organization", "dedupe_hash", name="contact_dedupe", condition=Q(deleted_at=None)),
            models.Index(
                "organization",
                F("created_at").desc(),
                name="contact_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(OpClass("email_normalized", "varchar_pattern_ops"), name="contact_email_prefix"),
            GinIndex("search", name="contact_search", fastupdate=False),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"],
                name="contact_user_once",
                condition=Q(user__isnull=False, deleted_at=None),
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=0, rating__lte=5), name="contact_rating_range"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email
