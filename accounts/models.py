"""Tables of identity. Passwords are hashed by Django; every other secret is stored as its SHA-256."""

from typing import ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from crm.core import search
from crm.core.actor import Actor
from crm.core.db import TenantForeignKey, TenantModel, TenantQuerySet, TimestampedModel
from crm.core.fields import FreeObjectField, LineField, WebAddressField
from crm.core.ids import uuid7


class CompanySize(models.TextChoices):
    """Ranges of employees, as the documents write them."""

    MICRO = "1-10"
    SMALL = "11-50"
    MEDIUM = "51-200"
    LARGE = "201-500"
    ENTERPRISE = "500+"


class Organization(models.Model):
    """A tenant: every other row belongs to one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63, unique=True)
    name = LineField(max_length=200)
    industry = LineField(max_length=100, blank=True)
    company_size = models.CharField(max_length=10, blank=True, choices=CompanySize)
    website = WebAddressField(max_length=300, blank=True)
    contact_phone = LineField(max_length=20, blank=True)
    address = models.CharField(max_length=500, blank=True)
    timezone = models.CharField(max_length=60, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    logo = WebAddressField(max_length=500, blank=True)
    settings = FreeObjectField(default=dict, blank=True)
    shop_enabled = models.BooleanField(default=True)
    shop_name = LineField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class Language(models.TextChoices):
    """Languages a person may prefer."""

    ENGLISH = "en"
    SPANISH = "es"
    FRENCH = "fr"
    GERMAN = "de"
    PORTUGUESE = "pt"


class UserRows(TenantQuerySet):
    """Questions about users."""

    def searched(self, actor: Actor | UUID, text: str) -> Self:
        """Keep the rows in which every word of `text` begins a word of name or address."""
        organization_id = actor.organization_id if isinstance(actor, Actor) else actor
        return self.filter(search.matching("search", organization_id, text))

    def members(self) -> Self:
        """Leave out mere shoppers: keep who holds any role but `customer`."""
        whose = {"organization_id": models.OuterRef("organization_id"), "user_id": models.OuterRef("pk")}
        held = UserRole.objects.filter(**whose)
        return self.filter(models.Exists(held.exclude(role__is_built_in=True, role__name="customer")))

    def visible_to(self, actor: Actor) -> Self:
        """Keep the members of the actor's organization, and shoppers where the actor sees all contacts."""
        rows = self.of(actor)
        return rows if sees_shoppers(actor) else rows.members()


def sees_shoppers(actor: Actor) -> bool:
    """Tell whether the actor may see shoppers as users: only who sees everybody's contacts."""
    return actor.sees_all and actor.can("contacts:view")


