"""Money, search words, time and ids, from generated values."""

import re
import time
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from crm.core import clock, money, search
from crm.core.errors import Invalid
from crm.core.ids import uuid7

# --- Money


CURRENCIES = st.sampled_from(sorted(money.CURRENCIES))


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("USD", "1500.00", 150000),
        ("USD", "0.01", 1),
        ("USD", "-12.5", -1250),
        ("USD", "1e3", 100000),
        ("JPY", "1500", 1500),
        ("JPY", "1500.000", 1500),
        ("KWD", "1.234", 1234),
        ("ISK", "7", 7),
        ("EUR", "0", 0),
    ],
)
def test_major_units_become_minor_ones(currency: str, amount: str, minor: int) -> None:
    assert money.to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        *(("USD", "0.001"), ("USD", "1.999"), ("JPY", "0.5"), ("KWD", "0.0001"), ("USD", "NaN"), ("USD", "sNaN")),
        *(("USD", "Infinity"), ("USD", "-Infinity"), ("USD", "1e20"), ("USD", "1e999999"), ("USD", "1e-999999")),
        ("USD", "1." + "0" * 40 + "1"),
        ("USD", "9" * 400),
        ("USD", "-" + "9" * 400),
    ],
)
def test_an_amount_the_currency_cannot_carry_is_refused_by_the_fields_name(currency: str, amount: str) -> None:
    with pytest.raises(Invalid) as caught:
        money.to_minor(Decimal(amount), currency, field="unit_price")

    assert list(caught.value.details) == ["unit_price"]


@given(minor=st.integers(-money.LARGEST_MINOR, money.LARGEST_MINOR), currency=CURRENCIES)
@example(minor=money.LARGEST_MINOR, currency="USD")
@example(minor=money.LARGEST_MINOR - 1, currency="KWD")
@example(minor=-money.LARGEST_MINOR, currency="USD")
def test_what_goes_out_as_a_number_comes_back_as_the_same_amount(minor: int, currency: str) -> None:
    shown = repr(money.to_major(minor, currency))

    assert money.to_minor(Decimal(shown), currency) == minor


@given(minor=st.integers(-money.LARGEST_MINOR, money.LARGEST_MINOR), currency=CURRENCIES)
def test_a_number_shows_no_more_decimals_than_the_currency_has(minor: int, currency: str) -> None:
    shown = Decimal(repr(money.to_major(minor, currency)))

    assert shown == shown.quantize(Decimal(1).scaleb(-money.exponent(currency)))


@given(amount=st.decimals(allow_nan=True, allow_infinity=True), currency=CURRENCIES)
def test_any_decimal_is_exact_or_refused(amount: Decimal, currency: str) -> None:
    try:
        minor = money.to_minor(amount, currency)
    except Invalid:
        return

    assert abs(minor) <= money.LARGEST_MINOR
    assert Decimal(minor) == amount * 10 ** money.exponent(currency)


def test_every_exponent_belongs_to_a_currency() -> None:
    assert set(money.EXPONENTS) <= money.CURRENCIES
    assert {money.exponent(currency) for currency in money.CURRENCIES} == {0, 2, 3}


