"""Word-prefix search that ignores case and accents, by PostgreSQL's own full text over words that we normalise.

Every word carries its organization's mark, so that one tenant's search never walks another tenant's index entries.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any
from uuid import UUID

import orjson
from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, Lookup, Model, Q, Value
from psycopg.types.json import Jsonb

from crm.core import db

WORDS = re.compile(r"[^\W_]+")
DIGITS = re.compile(r"[0-9]+")
PHONE = re.compile(r"[0-9\s()+./-]+")
LONGEST_WORD = 60
SHORTEST_NUMBER = 5  # shorter runs of digits are house numbers, not phones
MOST_WORDS = 8  # of a query; the rest narrows no further
FOLDED = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}  # noqa: RUF001
)


def words(text: str) -> list[str]:
    """Return the words of `text`, lower case and without accents; `Łukasz O'Brien` gives lukasz, o, brien."""
    if text.isascii():
        return [word[:LONGEST_WORD] for word in WORDS.findall(text.lower())]
    # Twice: what a compatibility character stands for may itself be a capital.
    folded = unicodedata.normalize("NFKD", text).casefold().translate(FOLDED)
    decomposed = unicodedata.normalize("NFKD", folded)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return [word[:LONGEST_WORD] for word in WORDS.findall(bare)]


def mark(organization_id: UUID) -> str:
    """Return the prefix of the organization's words: the random end of its id."""
    return UUID(str(organization_id)).hex[-8:]


def lexemes(organization_id: UUID, *texts: str | None) -> list[str]:
    """Return the marked words of the texts, each once; a phone number is also there as its digits in one word."""
    found: dict[str, None] = {}
    for text in filter(None, texts):
        found.update(dict.fromkeys(words(text)))
        found.update(dict.fromkeys(_numbers(text)))
    prefix = mark(organization_id)
    return [prefix + word for word in found]


def _numbers(text: str) -> list[str]:
    """Return a phone number's digits in one word, and again from each group on: the country's may be left out.

    An international number in one piece does not show its country's code, which has one to three digits.
    """
    groups = DIGITS.findall(text)
    joined = "".join(groups)
    if len(joined) < SHORTEST_NUMBER:
        return []
    starts = set(accumulate(map(len, groups), initial=0))
    if len(groups) == 1 and text.lstrip().startswith("+"):
        starts |= {1, 2, 3}
    return [joined[at:][:LONGEST_WORD] for at in sorted(starts) if len(joined) - at >= SHORTEST_NUMBER]


def vector(organization_id: UUID, *texts: str | None) -> Func:
    """Return the SQL value of a search column over the texts."""
    return Func(Value(lexemes(organization_id, *texts)), function="array_to_tsvector", output_field=SearchVectorField())


def rewrite(model: type[Model], organization_id: UUID, found_by: Mapping[UUID, Iterable[str | None]]) -> None:
    """Let rows of an organization be found by other texts, told by id, in one statement; the caller has locked them.

    The ORM takes several times as long to say this as PostgreSQL to do it, and the rows are locked meanwhile.
    """
    words = {str(pk): lexemes(organization_id, *texts) for pk, texts in found_by.items()}
    table = model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
    db.fetch(_REWRITE.format(table=table), [Jsonb(words, dumps=orjson.dumps), organization_id])


_REWRITE = """
    UPDATE {table} SET search = array_to_tsvector(told.words)
    FROM (
        SELECT key::uuid AS id, ARRAY(SELECT jsonb_array_elements_text(value)) AS words FROM jsonb_each(%s::jsonb)
    ) AS told
    WHERE {table}.organization_id = %s AND {table}.id = told.id
    RETURNING {table}.id
"""


def tsquery(organization_id: UUID, text: str) -> str | None:
    """Return the query that asks for every word of `text` as a prefix, or None where it has no word.

    What looks like a phone number is also asked for in one piece, however it was written down.
    """
    requested = list(dict.fromkeys(words(text)))[:MOST_WORDS]
    prefix = mark(organization_id)
    query = " & ".join(f"'{prefix}{word}':*" for word in requested)
    number = "".join(DIGITS.findall(text))[:LONGEST_WORD] if PHONE.fullmatch(text) else ""
    if len(requested) > 1 and len(number) >= SHORTEST_NUMBER:
        query = f"{query} | '{prefix}{number}':*"
    return query or None


def matching(column: str, organization_id: UUID, text: str | db.Param) -> Q:
    """Return the condition that rows of the organization match `text`; a text without any word matches nothing.

    A parameter's value is what `tsquery` returns for a text.
    """
    query = text if isinstance(text, db.Param) else tsquery(organization_id, text)
    if query is None:
        return Q(pk__in=[])
    return Q(**{f"{column}__matches": query})


@SearchVectorField.register_lookup
class Matches(Lookup):
    """`column @@ query::tsquery`, with a query that `tsquery` made."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the condition."""
        column, params = self.process_lhs(compiler, connection)
        query, query_params = self.process_rhs(compiler, connection)
        return f"{column} @@ {query}::tsquery", (*params, *query_params)
