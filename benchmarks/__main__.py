"""`python -m benchmarks`: measure, print the table, keep it in RESULTS.md. `--help` lists what there is to choose."""

import argparse
import os
import signal
import sys
from pathlib import Path

import psycopg

from benchmarks import report, statements
from benchmarks.cases import CASES, Case, compare
from benchmarks.comparing import DifferentAnswersError
from benchmarks.load import WrongAnswerError
from benchmarks.measure import measure
from benchmarks.stage import Stage
from devstack.errors import EmbeddedError
from devstack.progress import step

ROWS = 100_000
GROWTH = (10_000, 100_000, 1_000_000)
MOST_ROWS = 2_000_000
RESULTS = Path(__file__).with_name("RESULTS.md")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("--quick", action="store_true", help="short slices and few rounds; writes no RESULTS.md")
    made.add_argument(
        "--growth", action="store_true", help=f"measure on {', '.join(f'{n:,}' for n in GROWTH)} contacts"
    )
    made.add_argument("--rows", help=f"numbers of contacts, separated by commas (default: {ROWS})")
    made.add_argument("--cases", help=f"some of {', '.join(case.name for case in CASES)}, separated by commas")
    made.add_argument("--rounds", type=int, help="how often each case is measured (default: 15, quick 5)")
    made.add_argument("--seconds", type=float, help="how long each time (default: 1.0, quick 0.4)")
    made.add_argument("--data", type=Path, help="keep the loaded data in this directory and use it again")
    made.add_argument("--serve", action="store_true", help="start the servers, print how to reach them, and wait")
    return made


def sizes_of(options: argparse.Namespace) -> list[int]:
    """Return the sizes asked for."""
    if options.rows:
        sizes = sorted({int(part) for part in options.rows.replace("_", "").split(",")})
        if not all(1000 <= size <= MOST_ROWS for size in sizes):
            raise ValueError(f"--rows takes numbers from 1000 to {MOST_ROWS}.")
        return sizes
    return list(GROWTH) if options.growth else [ROWS]


def cases_of(options: argparse.Namespace) -> list[Case]:
    """Return the cases asked for."""
    if not options.cases:
        return list(CASES)
    names = options.cases.split(",")
    known = {case.name: case for case in CASES}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"There is no case {', '.join(unknown)}; there are {', '.join(known)}.")
    return [known[name] for name in names]


def main() -> int:
    """Measure what the command line asks for."""
    command_line = parser()
    options = command_line.parse_args()
    try:
        sizes, cases = sizes_of(options), cases_of(options)
    except ValueError as error:
        command_line.error(str(error))
    rounds = max(1, min(options.rounds or (5 if options.quick else 15), 100))
    seconds = max(0.1, min(options.seconds or (0.4 if options.quick else 1.0), 10.0))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    load = os.getloadavg()[0]
    try:
        with Stage(
            sizes,
            options.data,
            with_sales=any(case.with_sales for case in cases),
            with_shop=any(case.with_shop for case in cases),
        ) as stage:
            if options.serve:
                report.print_addresses(stage)
                signal.pause()
            text = run(stage, cases, rounds, seconds)
            text = f"{report.circumstances(stage, rounds, seconds, load)}\n\n{text}"
    except (EmbeddedError, DifferentAnswersError, WrongAnswerError, psycopg.Error) as error:
        sys.stderr.write(f"\n{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\n{text}")
    if not (options.quick or options.cases):
        report.keep(RESULTS, "Growth" if len(sizes) > 1 else f"{sizes[0]:,} contacts", text)
    return 0


def run(stage: Stage, cases: list[Case], rounds: int, seconds: float) -> str:
    """Compare the answers, measure, and return the tables."""
    with step("Comparing the answers"):
        for size in stage.sizes:
            compare(stage, size, cases)
    slices = sum(case.runs_on(server) for case in cases for server in stage.servers)
    with step(f"Measuring {rounds} rounds of {slices} slices, about {rounds * slices * (seconds + 0.1):.0f} s"):
        measured = measure(stage, cases, rounds=rounds, seconds=seconds)
    with step("Counting statements"):
        counts = statements.count(stage, cases, stage.sizes[-1])
    tables = [report.against_floor(measured, cases, size, counts) for size in stage.sizes]
    tables.append(report.costs(measured, stage.sizes))
    if len(stage.sizes) > 1:
        tables.append(report.growth(measured, cases, stage.sizes))
    return "\n\n".join(table for table in tables if table)


if __name__ == "__main__":
    sys.exit(main())
