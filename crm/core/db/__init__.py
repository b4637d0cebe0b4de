"""PostgreSQL for the apps: scopes, tenant models, prepared statements, compiled queries and locks.

Migration operations are in `crm.core.db.operations`, SQL expressions in `crm.core.db.expressions`. The back end itself
(`crm.core.db.backend`) is Django's `ENGINE` and imported by nothing else.
"""

from crm.core.db.compiled import NOW, TEMPLATE_ACTORS, CompiledQuery, CompiledStatement, Param
from crm.core.db.locks import (
    advisory_lock,
    deadlock_attempts,
    lock_in_batches,
    lock_row,
    lock_rows,
    share_rows,
    try_advisory_lock,
)
from crm.core.db.models import SoftDeleteModel, TenantForeignKey, TenantModel, TenantQuerySet, TimestampedModel
from crm.core.db.scope import PiggybackQuery, operator, tenant
from crm.core.db.statements import fetch, insert, insert_many, insert_or_ignore, piggyback_rows

__all__ = [
    "NOW",
    "TEMPLATE_ACTORS",
    "CompiledQuery",
    "CompiledStatement",
    "Param",
    "PiggybackQuery",
    "SoftDeleteModel",
    "TenantForeignKey",
    "TenantModel",
    "TenantQuerySet",
    "TimestampedModel",
    "advisory_lock",
    "deadlock_attempts",
    "fetch",
    "insert",
    "insert_many",
    "insert_or_ignore",
    "lock_in_batches",
    "lock_row",
    "lock_rows",
    "operator",
    "piggyback_rows",
    "share_rows",
    "tenant",
    "try_advisory_lock",
]
