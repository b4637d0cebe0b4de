"""Invents companies, contacts and what happened with them: the same for the same seed, counted back from `today`."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random

from contacts.demo import words
from contacts.demo.chapters import YEAR
from contacts.demo.cultures import CULTURES, Culture
from contacts.models import LeadStatus, LifecycleStage, Status, Temperature
from crm.core.models import TimelineKind
from crm.core.search import FOLDED

STAGES = [stage.value for stage in LifecycleStage]
STAGE_WEIGHTS = (10, 40, 52, 62, 72, 94, 97, 100)  # cumulative percent
LEAD_STATUSES = [status.value for status in LeadStatus]
TEMPERATURES = ["", *(temperature.value for temperature in Temperature)]
ACTIVE, INACTIVE = Status.ACTIVE.value, Status.INACTIVE.value
LEAD, CUSTOMER = LifecycleStage.LEAD.value, LifecycleStage.CUSTOMER.value
UPDATE = TimelineKind.UPDATE.value
TEXTS = {
    TimelineKind.NOTE.value: words.NOTES,
    TimelineKind.CALL.value: words.CALLS,
    TimelineKind.EMAIL.value: words.EMAILS,
    TimelineKind.MEETING.value: words.MEETINGS,
}
KINDS = [kind for kind, weight in zip(TEXTS, (3, 4, 4, 2), strict=True) for _ in range(weight)]


def companies_for(contacts: int) -> int:
    """Return how many companies so many people work in: of the large organizations more than of the small."""
    return max(1, min(round(contacts / 3.4), 3000 + contacts // 50))


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is written, and in letters that an e-mail address may have."""

    written: str
    plain: str


@dataclass(slots=True)
class InventedCompany:
    """A company to be."""

    name: str
    domain: str
    culture: Culture
    phone: str
    address: str
    industry: str
    tier: str
    employee_count: int
    annual_revenue: int
    lifecycle_stage: str
    tags: list[str]
    created_at: datetime
    owner: int


@dataclass(slots=True)
class Entry:
    """Something that happened with a contact; `changes` where a field changed."""

    kind: str
    content: str
    at: datetime
    changes: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class InventedContact:
    """A contact to be; `company` and `owner` are positions in their lists."""

    first_name: str
    last_name: str
    email: str
    phone: str
    job_title: str
    company: int | None
    address: str | None
    lifecycle_stage: str
    lead_status: str
    temperature: str
    source: str
    status: str
    tags: list[str]
    notes: str
    rating: str | None
    do_not_contact: bool
    deleted_at: datetime | None
    created_at: datetime
    owner: int
    entries: list[Entry]


