"""The rows that are measured: one organization that is read, one that is written, loaded past everything but the data.

Ids, names and times follow from fixed seeds: the same rows every time, and one access token for every size.
"""

import hashlib
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

OWNERS = 20
COMPANIES = 2000
# Found by the searches that are measured, the same number whatever the size: half of them have a first name that
# nobody else has, half one of the five most common beginnings.
SOUGHT = 80
SOUGHT_NAME = "Quistgaard"
RARE_NAME = "Ottokar"
CHUNK = 20_000
PHONES = 5000
MARK_LENGTH = 8  # of what stands before every word of an organization

NAMES = (
    "Maria Mark Martin Marek Maren Ada Alan Alejandro Alice Amara Amélie Ana Anders Andrea Anna Antoine Arjun Astrid "
    "Aylin Beatriz Ben Björn Bruno Camille Carla Chen Chloé Clara Daniel Daria David Diego Elena Eli Emil Emma Erik "
    "Eva Fatima Felix Fiona Frida Gabriel Gita Grace Hana Hassan Hugo Ida Ines Ingrid Isaac Ivan Jan Jasmin Joel Jonas "
    "José Julia Kai Karim Katja Kenji Laila Lara Lars Leo Lina Liu Luca Lucía Maja Max Mei Mira Nadia Naomi Nina Noah "
    "Olga Omar Oscar Pablo Paul Petra Priya Rafael Rosa Ruth Sakura Samir Sara Sofia Søren Tariq Theo Tom Uma Vera "
    "Victor Wei Yara Yusuf Zoë Łukasz Şebnem"
)
FIRST_NAMES = NAMES.split()
PARTS = (
    "an bel cor dan el far gol han il jor kar lin mon nor os per ran sal tor un ver wal zan bri cha dro fle gra kro sto"
)
SYLLABLES = PARTS.split()
INDUSTRIES = ("Software", "Retail", "Health", "Logistics", "Finance", "Education", "Energy", "Food")
STAGES = ("subscriber", "lead", "marketing_qualified", "sales_qualified", "opportunity", "customer", "evangelist")
LEAD_STATUSES = ("new", "open", "in_progress", "contacted", "qualified", "unqualified")
TEMPERATURES = ("", "cold", "warm", "hot")
SOURCES = ("Website", "Referral", "Event", "Import", "")
TITLES = ("Engineer", "Buyer", "Head of Sales", "Accountant", "Managing Director", "Office Manager", "")
TAGS = ("vip", "newsletter", "partner", "trial", "renewal", "press", "berlin", "london", "madrid", "q1", "q2", "q3")
NOTE = "Met at the fair; asked for a quote by the end of the month and prefers to be called in the morning."


@dataclass(frozen=True)
class Tenant:
    """Ids of an organization whose rows are loaded."""

    seed: int

    def id(self, kind: int, number: int = 0) -> UUID:
        """Return the id of a row: fixed, and random where ids are."""
        digest = hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).digest()
        return UUID(bytes=digest[:16], version=4)

    @property
    def organization(self) -> UUID:
        """Return the organization's id."""
        return self.id(0)

    @property
    def user(self) -> UUID:
        """Return the id of the owner who asks."""
        return self.owner(0)

    @property
    def session(self) -> UUID:
        """Return the id of the asking user's session."""
        return self.id(2)

    def owner(self, number: int) -> UUID:
        """Return the id of one of the users."""
        return self.id(1, number)

    def company(self, number: int) -> UUID:
        """Return the id of one of the companies."""
        return self.id(3, number)


READ, WRITTEN = Tenant(1), Tenant(2)
EPOCH = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=1000)


def contact_id(moment: datetime, noise: random.Random) -> str:
    """Return an id as the product makes them: time first."""
    milliseconds = int(moment.timestamp() * 1000)
    rest = f"{noise.getrandbits(74):019x}"
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}"


