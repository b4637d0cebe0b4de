"""The comparison of two recordings of answers: what differs from run to run is masked, what changed is found."""

import json
import re
from pathlib import Path

import pytest

from tests.support import corpus

TEST = "tests/contacts/test_team.py::test_one"


def record(directory: Path, request: str = "GET /api/contacts", status: int = 200, **body: object) -> Path:
    """A recording with one request."""
    line = {"test": TEST, "request": request, "sent": "", "status": status, "headers": {}, "body": json.dumps(body)}
    directory.mkdir()
    (directory / "main.jsonl").write_text(json.dumps(line) + "\n")
    return directory


def ids(*numbers: int) -> list[str]:
    return [f"{number:08x}-0000-7000-8000-000000000000" for number in numbers]


def test_ids_times_and_tokens_do_not_count(tmp_path: Path) -> None:
    a, b = ids(1, 2)
    one = record(tmp_path / "one", id=a, owner=b, at="2026-12-01T04:00:00Z", token="x9" * 20)
    two = record(tmp_path / "two", id=ids(7)[0], owner=ids(8)[0], at="2026-12-02T05:00:01.5Z", token="y8" * 20)

    assert corpus.compare(one, two, []) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 201},
        {"name": "Bea"},
        {"more": True},
        {"owner": ids(1)[0]},  # the same id as the first, where it was another
        {"request": "GET /api/companies"},
    ],
    ids=["status", "value", "key", "id", "request"],
)
def test_what_a_client_would_notice_counts(changed: dict[str, object], tmp_path: Path) -> None:
    a, b = ids(1, 2)
    before = {"id": a, "owner": b, "name": "Ada"}
    one = record(tmp_path / "one", **before)
    two = record(tmp_path / "two", **before | changed)

    assert corpus.compare(one, two, []) == 1


def test_expected_differences_are_named_and_no_others_pass(tmp_path: Path) -> None:
    one, two = record(tmp_path / "one", name="Ada", n=1), record(tmp_path / "two", name="Bea", n=2)

    assert corpus.compare(one, two, [re.compile('"name"')]) == 1
    assert corpus.compare(one, two, [re.compile('"name"'), re.compile('"n"')]) == 0
