"""What identity forgets: settled sign-ins at Google, spent links, sessions long over, old events of operators."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q

from accounts.models import OAuthState, OneTimeLink, OperatorEvent, Session
from accounts.services import operator_events
from crm.core import clock
from crm.core.db import operator

KEPT_LINKS = timedelta(days=30)
KEPT_SESSIONS = timedelta(days=90)


def sweep() -> None:
    """Remove what nobody can use and nobody asks for any more; safe to run any number of times at once."""
    now = clock.now()
    with operator("sweep"):
        OAuthState.objects.filter(expires_at__lt=now).delete()
        OneTimeLink.objects.filter(expires_at__lt=now - KEPT_LINKS).delete()
        over = Q(ended_at__lt=now - KEPT_SESSIONS) | Q(expires_at__lt=now - KEPT_SESSIONS)
        Session.objects.filter(over).delete()
        OperatorEvent.objects.filter(occurred_at__lt=now - operator_events.KEPT).delete()
    SessionStore.clear_expired()  # of operators in the admin