def last_name(number: int) -> str:
    """Return a name that no other number has."""
    base = len(SYLLABLES)
    parts = [SYLLABLES[number // base**power % base] for power in range(3)]
    return "".join(parts).capitalize() + ("ova" if number // base**3 else "")


def company_name(number: int) -> str:
    """Return the name of a company."""
    return f"{last_name(number * 7 + 11)} {('Group', 'Ltd', 'GmbH', 'Partners')[number % 4]}"


def plain(text: str) -> str:
    """Return a name as it stands in an e-mail address."""
    bare = unicodedata.normalize("NFKD", text.lower().replace("ł", "l").replace("ø", "o"))
    return "".join(character for character in bare if character.isascii())


@dataclass(frozen=True)
class Pools:
    """What contacts are made of, each value computed once."""

    owners: list[str]
    companies: list[tuple[str, str]]
    first_names: list[tuple[str, str]]  # and as in an address
    last_names: list[tuple[str, str]]
    tags: list[str]
    addresses: list[str]

    @classmethod
    def of(cls, tenant: Tenant, count: int) -> "Pools":
        """Return the pools for so many contacts: the more people, the more names."""
        noise = random.Random(tenant.seed)
        return cls(
            owners=[str(tenant.owner(number)) for number in range(OWNERS)],
            companies=[(str(tenant.company(number)), company_name(number)) for number in range(COMPANIES)],
            first_names=[(name, plain(name)) for name in FIRST_NAMES],
            last_names=[(last_name(number), plain(last_name(number))) for number in range(max(count // 25, 1))],
            tags=[f"{{{','.join(noise.sample(TAGS, number % 4))}}}" for number in range(64)],
            addresses=[
                f'{{"zip": "{10000 + number}", "city": "Springfield", "street": "{number} Main St"}}'
                for number in range(997)
            ],
        )


def contacts(tenant: Tenant, count: int) -> Iterator[dict[str, Any]]:
    """Yield contacts, oldest first, as texts by column: what is asked for, without what follows from it.

    `company_name` is no column.
    """
    noise = random.Random(tenant.seed)
    pools = Pools.of(tenant, count)
    sought_every = max(count // SOUGHT, 1)
    step = SPAN / count
    pick, chance = noise.choice, noise.random
    for number in range(count):
        moment = EPOCH + step * number
        created = moment.isoformat()
        first, first_plain = pick(pools.first_names)
        last, last_plain = pick(pools.last_names)
        if number % sought_every == 0 and number // sought_every < SOUGHT:
            turn = number // sought_every
            first, first_plain = (RARE_NAME, RARE_NAME.lower()) if turn % 2 else pools.first_names[turn % 5]
            last, last_plain = SOUGHT_NAME, SOUGHT_NAME.lower()
        company, company_words = pick(pools.companies) if chance() < 0.9 else (None, "")
        yield {
            "id": contact_id(moment, noise),
            "first_name": first,
            "last_name": last,
            "email": f"{first_plain}.{last_plain}{number}@example.com",
            "phone": f"+1 555 {number % PHONES:07d}" if chance() < 0.8 else "",
            "job_title": pick(TITLES),
            "owner_id": pick(pools.owners),
            "company_id": company,
            "company_name": company_words,
            "lifecycle_stage": pick(STAGES),
            "lead_status": pick(LEAD_STATUSES),
            "temperature": pick(TEMPERATURES),
            "source": pick(SOURCES),
            "tags": pick(pools.tags),
            "address": pools.addresses[number % len(pools.addresses)] if chance() < 0.5 else None,
            "notes": NOTE if chance() < 0.3 else "",
            "custom_fields": '{"region": "EMEA", "seats": 25}' if chance() < 0.3 else "{}",
            "rating": f"{chance() * 5:.1f}" if chance() < 0.4 else None,
            "created_at": created,
            "updated_at": created,
        }


def make_people() -> None:
    """Make organizations, users, roles, sessions and companies by the product's models; Django must be set up."""
    from django.db import transaction  # noqa: PLC0415 - Django is set up after this module is imported

    from accounts.models import Organization, Role, Session, User, UserRole  # noqa: PLC0415
    from contacts.models import Company  # noqa: PLC0415
    from crm.core import search  # noqa: PLC0415

    with transaction.atomic():
        for tenant in (READ, WRITTEN):
            organization = Organization.objects.create(
                id=tenant.organization, slug=f"bench-{tenant.seed}", name=f"Bench {tenant.seed}"
            )
            users = [
                User(
                    id=tenant.owner(number),
                    organization=organization,
                    email=f"owner{number}@bench{tenant.seed}.example.com",
                    email_normalized=f"owner{number}@bench{tenant.seed}.example.com",
                    first_name=FIRST_NAMES[number],
                    last_name=last_name(number),
                    full_name=f"{FIRST_NAMES[number]} {last_name(number)}",
                )
                for number in range(OWNERS)
            ]
            User.objects.bulk_create(users)
            role = Role.objects.create(organization=organization, name="owner", scope="all", rank=100, is_built_in=True)
            for user in users:
                UserRole.objects.create(organization=organization, user=user, role=role)
            Session.objects.create(
                id=tenant.session,
                organization=organization,
                user=users[0],
                surface="team",
                expires_at=datetime.now(UTC) + timedelta(days=30),
            )
            companies = []
            for number in range(COMPANIES):
                company = Company(
                    id=tenant.company(number),
                    organization=organization,
                    owner_id=tenant.owner(number % OWNERS),
                    name=company_name(number),
                    industry=INDUSTRIES[number % len(INDUSTRIES)],
                )
                company.name_normalized = " ".join(search.words(company.name))
                company.search = search.vector(organization.id, company.name)
                companies.append(company)
            Company.objects.bulk_create(companies, batch_size=500)


def load_contacts(url: str, tenant: Tenant, count: int) -> None:
    """Load contacts by COPY, with every derived column as the product's services make it."""
    with psycopg.connect(url) as connection:
        # Rows that are right by construction need no foreign-key checks; the row counter is written below instead.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        indexes = connection.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE tablename = 'contacts_contact' AND NOT EXISTS "
            "(SELECT FROM pg_constraint c WHERE c.conname = i.indexname)"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        columns, lines = _lines(tenant, count)
        with connection.cursor().copy(f"COPY contacts_contact ({', '.join(columns)}) FROM STDIN") as copy:
            chunk: list[str] = []
            for line in lines:
                chunk.append(line)
                if len(chunk) == CHUNK:
                    copy.write("".join(chunk))
                    chunk.clear()
            copy.write("".join(chunk))
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute(
            "INSERT INTO core_rowcounter (organization_id, kind, owner_id, n) "
            "SELECT organization_id, 'contacts', owner_id, count(*) "
            " FROM contacts_contact WHERE organization_id = %s GROUP BY 1, 2, 3",
            [tenant.organization],
        )
        connection.execute(
            "INSERT INTO core_rowcounter (organization_id, kind, month, n) "
            "SELECT organization_id, 'contacts by month', "
            "date_trunc('month', created_at AT TIME ZONE 'UTC')::date, count(*) FROM contacts_contact "
            "WHERE organization_id = %s GROUP BY 1, 2, 3",
            [tenant.organization],
        )
    with psycopg.connect(url, autocommit=True) as connection:
        # A first VACUUM may not see the rows as old enough for everybody; hint bits and the visibility map matter here.
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")


def _lines(tenant: Tenant, count: int) -> tuple[list[str], Iterator[str]]:
    from accounts.models import normalize_email  # noqa: PLC0415 - Django is set up after this module is imported
    from contacts.models import Contact  # noqa: PLC0415
    from crm.core import search  # noqa: PLC0415

    fields = [field for field in Contact._meta.concrete_fields if field.column != "search"]  # noqa: SLF001
    columns = [field.column for field in fields]
    assert len(search.mark(tenant.organization)) == MARK_LENGTH
    fixed: dict[str, str | None] = {}
    for field in fields:
        default = None if field.primary_key else field.get_default()
        if isinstance(default, dict | list):
            default = "{}"
        fixed[field.column] = None if default is None else str(default)
    fixed |= {"organization_id": str(tenant.organization), "created_by_id": str(tenant.user)}
    fixed["status"] = "active"
    known: dict[str, list[str]] = {}

    def marked(text: str) -> list[str]:
        """Return a text's words; names and phones recur."""
        found = known.get(text)
        if found is None:
            found = known[text] = search.lexemes(tenant.organization, text)
        return found

    def lines() -> Iterator[str]:
        for row in contacts(tenant, count):
            first, last, email = row["first_name"], row["last_name"], row["email"]
            name = [*marked(first), *marked(last)]
            found = [*name, *search.lexemes(tenant.organization, email)]
            found += [*marked(row["phone"]), *marked(row["company_name"])]
            row["full_name"] = f"{first} {last}"
            row["name_normalized"] = " ".join([word[MARK_LENGTH:] for word in name])
            row["email_normalized"] = normalize_email(email)
            row["dedupe_hash"] = hashlib.sha256(f"email:{row['email_normalized']}".encode()).hexdigest()
            cells = [row.get(column, value) for column, value in fixed.items()]
            yield "\t".join(["\\N" if cell is None else cell for cell in cells]) + f"\t{' '.join(found)}\n"

    return [*columns, "search"], lines()
