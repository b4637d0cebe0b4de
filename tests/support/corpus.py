"""Record what the API answers during the tests, and compare two recordings.

    pytest -p tests.support.corpus --record-answers DIRECTORY [tests]
    python -m tests.support.corpus BEFORE AFTER [--expected FILE]

Every request of Django's test client is recorded with its answer, by test. What differs from run to run (ids, times,
tokens, made-up names) is replaced by placeholders. Tests are matched by file and test name; a test that only one of
the recordings has is counted and not compared. FILE lists expected differences: `regular expression  # reason`, one a
line, each matched against the changed lines of a request.
"""

import argparse
import difflib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HEADERS = (
    "Content-Type",
    "Allow",
    "Location",
    "Cache-Control",
    "Vary",
    "WWW-Authenticate",
    "Idempotent-Replayed",
    "Access-Control-Allow-Origin",
)
LONGEST = 20_000  # characters of a body that are kept

UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
DAY = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
PLACEHOLDERS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<jwt>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d\d?:\d\d(?::\d\d)?(?: [ap]\.?m\.?)?\b"), "<clock>"),
    (re.compile(r"(name=\"csrfmiddlewaretoken\" value=)\"\w+\""), r"\1<csrf>"),
    (re.compile(r"\bnonce-?=?\"?[\w+/=-]{16,}\"?"), "<nonce>"),
    (re.compile(r"(?<![\w/])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{22,}={0,2}(?![\w/])"), "<token>"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "<hex>"),
    (re.compile(r"(?<=\.)[0-9a-f]{6}(?=@)|(?<=role_)[0-9a-f]+"), "<hex>"),
    (re.compile(r"(?<='code': ')[\w-]+|(?<=\"uptime\": )\d+|^-?\d{6}$"), "<code>"),
    (re.compile(r"(?<=in )\d+(?= seconds)|(?<=\"retry_after\": )\d+|(?<=\"order_number\": \")\d+"), "<n>"),
    (
        re.compile(
            r"(?<=\bOURS )\d+|(?<=\bSEEN )\d+|(?<=\bCall )\d+|(?<=CANARY-[AB] )\d+|(?<=\bCODE)\d+|(?<=\"Own )\d+"
        ),
        "<n>",
    ),
    (re.compile(r"(?<=[A-Za-z_.:@\-])\d+\b"), "<n>"),
    (re.compile(r"\b100\.64\.\d+\.\d+|\b127\.0\.0\.1:\d+|localhost:\d+"), "<address>"),
)

Record = dict[str, Any]


def pytest_addoption(parser: Any) -> None:
    """Add the option that turns the recording on."""
    parser.addoption("--record-answers", metavar="DIRECTORY", help="record every request and answer by test")


def pytest_configure(config: Any) -> None:
    """Start recording where the option asks for it; each worker writes a file of its own."""
    directory = config.getoption("--record-answers", None)
    if directory:
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        config.pluginmanager.register(Recorder(Path(directory), worker), "answer-recorder")