# --- Search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Łukasz O'Brien", ["lukasz", "o", "brien"]),
        ("ŻÓŁĆ żółć", ["zolc", "zolc"]),
        ("İSTANBUL ISPARTA ıspanak", ["istanbul", "isparta", "ispanak"]),
        ("Straße STRASSE Groß ẞ", ["strasse", "strasse", "gross", "ss"]),
        ("Müller Ærø Œuvre Þór Đorđe", ["muller", "aero", "oeuvre", "thor", "dorde"]),
        ("Ǿresund Ǽgir", ["oresund", "aegir"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", ["σισυφοσ", "σισυφοσ"]),
        ("Ёлка ЙОД", ["елка", "иод"]),
        ("山田太郎", ["山田太郎"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("Widget™ 𝐁old", ["widgettm", "bold"]),
        ("ﬁnance", ["finance"]),
        ("a_b-c.d@e.com", ["a", "b", "c", "d", "e", "com"]),
        ("  \t\n", []),
        ("!!! --- '\" \\ & | ! ( ) : *", []),
    ],
)
def test_words_lose_case_and_accents(text: str, words: list[str]) -> None:
    assert search.words(text) == words


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@given(TEXTS)
@example("Widget™")
@example("ǅ")
@example("ŉ")
def test_words_do_not_depend_on_case(text: str) -> None:
    # Where Unicode itself has no way back, as from the dotless i, there is nothing to compare.
    assume(text.upper().casefold() == text.casefold())

    assert search.words(text.upper()) == search.words(text)


@given(TEXTS)
@example("ǆ")
@example("ﷺ")
@example("℡")
def test_words_of_words_are_the_same(text: str) -> None:
    once = search.words(text)

    assert search.words(" ".join(once)) == once


@given(TEXTS)
def test_words_do_not_depend_on_how_accents_are_written(text: str) -> None:
    assert search.words(unicodedata.normalize("NFC", text)) == search.words(unicodedata.normalize("NFD", text))


@given(TEXTS)
def test_words_hold_letters_and_digits_alone(text: str) -> None:
    for word in search.words(text):
        assert 0 < len(word) <= search.LONGEST_WORD
        assert not re.search(r"[\s'\"\\&|!():*<>\0]", word)


def found(organization_id: UUID, query_of: UUID, texts: list[str], asked: str) -> bool:
    query = search.tsquery(query_of, asked)
    if query is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_to_tsvector(%s::text[]) @@ %s::tsquery", [search.lexemes(organization_id, *texts), query]
        )
        return bool(cursor.fetchone()[0])


MINE, THEIRS = uuid7(), uuid7()


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, data=st.data())
def test_every_word_is_found_by_every_beginning_of_it(text: str, data: st.DataObject) -> None:
    words = search.words(text)
    assume(words)
    word = data.draw(st.sampled_from(words))
    asked = word[: data.draw(st.integers(1, len(word)))]

    assert found(MINE, MINE, [text], asked)
    assert found(MINE, MINE, [text], text)


@settings(max_examples=50, deadline=None)
@given(text=TEXTS)
def test_no_word_is_found_from_another_organization(text: str) -> None:
    assume(search.mark(MINE) != search.mark(THEIRS))

    assert not found(MINE, THEIRS, [text], text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80).filter(lambda text: "\0" not in text))
@example("' & ''':*")
@example("a'b\\c:*|!d")
@example("x" * 5000)
def test_no_query_is_a_syntax_error(asked: str) -> None:
    assume(asked.encode("utf-8", "ignore").decode() == asked)

    found(MINE, MINE, ["text"], asked)


@pytest.mark.parametrize(
    ("texts", "asked", "is_found"),
    [
        (["Łukasz Żółty"], "zolt luk", True),
        (["Łukasz Żółty"], "zolt mar", False),
        (["+1 (555) 010-9999"], "5550109", True),
        (["+1 (555) 010-9999"], "5550108", False),
        (["+1 (555) 010-9999"], "15550109999", True),
        (["+1 (555) 010-9999"], "010 9999", True),
        (["ann@example.com"], "ann@example.com", True),
        (["ann@example.com"], "exam", True),
        (["ann@example.com"], "nn", False),
        ([None, ""], "a", False),
        (["山田太郎"], "山田", True),
        (["Владимир"], "влад", True),
        (["محمد"], "محم", True),
    ],
)
def test_words_are_found_by_their_beginning(texts: list[Any], asked: str, is_found: bool) -> None:  # noqa: FBT001 - a parameter
    assert found(MINE, MINE, texts, asked) is is_found


# --- Time


