"""Tables of what was measured, as they are printed and as they are kept."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import psycopg

from benchmarks import data
from benchmarks.cases import COUNTED, DEEP, LIST, SEARCH, SUMMARY, Case
from benchmarks.load import CONNECTIONS
from benchmarks.measure import Key, Measured, Spread
from benchmarks.stage import PROJECT, Stage

PACKAGES = ("Django", "djangorestframework", "psycopg", "granian", "orjson")
HEADINGS = ("must", "aim", "reached (quartiles)", "", "by CPU", "CPU, ms: app, database", "the floor's", "statements")
MIDDLE, LARGE = 100_000, 1_000_000
# How often the cost of the smaller size the larger may cost: case, sizes, must, aim.
GROWTH = (
    (LIST, 10_000, LARGE, 1.5, 1.1),
    (SEARCH, MIDDLE, LARGE, 2.0, 1.2),
    (SUMMARY, MIDDLE, LARGE, 1.5, 1.1),
)
DEEPER = (3.0, 1.5)


def against_floor(measured: Measured, cases: list[Case], size: int, statements: Mapping[str, int]) -> str:
    """Return the table of one size, as Markdown."""
    lines = [
        f"| {size:,} contacts | " + " | ".join(HEADINGS) + " |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        product, floor = (case.name, "product", size), (case.name, "floor", size)
        if not measured.has(product, floor):
            continue
        ratio = measured.ratio(floor, product)
        by_cpu = sum(measured.cpu(floor)) / sum(measured.cpu(product))
        cells = [
            *(case.title, _number(case.must), _number(case.aim), ratio, verdict(ratio.median, case), f"{by_cpu:.2f}"),
            *(_cpu(measured, product), _cpu(measured, floor), statements.get(case.name, "")),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    counted, listed = (COUNTED.name, "floor", size), (LIST.name, "floor", size)
    if measured.has(counted, listed):
        ratio = measured.ratio(listed, counted)
        lines.append(f"| for reference, the floor: {COUNTED.title} | | | {ratio} | | | | {_cpu(measured, counted)} | |")
    return "\n".join(lines)


def costs(measured: Measured, sizes: list[int]) -> str:
    """Return the table of what may cost how much more than something else, as Markdown."""
    lines = [
        "| cost, in time | at most | aim | product (quartiles) | | the floor itself |",
        "|---|---|---|---|---|---|",
    ]
    for size in sizes:
        title = f"page 1,000 over page 1, {size:,} contacts"
        lines += _cost(measured, title, (DEEP.name, size), (LIST.name, size), DEEPER)
    for case, small, large, must, aim in GROWTH:
        title = f"{case.title}: {large:,} contacts over {small:,}"
        lines += _cost(measured, title, (case.name, large), (case.name, small), (must, aim))
    return "\n".join(lines) if len(lines) > 2 else ""


def growth(measured: Measured, cases: list[Case], sizes: list[int]) -> str:
    """Return the table of each case's cost at each size over the one before it, as Markdown."""
    steps = list(pairwise(sizes))
    lines = [
        "| cost, product (the floor) | " + " | ".join(f"{large:,} over {small:,}" for small, large in steps) + " |",
        "|---|" + "---|" * len(steps),
    ]
    for case in cases:
        cells = []
        for small, large in steps:
            spreads = [
                _over(measured, (case.name, large), (case.name, small), server) for server in ("product", "floor")
            ]
            cells.append("{} ({})".format(*(f"{spread.median:.2f}" if spread else "none" for spread in spreads)))
        if any(not cell.startswith("none") for cell in cells):
            lines.append(f"| {case.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cost(
    measured: Measured, title: str, above: tuple[str, int], below: tuple[str, int], bounds: tuple[float, float]
) -> list[str]:
    product, floor = (_over(measured, above, below, server) for server in ("product", "floor"))
    if product is None:
        return []
    must, aim = bounds
    said = "aim" if product.median <= aim else "must" if product.median <= must else "**above**"
    return [f"| {title} | {must} | {aim} | {product} | {said} | {floor or ''} |"]


def _over(measured: Measured, above: tuple[str, int], below: tuple[str, int], server: str) -> Spread | None:
    keys: list[Key] = [(name, server, size) for name, size in (above, below)]
    return measured.ratio(*keys) if measured.has(*keys) else None


def verdict(reached: float, case: Case) -> str:
    """Say where a ratio stands between what must be and what should."""
    if case.must is None or case.aim is None:
        return ""
    return "aim" if reached >= case.aim else "must" if reached >= case.must else "**below**"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _cpu(measured: Measured, key: Key) -> str:
    return "{:.2f}, {:.2f}".format(*measured.cpu(key))


def circumstances(stage: Stage, rounds: int, seconds: float, load: float) -> str:
    """Say when, on what and of what this was measured; `load` is the machine's load average before it began."""
    with psycopg.connect(stage.admin_url("postgres")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    postgres = str(row[0]).split()[0] if row else "?"
    return "\n".join(
        [
            f"- {datetime.now(UTC):%d %b %Y %H:%M} UTC, commit {_commit()}",
            f"- {_processor()}, {os.cpu_count()} cores, {platform.system()}, load {load:.1f} before the start",
            f"- Python {platform.python_version()}, PostgreSQL {postgres}, {packages}",
            f"- {rounds} rounds, {seconds:g} s of each case on each server a round, {CONNECTIONS} connections",
        ]
    )


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(PROJECT), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""

    found = git("rev-parse", "--short", "HEAD")
    if not found:
        return "unknown"
    return f"{found} with local changes" if git("status", "--porcelain", "--untracked-files=no") else found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def keep(file: Path, title: str, text: str) -> None:
    """Write a section of the results, in place of the one of the same title; the others stay."""
    sections = {}
    for part in (file.read_text() if file.exists() else "").split("\n## ")[1:]:
        name, _, body = part.partition("\n")
        sections[name.strip()] = body.strip()
    sections[title] = text.strip()
    head = "# Results\n\nWritten by `make bench`; docs/performance.md says how to read them.\n"
    file.write_text(head + "".join(f"\n## {name}\n\n{sections[name]}\n" for name in sorted(sections)))


def print_addresses(stage: Stage) -> None:
    """Say how to reach the servers and the databases by hand."""
    print(f"token {stage.token(data.READ)}\ntoken (writes) {stage.token(data.WRITTEN)}")
    for server in stage.servers:
        print(f"{server.name} {server.rows:,}: http://127.0.0.1:{server.port} pid {server.process.pid}")
        print(f"  database {stage.admin_url(stage.database(server.rows))}", flush=True)
