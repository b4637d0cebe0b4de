"""What happened to operators' access: a row of its own table, since events belong to organizations, and a log line."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import OperatorEvent, User
from crm.core import clock, rate_limits
from crm.core.db import operator

KNOWN_FOR = timedelta(days=30)
KEPT = timedelta(days=365)  # the table's policy lets nobody remove younger ones
WARNINGS = frozenset(
    {
        OperatorEvent.Name.FAILED,
        OperatorEvent.Name.LOCKED,
        OperatorEvent.Name.CODE_FAILED,
        OperatorEvent.Name.RECOVERY_CODE_USED,
        OperatorEvent.Name.TOTP_OFF,
        OperatorEvent.Name.TOTP_RESET,
    }
)
log = logging.getLogger("security")


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request of an operator comes from: the client's address and what it calls itself."""

    address: str = ""
    user_agent: str = ""

    @property
    def ip(self) -> str | None:
        """Return the address as the database takes it; None where it is no IP address."""
        try:
            return str(ip_address(self.address.partition("%")[0]))
        except ValueError:
            return None

    @property
    def network(self) -> str:
        """Return what attempts are counted by."""
        return rate_limits.network_of(self.ip or self.address)


def note(
    name: OperatorEvent.Name, client: Client, *, user: User | None = None, email: str = "", reason: str = ""
) -> None:
    """Keep that something happened to an operator, or to an address that is no operator's."""
    account = user.email if user else typed(email)
    with operator("back_office"):
        OperatorEvent(
            name=name,
            operator_id=user.pk if user else None,
            email=account,
            address=client.ip,
            user_agent=client.user_agent[:300],
            reason=reason,
            occurred_at=clock.now(),
        ).save(force_insert=True)
    log_it(name, client, account=account, reason=reason)


def log_it(name: OperatorEvent.Name, client: Client, *, account: str, reason: str = "") -> None:
    """Write the log line alone."""
    level = logging.WARNING if name in WARNINGS else logging.INFO
    fields = {"event": name.value, "account": account, "address": client.address[:100], "reason": reason}
    log.log(level, "Admin: %s", name.label, extra={"fields": fields})


def has_signed_in_from(operator_id: UUID, client: Client) -> bool:
    """Tell whether the operator has lately signed in from this address. In an operator's step."""
    found = OperatorEvent.objects.filter(  # narrowed to one operator; the table has no organization
        operator_id=operator_id,
        name=OperatorEvent.Name.SUCCEEDED,
        occurred_at__gte=clock.now() - KNOWN_FOR,
    )
    return client.ip is not None and found.filter(address=client.ip).exists()


def typed(email: str) -> str:
    """Return what was typed where it is an e-mail address: it may be a password in the wrong field."""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email[:254]