class Invention:
    """One seed's world. `owners` says how many people share the work, `today` where the year of events ends."""

    def __init__(self, seed: int, *, contacts: int, owners: int, today: datetime) -> None:
        self.chance = Random(seed)
        self.count, self.owners, self.today = contacts, owners, today
        self.companies = list(self._companies(companies_for(contacts)))
        self.homes: dict[str, list[int]] = {}
        for position, company in enumerate(self.companies):
            self.homes.setdefault(company.culture.code, []).append(position)

    def contacts(self, *, telling: int) -> Iterator[InventedContact]:
        """Yield the contacts, oldest first; the newest `telling` have many entries, the others now and then one."""
        for number in range(self.count):
            moment = self.today - YEAR * ((self.count - number) / self.count)
            yield self._contact(number, moment, is_told=number >= self.count - telling)

    def _companies(self, count: int) -> Iterator[InventedCompany]:
        for number in range(count):
            culture = CULTURES[number % len(CULTURES)]
            head, trade = _pair(_names(culture.companies, "|"), _names(culture.trades, "|"), number // len(CULTURES))
            again = number // (len(CULTURES) * len(_names(culture.companies, "|")) * len(_names(culture.trades, "|")))
            name = _company_name(culture, head.written, trade.written)
            yield InventedCompany(
                name=f"{name} {again + 1}" if again else name,
                domain=f"{head.plain}{number + 1}.example",
                culture=culture,
                phone=self._phone(culture),
                address=self._address(culture),
                industry=self.chance.choice(words.INDUSTRIES),
                tier=self.chance.choice(words.TIERS),
                employee_count=int(self.chance.paretovariate(0.6) * 4) % 5000 + 1,
                annual_revenue=self.chance.randrange(50, 20_000) * 1_000_00,
                lifecycle_stage=self._stage(),
                tags=self._tags(words.COMPANY_TAGS, 0.4),
                created_at=self.today - YEAR - timedelta(hours=count - number),
                owner=self.chance.randrange(self.owners),
            )

    def _contact(self, number: int, moment: datetime, *, is_told: bool) -> InventedContact:
        chance = self.chance
        culture = CULTURES[chance.randrange(len(CULTURES))]
        is_woman = chance.random() < 0.5
        given = chance.choice(_names(culture.women if is_woman else culture.men, " "))
        family = chance.choice(_families(culture))[is_woman]
        homes = self.homes.get(culture.code)
        company = chance.choice(homes) if homes and chance.random() < 0.85 else None
        stage = self._stage()
        entries = list(self._entries(moment, stage, often=is_told))
        first, last = (family, given) if culture.family_first else (given, family)
        touched = max((entry.at for entry in entries), default=moment)
        deleted_at = touched + (self.today - touched) * chance.random() if chance.random() < 0.015 else None
        return InventedContact(
            first_name=first.written,
            last_name=last.written,
            email=self._email(number, given, family, company),
            phone=self._phone(culture) if chance.random() < 0.9 else "",
            job_title=chance.choice(words.JOB_TITLES) if company is not None else "",
            company=company,
            address=self._address(culture) if chance.random() < 0.6 else None,
            lifecycle_stage=stage,
            lead_status=chance.choice(LEAD_STATUSES),
            temperature=chance.choice(TEMPERATURES),
            source=chance.choice(words.SOURCES),
            status=INACTIVE if deleted_at or chance.random() < 0.03 else ACTIVE,
            tags=self._tags(words.CONTACT_TAGS, 0.55),
            notes=chance.choice(words.NOTES) if chance.random() < 0.3 else "",
            rating=f"{chance.randrange(0, 51) / 10:.1f}" if stage == CUSTOMER else None,
            do_not_contact=chance.random() < 0.03,
            deleted_at=deleted_at,
            created_at=moment,
            owner=chance.randrange(self.owners),
            entries=entries,
        )

    def _entries(self, since: datetime, stage: str, *, often: bool) -> Iterator[Entry]:
        chance = self.chance
        count = min(int(chance.expovariate(0.22)), 14) if often else chance.random() < 0.15
        span = self.today - since
        for at in sorted(since + span * chance.random() for _ in range(count)):
            kind = chance.choice(KINDS)
            yield Entry(kind, chance.choice(TEXTS[kind]), at)
        if often and stage != LEAD:
            change = {"from": LEAD, "to": stage}
            yield Entry(UPDATE, "", since + span * chance.random(), {"lifecycle_stage": change})

    def _email(self, number: int, given: Name, family: Name, company: int | None) -> str:
        if self.chance.random() < 0.05:
            return ""
        domain = self.companies[company].domain if company is not None else "mail.example"
        return f"{given.plain}.{family.plain}{number + 1}@{domain}"

    def _phone(self, culture: Culture) -> str:
        template, digits = _phone_template(culture)
        return template.format(*f"{self.chance.randrange(10**digits):0{digits}}")

    def _address(self, culture: Culture) -> str:
        address = self.chance.choice(_addresses(culture))
        return address.replace("#", str(self.chance.randrange(1, 180)), 1)

    def _stage(self) -> str:
        return self.chance.choices(STAGES, cum_weights=STAGE_WEIGHTS)[0]

    def _tags(self, pool: tuple[str, ...], share: float) -> list[str]:
        if self.chance.random() > share:
            return []
        return self.chance.sample(pool, self.chance.randrange(1, 4))


@cache
def _names(text: str, separator: str) -> tuple[Name, ...]:
    return tuple(_name(part) for part in text.split(separator))


@cache
def _families(culture: Culture) -> tuple[tuple[Name, Name], ...]:
    """Return each family name as men and as women bear it."""
    pairs = []
    for part in culture.families.split(" "):
        written, _, plain = part.partition("=")
        his, _, hers = written.partition("/")
        pairs.append(
            (_name(f"{his}={plain}" if plain else his), _name(f"{hers or his}={plain}" if plain else hers or his))
        )
    return tuple(pairs)


@cache
def _phone_template(culture: Culture) -> tuple[str, int]:
    return culture.phone.replace("#", "{}"), culture.phone.count("#")


@cache
def _addresses(culture: Culture) -> list[str]:
    """Return every street of every town as JSON, `#` for the number."""
    towns = [town.split(",") for town in culture.towns.split("|")]
    return [
        json.dumps(
            {"street": f"{street} #", "city": city, "state": state or None, "zip": code, "country": culture.country},
            ensure_ascii=False,
        )
        for street in culture.streets.split("|")
        for city, state, code in towns
    ]


def _name(part: str) -> Name:
    written, _, plain = part.partition("=")
    decomposed = unicodedata.normalize("NFKD", (plain or written).casefold().translate(FOLDED))
    return Name(written, "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum()) or "x")


def _pair(heads: tuple[Name, ...], trades: tuple[Name, ...], number: int) -> tuple[Name, Name]:
    """Return the pair of a number; neighbours differ in both, and a pair comes back only after all have been used."""
    turn, head = divmod(number, len(heads))
    return heads[head], trades[(turn + head) % len(trades)]


def _company_name(culture: Culture, head: str, trade: str) -> str:
    if culture.code == "ae":
        return f"شركة {head} {trade}"
    if culture.family_first:
        return f"{head}{trade}"
    if culture.code == "ru":
        return f"{trade} «{head}»"
    return f"{head} {trade}"
