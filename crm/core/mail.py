"""Mails of the system itself. One that is sent twice keeps its Message-ID, so that a mail program shows it once."""

from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives


def send(message_id: UUID, *, to: str, subject: str, text: str, html: str) -> None:
    """Send a mail in both forms; `message_id` is that of the outbox message which asked for it."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),  # a name may hold line breaks, a header may not
        body=text,
        to=[to],
        headers={"Message-ID": f"<{message_id}@{domain}>"},
    )
    mail.attach_alternative(html, "text/html")
    mail.send()
