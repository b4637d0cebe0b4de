"""Mails of the system itself. One that is sent twice keeps its Message-ID, so that a mail program shows it once.

A mail is made of parts, which are written here in both of its forms. What a person typed comes into one by `quoted`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.core.characters import is_invisible

LONGEST_QUOTE = 60
# What makes a link of a word: dots and the like inside it, two slashes, and the backslashes of shared folders.
_JOINTS = re.compile(
    r"(?<=\S)[.@:\uff0e\ufe52\uff20\ufe6b\uff1a\ufe55\ufe13](?=\S)|(?<=\S)[\u3002\uff61](?=[a-zA-Z])|\\"
)
_SLASHES = re.compile(r"//+")
_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»‹›＂', "'"))  # noqa: RUF001 - the quotation marks there are


def quoted(text: object, longest: int = LONGEST_QUOTE) -> str:
    """Return what a person typed, quoted: one line, shortened, and with nothing in it that mail programs link."""
    seen = "".join(" " if character.isspace() else character for character in str(text).translate(_QUOTES))
    words = "".join(character for character in seen if character == " " or not is_invisible(character)).split()
    line = " ".join(words)
    if len(line) > longest:
        line = f"{line[: longest - 1].rstrip()}…"
    return f"“{' '.join(map(_unlinked, line.split()))}”"


def _unlinked(word: str) -> str:
    """Return a word that is no address: `evil.example` as `evil[.]example`; numbers, dates and times stay."""
    is_number = not any(character.isalpha() or character in "/\\@" for character in word)
    return word if is_number else _JOINTS.sub(r"[\g<0>]", _SLASHES.sub("/", word))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of our own words, in which a person's are quoted."""

    words: str

    @property
    def text(self) -> str:
        """Return it as plain text."""
        return _line(self.words)

    @property
    def html(self) -> SafeString:
        """Return it as HTML."""
        return format_html("<p>{}</p>", _line(self.words))


@dataclass(frozen=True, slots=True)
class Link:
    """A link of our own, with what it is for."""

    words: str
    url: str

    @property
    def text(self) -> str:
        """Return it as plain text."""
        return f"{_line(self.words)}:\n{self.url}"

    @property
    def html(self) -> SafeString:
        """Return it as HTML."""
        return format_html('<p><a href="{}">{}</a></p>', self.url, _line(self.words))


@dataclass(frozen=True, slots=True)
class Links:
    """A list of links, (words, URL) each, under a heading; `more` says what is not listed."""

    heading: str
    links: Sequence[tuple[str, str]]
    more: str = ""

    @property
    def text(self) -> str:
        """Return it as plain text."""
        lines = [f"- {_line(words)}\n  {url}" for words, url in self.links]
        return "\n".join([f"{_line(self.heading)}:", *lines, *filter(None, [_line(self.more)])])

    @property
    def html(self) -> SafeString:
        """Return it as HTML."""
        items = format_html_join("", '<li><a href="{}">{}</a></li>', ((url, _line(words)) for words, url in self.links))
        more = format_html("<p>{}</p>", _line(self.more)) if self.more else ""
        return format_html("<h3>{}</h3><ul>{}</ul>{}", _line(self.heading), items, more)


Part = Paragraph | Link | Links


def send(message_id: UUID, *, to: str, subject: str, parts: Iterable[Part]) -> None:
    """Send a mail in both forms; `message_id` is that of the outbox message which asked for it."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    parts = list(parts)
    mail = EmailMultiAlternatives(
        subject=_line(subject),
        body="\n\n".join(part.text for part in parts) + "\n",
        to=[to],
        headers={"Message-ID": f"<{message_id}@{domain}>"},
    )
    mail.attach_alternative("".join(part.html for part in parts), "text/html")
    mail.send()


def _line(text: str) -> str:
    return " ".join(text.split())