class Recorder:
    """The plugin: wraps the test client and notes the running test."""

    def __init__(self, directory: Path, worker: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file = (directory / f"{worker}.jsonl").open("w", encoding="utf-8")
        self.test = ""
        self._wrap_client()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which test is running."""
        self.test = nodeid

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        self.file.close()

    def _wrap_client(self) -> None:
        from django.test import Client

        send = Client.generic

        def generic(client: Any, method: str, path: str, data: Any = "", *args: Any, **options: Any) -> Any:
            response = send(client, method, path, data, *args, **options)
            self._record(method, path, data, options.get("query_params"), response)
            return response

        Client.generic = generic  # type: ignore[assignment]

    def _record(self, method: str, path: str, data: Any, query: Any, response: Any) -> None:
        body = b"".join(response.streaming_content) if response.streaming else response.content
        record = {
            "test": self.test,
            "request": f"{method} {path}{'?' + repr(dict(query)) if query else ''}",
            "sent": _text(data)[:LONGEST],
            "status": response.status_code,
            "headers": {name: response[name] for name in HEADERS if name in response},
            "body": _text(body)[:LONGEST],
        }
        self.file.write(json.dumps(record) + "\n")


def _text(data: Any) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)


class Mask:
    """Replaces what differs from run to run; an id keeps its number within a test."""

    def __init__(self, today: datetime | None = None) -> None:
        self.ids: dict[str, str] = {}
        self.today = (today or datetime.now(UTC)).date()

    def __call__(self, text: str) -> str:
        """Return the text with placeholders."""
        text = UUID.sub(lambda found: self.ids.setdefault(found[0].lower(), f"<id {len(self.ids) + 1}>"), text)
        for pattern, placeholder in PLACEHOLDERS:
            text = pattern.sub(placeholder, text)
        return DAY.sub(self._day, text)

    def _day(self, found: re.Match[str]) -> str:
        try:
            day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC).date()
        except ValueError:
            return found[0]
        return "<day>" if abs(day - self.today) < timedelta(days=400) else found[0]


def lines_of(records: list[Record]) -> list[list[str]]:
    """Return a test's requests as masked lines: the request, what was sent, status, headers, and the body's."""
    mask = Mask()
    shown = []
    for record in records:
        try:
            body = json.dumps(json.loads(record["body"]), indent=1, ensure_ascii=False)
        except ValueError:
            body = record["body"]
        headers = [f"{name}: {value}" for name, value in record["headers"].items()]
        text = "\n".join([record["request"], record["sent"], f"status {record['status']}", *headers, body])
        shown.append(mask(text).splitlines())
    return shown


def load(directory: Path) -> dict[str, list[Record]]:
    """Return a recording by test: the file's name and the test's."""
    tests: dict[str, list[Record]] = defaultdict(list)
    for file in sorted(directory.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            path, _, name = record["test"].partition("::")
            tests[f"{Path(path).name}::{Mask()(name)}"].append(record)
    return tests


def differences(before: list[Record], after: list[Record]) -> Iterator[tuple[str, list[str]]]:
    """Return the request and the changed lines of each answer that differs."""
    old, new = lines_of(before), lines_of(after)
    if len(old) != len(new):
        yield f"{len(old)} requests before, {len(new)} after", []
        return
    for index, (one, other) in enumerate(zip(old, new, strict=True)):
        if one != other:
            changed = [
                line for line in difflib.unified_diff(one, other, lineterm="", n=0) if line[:1] in "+-" and line[3:4]
            ]
            yield before[index]["request"], [line for line in changed if not line.startswith(("---", "+++"))]


def compare(before: Path, after: Path, expected: list[re.Pattern[str]]) -> int:
    """Print what differs, alike differences together; return how many answers differ unexpectedly."""
    old, new = load(before), load(after)
    both = sorted(old.keys() & new.keys())
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    known: Counter[str] = Counter()
    for test in both:
        for request, changed in differences(old[test], new[test]):
            rest = [line for line in changed if not any(pattern.search(line) for pattern in expected)]
            if changed and not rest:
                known.update({pattern.pattern for line in changed for pattern in expected if pattern.search(line)})
            else:
                kinds[tuple(rest) or (request,)].append(f"{test}: {request}")
    for lines, places in sorted(kinds.items(), key=lambda item: -len(item[1])):
        sys.stdout.write(f"\n{len(places)} x, first in {places[0]}\n" + "".join(f"  {line}\n" for line in lines[:20]))
    requests = sum(len(old[test]) for test in both)
    differing = sum(map(len, kinds.values()))
    sys.stdout.write(
        f"\n{len(both)} tests and {requests} requests compared; {differing} answers differ in {len(kinds)} ways; "
        f"{sum(known.values())} expected differences; {len(old.keys() - new.keys())} tests only before, "
        f"{len(new.keys() - old.keys())} only after.\n"
    )
    return differing


def main() -> int:
    """Compare two recordings."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.corpus", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--expected", type=Path)
    options = parser.parse_args()
    lines = options.expected.read_text(encoding="utf-8").splitlines() if options.expected else []
    patterns = [re.compile(line.partition("  #")[0]) for line in lines if line.strip() and not line.startswith("#")]
    return 1 if compare(options.before, options.after, patterns) else 0


if __name__ == "__main__":
    sys.exit(main())
