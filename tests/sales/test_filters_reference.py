"""All filters of the Platform's opportunities, combined at random, against slow Python: same rows, order and totals."""

import random
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Company, Contact
from crm.core import money, search
from sales.models import Deal, Pipeline, Stage
from sales.services import search_index

ZONE = "Asia/Kathmandu"
DEALS = 150
COMBINATIONS = 250
EPOCH = datetime(2026, 5, 1, tzinfo=UTC)
WORDS = ("boat", "boots", "bar", "Über", "zebra", "Ali")
SOURCES = ("Website", "WEBSITE", "Fair", "")
TAGS = ("vip", "press", "q1")
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
UNKNOWN = "00000000-0000-4000-8000-00000000f00d"


class Market:
    """An organization with deals of every sort; what Python needs to answer for them is kept beside."""

    def __init__(self, tenant):
        self.tenant, self.chance = tenant, random.Random(5)  # noqa: S311 - repeatable, not secret
        with tenant.inside():
            self.contacts = [
                Contact.objects.create(organization_id=tenant.id, full_name=name, first_name=name)
                for name in ("Ada Boateng", "Zoë")
            ]
            self.companies = [
                Company.objects.create(organization_id=tenant.id, name=name) for name in ("Barco", "Übel")
            ]
            pipelines = [Pipeline.objects.create(organization_id=tenant.id, name=name) for name in ("One", "Two")]
            self.stages = [
                Stage.objects.create(
                    organization_id=tenant.id,
                    pipeline=pipeline,
                    name=kind,
                    position=at,
                    kind=kind,
                    probability=probability,
                )
                for pipeline in pipelines
                for at, (kind, probability) in enumerate((("open", 20), ("open", 60), ("won", 100), ("lost", 0)))
            ]
            self.deals = [self.deal(number) for number in range(DEALS)]
            Deal.objects.bulk_create(self.deals)
            for deal in self.deals:  # creation times are otherwise the present
                Deal.objects.filter(pk=deal.pk).update(created_at=deal.created, updated_at=deal.created)
        self.deals = [deal for deal in self.deals if deal.deleted_at is None]

    def moment(self):
        """Few different ones, so that orders have ties; some at the edges of a day in the organization's zone."""
        midnight = datetime(2026, 5, 1, tzinfo=ZoneInfo(ZONE)) + timedelta(days=self.chance.randint(0, 20))
        return midnight.astimezone(UTC) + self.chance.choice(
            [timedelta(), timedelta(microseconds=-1), timedelta(hours=5), timedelta(hours=18)]
        )

    def deal(self, number):
        pick = self.chance.choice
        stage = pick(self.stages)
        deal = Deal(
            organization_id=self.tenant.id,
            title=" ".join(self.chance.sample(WORDS, 2)),
            pipeline_id=stage.pipeline_id,
            stage=stage,
            rank=number,
            status=stage.kind,
            contact=pick([None, *self.contacts]),
            company=pick([None, *self.companies]),
            amount=pick([0, 1, 1000, 100_050, self.chance.randint(0, 200_000)]),
            currency=pick(CURRENCIES),
            probability=pick([None, None, 0, 20, 75]),
            priority=pick(["low", "medium", "high", "urgent"]),
            expected_close_date=pick([None, date(2026, 6, 1) + timedelta(days=self.chance.randint(0, 10))]),
            source=pick(SOURCES),
            tags=self.chance.sample(TAGS, self.chance.randint(0, 3)),
            owner_id=pick([self.tenant.manager.pk, self.tenant.staff.pk, None]),
            stage_entered_at=EPOCH,
            closed_at=None if stage.kind == "open" else self.moment(),
            deleted_at=EPOCH if number % 10 == 9 else None,
        )
        deal.created = self.moment()
        search_index.refresh(deal, deal.contact, deal.company)
        return deal

    # --- What may be asked

    def questions(self):
        """Strategies of the parameters' values, by name."""
        pks = {
            name: st.sampled_from([*sorted({str(getattr(deal, name)) for deal in self.deals} - {"None"}), UNKNOWN])
            for name in ("owner_id", "contact_id", "company_id", "pipeline_id", "stage_id")
        }
        pks["account_id"] = pks.pop("company_id")
        days = st.integers(0, 20).map(lambda day: date(2026, 5, 1) + timedelta(days=day))
        moments = st.sampled_from(sorted({deal.created for deal in self.deals}))
        when = st.one_of(days, moments).map(lambda at: at.isoformat().replace("+00:00", "Z"))
        closing = st.integers(0, 10).map(lambda day: (date(2026, 6, 1) + timedelta(days=day)).isoformat())
        amount = st.sampled_from(["0", "0.5", "1", "10", "1000.5", "1000.504", "99999999999999999999", "-5"])
        percent = st.sampled_from(["0", "19.5", "20", "60", "100", "1e3", "-1"])
        return {
            **pks,
            "q": st.sampled_from(["bo", "boat", "BAR zeb", "uber", "zoe", "ada ali", "nothing", "boa b", "!"]),
            "status": st.sampled_from(["open", "won", "lost"]),
            "priority": st.sampled_from(["low", "medium", "high", "urgent"]),
            "source": st.sampled_from(["website", "Fair", "none"]),
            "currency": st.sampled_from(["USD", "eur", "JPY", "KWD", "CHF"]),
            "tags": st.sampled_from(["vip", "vip,press", "q1, vip", "none"]),
            "tags_match": st.sampled_from(["any", "all"]),
            **dict.fromkeys(("amount_min", "amount_max"), amount),
            **dict.fromkeys(("probability_min", "probability_max"), percent),
            **dict.fromkeys(("expected_close_from", "expected_close_to"), closing),
            **dict.fromkeys(("created_from", "created_to", "closed_from", "closed_to"), when),
        }

    # --- The reference

    def answer(self, user, query):
        """The ids of all rows that `query` asks for, in order."""
        found = [deal for deal in self.deals if user is self.tenant.manager or deal.owner_id == user.pk]
        for name, value in query.items():
            if name in CHECKS:
                found = [deal for deal in found if CHECKS[name](deal, value, query)]
        name = query.get("sort", "created_at").removeprefix("-")
        newest_first = "sort" not in query and query.get("order") != "asc"
        descending = newest_first or query.get("order") == "desc" or query.get("sort", "").startswith("-")
        # What has no date comes after all that have one.
        value = attrgetter(ORDERS[name])
        found.sort(key=lambda deal: (value(deal) is None, value(deal) or 0, deal.pk), reverse=descending)
        return [str(deal.pk) for deal in found]


