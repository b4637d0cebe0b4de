"""From a URL to its SQL: what stands on the stack at each statement, and that Django's tools see every one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.core.db.backend.pipeline import Pipeline
from tests.commerce.shop import order, put, sell
from tests.conftest import Tenant
from tests.support.clients import ApiClient

MOST_FILES = 6
PRODUCT = ("crm", "accounts", "contacts", "sales", "commerce", "reporting")
ENDS_OF_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SET LOCAL ROLE", "SELECT set_config(")


def files_on_the_stack() -> list[str]:
    """The product's files on the stack, from the outermost in, each once."""
    root = Path(settings.BASE_DIR)
    found: dict[str, None] = {}
    frame: Any = sys._getframe(1)
    while frame:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(root) and path.relative_to(root).parts[0] in PRODUCT:
            found[str(path.relative_to(root))] = None
        frame = frame.f_back
    return [*reversed(found)]


@contextmanager
def statements_seen() -> Iterator[list[tuple[str, list[str]]]]:
    """What `execute_wrapper` is shown: each statement, and the files that stand between it and the request."""
    seen: list[tuple[str, list[str]]] = []

    def wrapper(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        seen.append((sql, files_on_the_stack()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield seen


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that go to the database beside cursors, as they are sent."""
    texts: list[str] = []
    execute = Pipeline.execute

    def recording(self: Pipeline, statements: Any) -> Any:
        texts.extend(text for text, _ in statements if not text.startswith(ENDS_OF_TRANSACTIONS))
        return execute(self, statements)

    monkeypatch.setattr(Pipeline, "execute", recording)
    return texts


@pytest.fixture
def requests(acme: Tenant, client_for: Callable[..., ApiClient]) -> dict[str, Callable[[], int]]:
    """A list, a create, and a checkout, each once done, so that what is cached is cached."""
    shopper = client_for(acme.customer, "storefront")
    platform, team = client_for(acme.owner, "platform"), client_for(acme.owner)
    pen = sell(acme, "PEN", units=9)

    def checkout() -> int:
        put(shopper, pen)
        return int(order(shopper).status_code)

    calls = {
        "list": lambda: int(platform.get("contacts").status_code),
        "create": lambda: int(team.post("contacts", {"firstName": "Ada", "email": "ada@example.com"}).status_code),
        "checkout": checkout,
    }
    for call in calls.values():
        call()
    return calls


@pytest.mark.parametrize(("name", "status"), [("list", 200), ("create", 201), ("checkout", 201)])
def test_execute_wrappers_see_every_statement_that_is_sent(
    name: str, status: int, requests: dict[str, Callable[[], int]], sent: list[str]
) -> None:
    sent.clear()

    with statements_seen() as seen:
        assert requests[name]() == status

    assert sent
    texts = [sql for sql, _ in seen]
    assert not [text for text in sent if text not in texts]


@pytest.mark.parametrize(("name", "status"), [("list", 200), ("create", 201), ("checkout", 201)])
def test_the_query_log_holds_every_statement_with_its_values_and_time(
    name: str, status: int, requests: dict[str, Callable[[], int]], sent: list[str], acme: Tenant
) -> None:
    with statements_seen() as seen, CaptureQueriesContext(connection) as queries:
        assert requests[name]() == status

    logged = [query for query in queries if not query["sql"].startswith(ENDS_OF_TRANSACTIONS)]
    assert len(logged) == len(seen)
    assert all(float(query["time"]) >= 0 for query in logged)
    assert any(str(acme.id) in query["sql"] for query in logged)


@pytest.mark.parametrize("name", ["list", "create"])
def test_few_files_stand_between_a_request_and_its_sql(name: str, requests: dict[str, Callable[[], int]]) -> None:
    """Shown by `pytest -s tests/api/test_path_to_sql.py -k few_files`."""
    with statements_seen() as seen:
        requests[name]()

    for sql, files in seen:
        sys.stdout.write(f"\n{' '.join(sql.split())[:100]}\n    {' > '.join(files)}\n")
    assert seen
    assert max(len(files) for _, files in seen) <= MOST_FILES