def hours(day: date, zone: str) -> float:
    start, end = clock.day_bounds(day, zone)
    return (end - start) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "start", "length"),
    [
        ("UTC", date(2026, 3, 29), "2026-03-29T00:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", 25),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 24.5),
        ("Pacific/Kiritimati", date(2026, 1, 1), "2025-12-31T10:00", 24),
        ("Etc/GMT+12", date(2026, 1, 1), "2026-01-01T12:00", 24),
        ("Asia/Kathmandu", date(2026, 1, 1), "2025-12-31T18:15", 24),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", 23),  # midnight does not exist
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 25),  # midnight comes twice
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00", 23),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00", 0),  # a day that was left out
        ("Europe/London", date(2024, 2, 29), "2024-02-29T00:00", 24),
    ],
)
def test_a_day_is_whole_whatever_its_length(zone: str, day: date, start: str, length: float) -> None:
    assert clock.day_bounds(day, zone)[0] == datetime.fromisoformat(f"{start}+00:00")
    assert hours(day, zone) == length


@given(
    day=st.dates(date(1990, 1, 1), date(2037, 12, 31)),
    zone=st.sampled_from(sorted(zone for zone in clock.ZONES if "/" in zone)),
)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    start, end = clock.day_bounds(day, zone)

    assert clock.day_bounds(day + timedelta(days=1), zone)[0] == end
    assert start <= end
    if start < end:
        tz = ZoneInfo(zone)
        assert start.astimezone(tz).date() == day
        assert (start - timedelta(microseconds=1)).astimezone(tz).date() < day
        assert (end - timedelta(microseconds=1)).astimezone(tz).date() == day


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("UTC", date(2028, 2, 29), "2028-02-01T00:00", "2028-03-01T00:00"),
        ("UTC", date(2026, 12, 31), "2026-12-01T00:00", "2027-01-01T00:00"),
        ("Europe/Berlin", date(2027, 3, 28), "2027-02-28T23:00", "2027-03-31T22:00"),  # an hour less
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", "2026-12-01T05:00"),  # an hour more
        ("Asia/Kathmandu", date(2026, 11, 30), "2026-10-31T18:15", "2026-11-30T18:15"),
        ("Pacific/Kiritimati", date(2026, 12, 1), "2026-11-30T10:00", "2026-12-31T10:00"),
        ("Etc/GMT+12", date(2026, 12, 1), "2026-12-01T12:00", "2027-01-01T12:00"),
        ("Africa/Cairo", date(2011, 4, 30), "2011-03-31T22:00", "2011-04-30T22:00"),
    ],
)
def test_a_month_begins_and_ends_where_its_days_do(zone: str, day: date, start: str, end: str) -> None:
    bounds = tuple(datetime.fromisoformat(f"{text}+00:00") for text in (start, end))

    assert clock.month_bounds(day, zone) == bounds


@pytest.mark.parametrize("day", [date.min, date.max])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_the_first_and_last_day_there_is_have_bounds_too(day: date, zone: str) -> None:
    start, end = clock.day_bounds(day, zone)
    month = clock.month_bounds(day, zone)

    assert month[0] <= start <= end <= month[1]
    assert (start.tzinfo, end.tzinfo) == (UTC, UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2026-01-01T09:59:59+00:00", "Pacific/Kiritimati", date(2026, 1, 1)),
        ("2026-01-01T10:00:00+00:00", "Pacific/Kiritimati", date(2026, 1, 2)),
        ("2026-01-01T11:59:59+00:00", "Etc/GMT+12", date(2025, 12, 31)),
        ("2026-01-01T12:00:00+00:00", "Etc/GMT+12", date(2026, 1, 1)),
    ],
)
def test_today_is_the_zones(moment: str, zone: str, day: date) -> None:
    with time_machine.travel(datetime.fromisoformat(moment), tick=False):
        assert clock.today(zone) == day


# --- Ids


def test_an_id_is_a_uuid_of_version_7() -> None:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        made = uuid7()

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == 1_795_262_400_000


def test_ids_grow_with_time() -> None:
    made = []
    for _ in range(200):
        made.append(uuid7())
        time.sleep(0.00002)

    assert made == sorted(made)


def test_ids_of_one_moment_differ() -> None:
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False):
        made = {uuid7() for _ in range(50_000)}

    assert len(made) == 50_000


def test_ids_are_not_guessed_from_their_neighbours() -> None:
    ends = {made.int & (1 << 62) - 1 for made in (uuid7() for _ in range(1000))}

    assert len(ends) == 1000
    assert max(ends).bit_length() >= 55
