"""Whatever people call themselves, their companies and their work: a mail says what we wrote, and links to us alone.

Every mail the product sends is received from a real SMTP server, with each text that a person typed in it hostile.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import psycopg
import pytest
from django.conf import settings as site
from django.db import connections

from accounts.models import Invitation, OneTimeLink, Purpose, User
from accounts.services import notices
from contacts.services import contacts
from crm.core import clock, outbox
from crm.core.characters import is_invisible
from crm.core.mail import LONGEST_QUOTE, quoted
from sales.services import activities, deals
from tests.conftest import Tenant
from tests.support.mail_server import Mailbox, text_of
from tests.support.servers import ADMIN_URL

HOSTILE = {
    "paragraphs": "Security Team\r\n\r\nYour account is blocked.\n\nSign in at https://evil.example/login now.\n\n",
    "separators": "Bank\u2028\u2029\x85\x0bhttps://evil.example",
    "address": "http://evil.example/login",
    "upper case": "HTTPS://EVIL.EXAMPLE",
    "www": "Call www.evil.example today",
    "bare domain": "evil.example/login",
    "international domain": "böse.example 悪.example evil\uff0eexample evil\u3002example",
    "number": "http://10.0.0.1/login 10.0.0.1/login 10.0.0.1:80/x",
    "mailbox": "Write to help@evil.example or help\uff20evil.example",
    "schemes": "tel:+1555 sms:1 mailto:a javascript:alert(1) file:x skype:evil",
    "folder": "\\\\evil\\share",
    "markup": '</a><a href="https://evil.example">Click</a><img src=//evil.example/x onerror=alert(1)>"\'&amp;',
    "quotation": "Acme”. Your account is blocked, tell “ us",
    "long": "evil.example/" + "x" * 5000,
    "many words": "Your account is blocked. " * 200,
    "bidi": "Acme \u202egnp.elpmaxe.live\u202c \u2066x\u2069",
    "zero width": "evil\u200b.\u200bexample/\u2060login ht\u00adtp://evil.exa\ufeffmple",
    "controls": "Ac\x1b[31mme\x07\x7f evil.example",
    "header": "Acme\r\nBcc: everybody@evil.example\r\n\r\nbody",
}
HARMLESS = "Acme"
# Every column of a person's typing that a mail may show, by table.
SHOWN = {
    "accounts_organization": ("name", "shop_name"),
    "accounts_user": ("first_name", "last_name", "full_name"),
    "contacts_contact": ("first_name", "last_name", "full_name"),
    "sales_deal": ("title",),
    "sales_activity": ("subject",),
}
LINKED = (
    re.compile(r"(?i)[a-z]:\S"),
    re.compile(r"(?i)www\."),
    re.compile(r"[^\W\d_]+\.[^\W\d_]"),
    re.compile(r"\d\.\d+\.\d+\.\d+[/:]"),
    re.compile(r"[^\s\[]@\S"),
    re.compile(r"\w[\uff0e\u3002\uff20]\w"),
    re.compile(r"\\\\"),
    re.compile(r"//"),
)


def invitation(tenant: Tenant) -> tuple[User | str, dict[str, str]]:
    given = {"role_id": tenant.owner.held_roles.get().role_id, "invited_by_id": tenant.owner.pk}
    row = Invitation(organization_id=tenant.id, email="new@invited.example", token_hash=tenant.slug, **given)
    row.email_normalized, row.expires_at = row.email, clock.now() + timedelta(days=1)
    row.save(force_insert=True)
    return row.email, {"invitation_id": str(row.pk)}


def link(purpose: str) -> Callable[[Tenant], tuple[str, dict[str, str]]]:
    def make(tenant: Tenant) -> tuple[str, dict[str, str]]:
        expires_at = clock.now() + timedelta(days=1)
        given = {"user": tenant.staff, "purpose": purpose, "token_hash": f"{purpose} {tenant.slug}"}
        row = OneTimeLink.objects.create(organization_id=tenant.id, expires_at=expires_at, **given)
        return tenant.staff.email, {"link_id": str(row.pk)}

    return make


def reminder(tenant: Tenant) -> tuple[str, dict[str, str]]:
    actor, due = tenant.actor("owner"), clock.now() - timedelta(days=3)
    contact = contacts.create_contact(actor, first_name=HARMLESS)
    deal = deals.create_deal(actor, title=HARMLESS)
    for kind, about in (("task", {"contact_id": contact.pk}), ("call", {"deal_id": deal.pk})):
        activities.create_activity(actor, type=kind, subject=HARMLESS, due=due, owner_id=tenant.staff.pk, **about)
    return tenant.staff.email, {"user_id": str(tenant.staff.pk), "day": clock.now().date().isoformat()}


def notice(tenant: Tenant) -> tuple[str, dict[str, str]]:
    payload = {"user_id": str(tenant.staff.pk), "what": notices.EMAIL_CHANGED, "to": "former@example.com"}
    return payload["to"], payload


# Each topic of a mail: what it takes for one to be sent, as (recipient, payload).
MAILS: dict[str, Callable[[Tenant], tuple[Any, dict[str, str]]]] = {
    "mail.invitation": invitation,
    "mail.verify_email": link(Purpose.VERIFY_EMAIL),
    "mail.reset_password": link(Purpose.RESET_PASSWORD),
    "mail.daily_reminder": reminder,
    "mail.account_notice": notice,
}
# Those whose subject names the organization, where somebody is known to stand for it.
NAMING = ("mail.invitation", "mail.verify_email", "mail.daily_reminder")


def test_every_mail_is_walked():
    assert set(MAILS) == {topic for topic in site.OUTBOX_HANDLERS if topic.startswith("mail.")}, "Add it to MAILS."


@dataclass
class Page(HTMLParser):
    """An HTML part: its tags in their order, its links, and the text that is seen."""

    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and where it leads."""
        self.tags.append(" ".join([tag, *(name for name, _ in attrs)]))
        self.links += [str(value) for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.seen.append(data)


def page_of(message: EmailMessage) -> Page:
    body = message.get_body(preferencelist=("html",))
    assert body is not None
    page = Page()
    page.feed(body.get_content())
    return page


def type_into(tenant: Tenant, value: str) -> None:
    """Put a text into every column that a mail may show, past all checks, as far as the column is long enough."""
    name = connections["default"].settings_dict["NAME"]
    with psycopg.connect(os.environ[ADMIN_URL], dbname=name) as connection:
        for table, columns in SHOWN.items():
            key = "id" if table == "accounts_organization" else "organization_id"
            for column in columns:
                statement = f"UPDATE {table} SET {column} = left(%s, %s) WHERE {key} = %s"  # noqa: S608 - our own names
                size = connection.execute(
                    "SELECT character_maximum_length FROM information_schema.columns "
                    "WHERE table_name = %s AND column_name = %s",
                    (table, column),
                ).fetchone()
                assert size
                connection.execute(statement, (value, size[0], tenant.id))


def sent(
    tenant: Tenant, topic: str, typed: str, mailbox: Mailbox, deliver: Callable[[], int], *, proven: bool = False
) -> EmailMessage:
    """The mail of a topic, with a text typed wherever one can be; `proven`: the owner has proven their address."""
    with tenant.inside():
        User.objects.of(tenant.id).update(email_verified_at=None)
        User.objects.of(tenant.id).filter(pk=tenant.owner.pk).update(email_verified_at=clock.now() if proven else None)
        recipient, payload = MAILS[topic](tenant)
        outbox.enqueue(tenant.id, topic, payload)
    type_into(tenant, typed)
    mailbox.messages.clear()
    deliver()
    (message,) = mailbox.messages
    assert message["To"] == recipient
    return message


def check(message: EmailMessage, like: EmailMessage) -> None:
    """Assert that a mail is like a harmless one, but for words within its quotes."""
    text, harmless = (text_of(mail).replace("\r\n", "\n") for mail in (message, like))
    page, harmless_page = page_of(message), page_of(like)
    assert [part.count("\n") for part in text.split("\n\n")] == [part.count("\n") for part in harmless.split("\n\n")]
    assert page.tags == harmless_page.tags
    assert message.keys() == like.keys()
    links = [found for line in text.splitlines() for found in re.findall(r"^\s*(\S+://\S+)$", line)]
    assert links == page.links
    assert len(links) == len(harmless_page.links)
    assert all(found.startswith(f"{site.FRONTEND_URL}/") for found in links)
    assert len(text) <= len(harmless) + harmless.count("“") * (3 * LONGEST_QUOTE)
    for link in links:
        text = text.replace(link, "")
    for said in (str(message["Subject"]), text, *page.seen):
        assert not any(is_invisible(character) for character in said if character not in " \n"), ascii(said)
        assert said.count("“") == said.count("”"), said
        for kind in LINKED:
            assert not kind.search(re.sub(r"\d\d:\d\d", "", said)), f"{kind.pattern} in {said!r}"


@pytest.mark.parametrize("topic", sorted(MAILS))
def test_a_mail_shows_what_was_typed_quoted_and_links_to_us_alone(topic, organization, mailbox, deliver):
    like = sent(organization(roles=("staff",)), topic, HARMLESS, mailbox, deliver)
    assert quoted(HARMLESS) in text_of(like)
    assert HARMLESS not in str(like["Subject"])

    for kind, value in HOSTILE.items():
        message = sent(organization(roles=("staff",)), topic, value, mailbox, deliver)
        assert message["Subject"] == like["Subject"], kind
        check(message, like)


@pytest.mark.parametrize("topic", NAMING)
def test_a_proven_organization_is_named_in_the_subject(topic, organization, mailbox, deliver):
    like = sent(organization(roles=("staff",)), topic, HARMLESS, mailbox, deliver, proven=True)
    assert quoted(HARMLESS) in str(like["Subject"])

    for value in HOSTILE.values():
        message = sent(organization(roles=("staff",)), topic, value, mailbox, deliver, proven=True)
        check(message, like)
        assert len(str(message["Subject"])) < 200


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ann Lee", "“Ann Lee”"),
        ("O'Brien & Söhne GmbH", "“O'Brien & Söhne GmbH”"),
        ("Call at 10:30 on 24.12.2026 for 3.5 t", "“Call at 10:30 on 24.12.2026 for 3.5 t”"),
        ("你好。世界", "“你好。世界”"),
        ("Amazon.com, Inc.", "“Amazon[.]com, Inc.”"),
        ("ann@example.com", "“ann[@]example[.]com”"),
        ("https://evil.example", "“https[:]/evil[.]example”"),
        ('The "Best"', "“The 'Best'”"),
        ("x" * 70, f"“{'x' * 59}…”"),
        ("", "“”"),
    ],
)
def test_how_a_text_is_quoted(typed: str, shown: str):
    assert quoted(typed) == shown