ORDERS = {
    "created_at": "created",
    "updated_at": "created",
    "title": "title",
    "name": "title",
    "amount": "amount",
    "value": "amount",
    "status": "status",
    "expected_close_date": "expected_close_date",
    "closed_at": "closed_at",
}


def is_found(deal, value, _):
    words = [word for text in (deal.title, deal.contact, deal.company) for word in search.words(str(text or ""))]
    asked = search.words(value)
    return bool(asked) and all(any(word.startswith(prefix) for word in words) for prefix in asked)


def has_tags(deal, value, query):
    asked = {tag.strip() for tag in value.split(",")}
    return asked <= set(deal.tags) if query.get("tags_match") == "all" else bool(asked & set(deal.tags))


def worth(deal):
    return money.to_major(deal.amount, deal.currency)


def chance(deal):
    certain = {"won": 100, "lost": 0}.get(deal.status)
    own = deal.stage.probability if deal.probability is None else deal.probability
    return own if certain is None else certain


def reaches(moment, value):
    """Not before a moment, or the day's beginning."""
    if moment is None:
        return False
    if "T" in value:
        return moment >= datetime.fromisoformat(value)
    return moment.astimezone(ZoneInfo(ZONE)).date() >= date.fromisoformat(value)


def is_within(moment, value):
    """Not after a moment, or the day's end."""
    if moment is None:
        return False
    if "T" in value:
        return moment <= datetime.fromisoformat(value)
    return moment.astimezone(ZoneInfo(ZONE)).date() <= date.fromisoformat(value)


CHECKS = {
    "q": is_found,
    "tags": has_tags,
    "status": lambda deal, value, _: deal.status == value,
    "priority": lambda deal, value, _: deal.priority == value,
    "source": lambda deal, value, _: deal.source.lower() == value.lower(),
    "currency": lambda deal, value, _: deal.currency.lower() == value.lower(),
    **{
        name: lambda deal, value, _, column=column: str(getattr(deal, column)) == value
        for name, column in (
            *((name, name) for name in ("owner_id", "contact_id", "pipeline_id", "stage_id")),
            ("account_id", "company_id"),
        )
    },
    "amount_min": lambda deal, value, _: worth(deal) >= float(value),
    "amount_max": lambda deal, value, _: worth(deal) <= float(value),
    "probability_min": lambda deal, value, _: chance(deal) >= float(value),
    "probability_max": lambda deal, value, _: chance(deal) <= float(value),
    "expected_close_from": lambda deal, value, _: (deal.expected_close_date or date.min) >= date.fromisoformat(value),
    "expected_close_to": lambda deal, value, _: (deal.expected_close_date or date.max) <= date.fromisoformat(value),
    "created_from": lambda deal, value, _: reaches(deal.created, value),
    "created_to": lambda deal, value, _: is_within(deal.created, value),
    "closed_from": lambda deal, value, _: reaches(deal.closed_at, value),
    "closed_to": lambda deal, value, _: is_within(deal.closed_at, value),
}


def combinations(market):
    """Some filters at once, in some order, and a page."""
    questions = market.questions()

    def chosen(names):
        return st.fixed_dictionaries({name: questions[name] for name in names})

    filters = st.sets(st.sampled_from(sorted(questions)), max_size=5).flatmap(chosen)
    sort = st.sampled_from([f"{sign}{name}" for sign in ("", "-") for name in ORDERS])
    order = st.fixed_dictionaries({}, optional={"sort": sort, "order": st.sampled_from(["asc", "desc"])})
    return st.tuples(filters, order, st.integers(1, 4), st.sampled_from([3, 20, 100]))


def test_any_combination_of_filters_answers_as_slow_python_does(organization, client_for):
    tenant = organization(roles=("owner", "manager", "staff"))
    assert client_for(tenant.owner).patch("settings/organization", {"timezone": ZONE}).status_code == 200
    market = Market(tenant)
    clients = {user.pk: client_for(user, "platform") for user in (tenant.manager, tenant.staff)}
    lengths = []

    @settings(
        max_examples=COMBINATIONS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(asked=combinations(market), user=st.sampled_from([tenant.manager, tenant.staff]))
    def check(asked, user):
        filters, order, page, limit = asked
        query = {**filters, **order}
        wanted = market.answer(user, query)

        response = clients[user.pk].get("opportunities", **query, page=page, limit=limit)

        assert response.status_code == 200, response.content
        answer = response.json()
        assert [item["id"] for item in answer["items"]] == wanted[(page - 1) * limit : page * limit], query
        assert (answer["total"], answer["pages"]) == (len(wanted), -(-len(wanted) // limit)), query
        lengths.append(len(wanted))

    check()

    assert sum(length > 0 for length in lengths) > COMBINATIONS / 4  # it was not nothing that was compared
