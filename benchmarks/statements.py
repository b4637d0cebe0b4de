"""How many statements a request sends, as PostgreSQL itself writes them down."""

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from benchmarks.cases import Case
from benchmarks.load import ask
from benchmarks.stage import Stage

# One line for each statement that PostgreSQL executes, BEGIN, the scope and COMMIT among them, however they travel.
LOGGED = re.compile(r"LOG: {2}(?:statement|execute [^:]+): ")
SETTLED = 0.3
WARM_REQUESTS = 8


def count(stage: Stage, cases: list[Case], rows: int) -> dict[str, int]:
    """Return how many statements the product sends for one request of each case, once its workers are warm."""
    product = stage.server("product", rows)
    found = {}
    with psycopg.connect(stage.admin_url("postgres"), autocommit=True) as connection:
        for case in cases:
            if not case.runs_on(product):
                continue
            requests = case.requests(stage, product)
            for request in itertools.islice(requests, WARM_REQUESTS):
                ask(product.port, request)
            with _all_logged(connection):
                began = stage.postgres_log.stat().st_size
                ask(product.port, next(requests))
                time.sleep(SETTLED)
                with stage.postgres_log.open(errors="replace") as log:
                    log.seek(began)
                    found[case.name] = len(LOGGED.findall(log.read()))
    return found


@contextmanager
def _all_logged(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("ALTER SYSTEM SET log_statement = 'all'")
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(SETTLED)
    try:
        yield
    finally:
        connection.execute("ALTER SYSTEM RESET log_statement")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(SETTLED)