class UserManager(BaseUserManager.from_queryset(UserRows)):  # type: ignore[misc]
    """Users as Django's commands expect to find and make them."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the operator with this e-mail address: only operators sign in by Django's own means."""
        return self.get(email_normalized=normalize_email(username or ""), organization__isnull=True)

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Make a platform operator, who belongs to no organization."""
        user = User(email=email, email_normalized=normalize_email(email), is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


def normalize_email(email: str) -> str:
    """Return the form in which addresses are compared: trimmed and lower case."""
    return email.strip().lower()


class User(AbstractBaseUser):
    """A person of one organization, or (organization empty, `is_superuser`) a platform operator."""

    owned_by: ClassVar[str | None] = None
    is_soft_deleted: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False, null=True, blank=True, editable=False
    )
    email = models.EmailField(max_length=254)
    email_normalized = models.CharField(max_length=254, editable=False)
    first_name = LineField(max_length=100, blank=True)
    last_name = LineField(max_length=100, blank=True)
    full_name = LineField(max_length=201, blank=True, editable=False)
    phone = LineField(max_length=20, blank=True)
    avatar = WebAddressField(max_length=500, blank=True)
    timezone = models.CharField(max_length=60, default="UTC")
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    preferences = FreeObjectField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    is_invited = models.BooleanField(default=False, editable=False)
    email_verified_at = models.DateTimeField(null=True, editable=False)
    google_subject = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    is_superuser = models.BooleanField(default=False, editable=False)
    search = SearchVectorField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # An inactive member's address can be used again; an invited one holds it while the invitation stands.
            models.UniqueConstraint(
                fields=["organization", "email_normalized"],
                name="user_email_once",
                condition=models.Q(is_active=True) | models.Q(is_invited=True),
            ),
            models.UniqueConstraint(
                fields=["email_normalized"],
                name="operator_email_once",
                condition=models.Q(organization__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["organization", "google_subject"],
                name="user_google_once",
                condition=~models.Q(google_subject=""),
            ),
        ]
        indexes = [
            models.Index("email_normalized", name="user_email"),
            models.Index(OpClass("email_normalized", "varchar_pattern_ops"), name="user_email_prefix"),
            models.Index("organization", models.F("created_at").desc(), models.F("id").desc(), name="user_recent"),
            GinIndex("search", name="user_search", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the derived columns in step with the name and address."""
        self.email_normalized = normalize_email(self.email)
        self.full_name = f"{self.first_name} {self.last_name}".strip()
        if self.organization_id is not None:
            self.search = search.vector(self.organization_id, self.full_name, self.email, self.phone)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_session_auth_hash(self) -> str:
        """Return what an operator's sessions are bound to: another password or second factor ends them."""
        totp_id = self.totp.pk if hasattr(self, "totp") else ""
        return salted_hmac("accounts.operator_session", f"{self.password} {totp_id}", algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Tell Django's admin who may enter: operators alone."""
        return self.is_superuser

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Operators may do everything in the admin; members never enter it."""
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        """As `has_perm`."""
        return self.is_active and self.is_superuser


class Scope(models.TextChoices):
    """How far a role sees."""

    OWN = "own"
    ALL = "all"


class Role(TimestampedModel):
    """A set of permissions and a scope. Built-in roles take their permissions from the code, custom ones from here."""

    name = LineField(max_length=60)
    description = models.CharField(max_length=300, blank=True)
    scope = models.CharField(max_length=3, choices=Scope, default=Scope.OWN)
    rank = models.PositiveSmallIntegerField()
    is_built_in = models.BooleanField(default=False, editable=False)
    permissions = ArrayField(models.CharField(max_length=90), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="role_name_once")]

    def __str__(self) -> str:
        return self.name


class UserRole(TenantModel):
    """A role held by a user."""

    user = TenantForeignKey(User, on_delete=models.CASCADE, related_name="held_roles", db_index=False)
    role = TenantForeignKey(Role, related_name="holders", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user", "role"], name="user_role_once")]
        indexes = [models.Index("organization", "role", name="user_role_holders")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class Permission(TenantModel):
    """A permission an organization made for itself; built-in ones live in `accounts.permissions`."""

    name = LineField(max_length=80)
    resource = models.CharField(max_length=40)
    action = models.CharField(max_length=39)
    description = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "resource", "action"], name="permission_code_once"),
            models.UniqueConstraint(fields=["organization", "name"], name="permission_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.resource}:{self.action}"


class Surface(models.TextChoices):
    """The API surface a session was opened on; it decides lifetimes and rotation."""

    TEAM = "team"
    PLATFORM = "platform"
    STOREFRONT = "storefront"


class Session(TenantModel):
    """A sign-in. Access tokens name it, refresh tokens are its family; ending it ends them all at once."""

    user = TenantForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    surface = models.CharField(max_length=10, choices=Surface)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=30, blank=True)

    class Meta:
        indexes = [
            models.Index("organization", "user", name="session_user", condition=models.Q(ended_at=None)),
            models.Index("user", models.F("id").desc(), name="session_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.surface} {self.user_id}"


class RefreshToken(TenantModel):
    """One opaque refresh token of a session, by its hash; `used_at` is set by the rotation that replaced it."""

    session = TenantForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens", db_index=False)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("organization", "session", name="refresh_session")]

    def __str__(self) -> str:
        return str(self.session_id)


class Invitation(TenantModel):
    """An e-mailed offer to join with a role: seven days, once."""

    email = models.EmailField(max_length=254)
    email_normalized = models.CharField(max_length=254, editable=False)
    role = TenantForeignKey(Role, related_name="+", db_index=False)
    user = TenantForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False, null=True)
    invited_by = TenantForeignKey(User, related_name="+", db_index=False, null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email_normalized"],
                name="invitation_pending_once",
                condition=models.Q(accepted_at=None, revoked_at=None),
            )
        ]
        indexes = [models.Index(OpClass("email_normalized", "varchar_pattern_ops"), name="invitation_email_prefix")]

    def __str__(self) -> str:
        return self.email


class Purpose(models.TextChoices):
    """What a one-time link is for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name, no secret


class OneTimeLink(TenantModel):
    """A mailed link that works once: e-mail verification or password reset. It dies with the address it went to."""

    email_normalized = models.CharField(max_length=254, blank=True, default="", db_default="", editable=False)
    user = TenantForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    purpose = models.CharField(max_length=20, choices=Purpose)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("organization", "user", "purpose", name="one_time_link_user")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.user_id}"


class OAuthState(TenantModel):
    """A started sign-in at Google: bound to the shop and the browser that began it, good once and for ten minutes."""

    state_hash = models.CharField(max_length=64, unique=True)
    verifier = models.CharField(max_length=128)
    nonce = models.CharField(max_length=64)
    client_state = models.CharField(max_length=300, blank=True)
    browser_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class OperatorTotp(models.Model):
    """An operator's second factor: the shared secret (`crm.core.sealing`) and the hashes of unused recovery codes.

    Seen by operators' steps alone, as operators themselves. `last_step` is the newest time step whose code was used.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp")
    sealed_secret = models.CharField(max_length=300)
    last_step = models.BigIntegerField()
    recovery_hashes = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.user_id)


class OperatorEvent(models.Model):
    """A fact about an operator's access: who (`email` as it was given) from where. Never changed; kept for a year.

    `operator_id` is empty where the address is no operator's, and no foreign key: a fact outlives what it speaks of.
    """

    class Name(models.TextChoices):
        """What happened."""

        SUCCEEDED = "sign_in_succeeded", "Signed in"
        FAILED = "sign_in_failed", "Wrong address or password"
        LOCKED = "sign_in_locked", "Too many attempts"
        PASSWORD_ACCEPTED = "password_accepted", "Right password, second factor asked"
        CODE_FAILED = "second_factor_failed", "Wrong code"
        RECOVERY_CODE_USED = "recovery_code_used", "Recovery code used"
        TOTP_ON = "second_factor_on", "Second factor switched on"
        TOTP_REPLACED = "second_factor_replaced", "Second factor set up anew"
        TOTP_OFF = "second_factor_off", "Second factor switched off"
        TOTP_RESET = "second_factor_reset", "Second factor removed by command"
        PASSWORD_CHANGED = "password_changed", "Password changed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=30, choices=Name)
    operator_id = models.UUIDField(null=True)
    email = models.CharField(max_length=254, blank=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index("operator_id", models.F("occurred_at").desc(), name="operator_event_recent"),
            models.Index("occurred_at", name="operator_event_age"),
            models.Index(OpClass("email", "varchar_pattern_ops"), name="operator_event_email"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.email}"
