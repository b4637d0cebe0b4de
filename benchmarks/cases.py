"""What is asked of both servers, and how fast the product has to be."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson
import psycopg

from benchmarks import data, shop, shopping
from benchmarks.comparing import DifferentAnswersError, answer, equal
from benchmarks.load import get, post
from benchmarks.stage import Server, Stage

LAST_PAGE = 1000
PAGE_SIZE = 25
ASKED_FOR = 500
MOST_REQUESTS = 20_000
# No thread must meet the same body twice; the width keeps every body as long as the others.
BODY = {
    "firstName": "Ana",
    "lastName": "Bellingrath",
    "email": "ana.bellingrath.########@example.org",
    "phone": "+1 555 0123456",
    "jobTitle": "Buyer",
    "companyId": str(data.WRITTEN.company(3)),
    "source": "Website",
    "notes": data.NOTE,
    "tags": ["vip", "press"],
    "customFields": {"region": "EMEA", "seats": 25},
}
SEVERAL = {"one", "product"}  # of which some are compared
_number = itertools.count(1)

Requests = Callable[[Stage, Server], Iterator[bytes]]
Comparison = Callable[[Stage, Server, Server], None]


@dataclass(frozen=True)
class Case:
    """One kind of request. `must` and `aim` are ratios to the floor; `only` names the server it is for, if not both.

    `most` is how many a slice sends at most. `compares` tells whether both do the same, where equal answers to equal
    requests do not.
    """

    name: str
    title: str
    requests: Requests
    must: float | None = None
    aim: float | None = None
    status: bytes = b"200"
    only: str = ""
    fewest_rows: int = 0
    with_sales: bool = False
    with_shop: bool = False
    most: int = MOST_REQUESTS
    compares: Comparison | None = None

    def runs_on(self, server: Server) -> bool:
        """Tell whether it can be asked of a server."""
        return self.only in {"", server.name} and server.rows >= self.fewest_rows


def _same(path: str) -> Requests:
    def requests(stage: Stage, _: Server) -> Iterator[bytes]:
        return itertools.repeat(get(path, stage.token(data.READ)))

    return requests


def _ids(stage: Stage, rows: int) -> list[str]:
    with psycopg.connect(stage.admin_url(stage.database(rows))) as connection:
        found = connection.execute(
            "SELECT id FROM contacts_contact WHERE organization_id = %s ORDER BY created_at, id",
            [data.READ.organization],
        ).fetchall()
    return [str(row[0]) for row in random.Random(3).sample(found, min(ASKED_FOR, len(found)))]


def _one(stage: Stage, server: Server) -> Iterator[bytes]:
    token = stage.token(data.READ)
    return itertools.cycle([get(f"/api/contacts/{pk}", token) for pk in _ids(stage, server.rows)])


def _create(stage: Stage, _: Server) -> Iterator[bytes]:
    token = stage.token(data.WRITTEN)
    before, after = post("/api/contacts", token, orjson.dumps(BODY)).split(b"########")
    return (b"%b%08d%b" % (before, next(_number), after) for _ in itertools.count())


# What both must have written: the row without what is its own, and which columns of the event say something.
ROW = """
SELECT to_jsonb(c) - '{id,email,email_normalized,dedupe_hash,search,created_at,updated_at}'::text[],
       ARRAY(SELECT regexp_replace(word, '[0-9]{8}$', '') FROM unnest(tsvector_to_array(search)) word ORDER BY 1)
FROM contacts_contact c WHERE id = %s
"""
EVENT = """
SELECT ARRAY(SELECT jsonb_object_keys(jsonb_strip_nulls(to_jsonb(e))) ORDER BY 1)
FROM core_event e WHERE contact_id = %s
"""
CREATED = "create, with event"


def _compare_created(stage: Stage, product: Server, floor: Server) -> None:
    made = [answer(server, next(_create(stage, server)), 201)["data"] for server in (product, floor)]
    ids = [contact["id"] for contact in made]
    for contact in made:
        contact["email"] = contact["email"][:17]
        for key in ("id", "createdAt", "updatedAt", "dedupeHash"):
            if not contact.pop(key):
                raise DifferentAnswersError(f"{CREATED}: {key} is empty")
    equal(CREATED, *made)
    with psycopg.connect(stage.admin_url(stage.database(product.rows))) as connection:
        contacts, events = ([connection.execute(query, [pk]).fetchall() for pk in ids] for query in (ROW, EVENT))
    equal(f"{CREATED}: the row", *contacts)
    equal(f"{CREATED}: the columns of the event", *events)


LIST, DEEP, ONE, SEARCH, COMMON, CREATE, _, _, SUMMARY, *_, COUNTED = CASES = (
    Case("list", "list of 25, with total", _same("/api/contacts"), 0.35, 0.50),
    Case(
        "page1000",
        "page 1,000 of that list",
        _same(f"/api/contacts?page={LAST_PAGE}"),
        fewest_rows=LAST_PAGE * PAGE_SIZE,
    ),
    Case("one", "one contact", _one, 0.10, 0.20),
    Case("search", "search, word prefixes", _same("/api/contacts?search=otto%20quist"), 0.30, 0.50),
    Case("common", "search, one of the words in every twentieth contact", _same("/api/contacts?search=mar%20quist")),
    Case("create", CREATED, _create, 0.20, 0.35, status=b"201", compares=_compare_created),
    Case("board", "board, 8 stages of 50", _same("/api/deals?pageSize=50"), 0.50, 0.80, with_sales=True),
    Case(
        "pipeline",
        "the same on the Platform",
        _same("/api/v1/dashboard/pipeline?limit=50"),
        0.50,
        0.80,
        with_sales=True,
    ),
    Case("summary", "dashboard, twelve figures", _same("/api/v1/dashboard/summary"), 0.50, 0.80, with_sales=True),
    Case("catalog", "a shop's page of 20", shopping.catalog, 0.35, 0.60, with_shop=True),
    Case("product", "a product's page", shopping.product, with_shop=True),
    Case(
        "add_to_cart",
        "add to cart",
        shopping.add_to_cart,
        0.15,
        0.30,
        with_shop=True,
        compares=shopping.compare_carts,
    ),
    Case(
        "checkout",
        "checkout of two lines",
        shopping.checkout,
        0.20,
        0.40,
        status=b"201",
        with_shop=True,
        most=shop.BUYERS // 2,  # the first round follows the warm-up without fresh carts
        compares=shopping.compare_orders,
    ),
    Case("counted", "list, exact COUNT(*) each time", _same("/api/contacts?count=1"), only="floor"),
)


def compare(stage: Stage, rows: int, cases: list[Case]) -> None:
    """Ask both servers the same of each case, and raise where the answers, or the rows written, differ."""
    product, floor = stage.server("product", rows), stage.server("floor", rows)
    for case in cases:
        if not (case.runs_on(product) and case.runs_on(floor)):
            continue
        if case.compares:
            case.compares(stage, product, floor)
            continue
        for request in itertools.islice(case.requests(stage, product), 10 if case.name in SEVERAL else 1):
            equal(case.title, answer(product, request, 200), answer(floor, request, 200))
    counted = next(COUNTED.requests(stage, floor))
    equal(COUNTED.title, answer(product, next(LIST.requests(stage, product)), 200), answer(floor, counted, 200))
