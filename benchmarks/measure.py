"""Rounds of short slices in random order: each server gets the same case within the same few seconds."""

import random
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.cases import Case
from benchmarks.load import Run
from benchmarks.stage import Stage, cpu, spent

WARM_UP_SECONDS = 0.4

Key = tuple[str, str, int]  # case, server, rows


@dataclass
class Measured:
    """All slices, round by round, and the processor time that they cost."""

    rounds: list[dict[Key, Run]] = field(default_factory=list)
    app_cpu: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    postgres_cpu: dict[Key, float] = field(default_factory=lambda: defaultdict(float))

    def requests(self, key: Key) -> int:
        """Return how many requests were answered."""
        return sum(run[key].requests for run in self.rounds)

    def cpu(self, key: Key) -> tuple[float, float]:
        """Return the milliseconds per request of the application's processes and of PostgreSQL's."""
        count = self.requests(key)
        return self.app_cpu[key] / count, self.postgres_cpu[key] / count

    def milliseconds(self, key: Key) -> "Spread":
        """Return the wall time per request, all connections together."""
        return Spread.of(run[key].milliseconds for run in self.rounds)

    def ratio(self, above: Key, below: Key) -> "Spread":
        """Return the cost of one over that of the other, taken inside each round."""
        return Spread.of(run[above].milliseconds / run[below].milliseconds for run in self.rounds)

    def has(self, *keys: Key) -> bool:
        """Tell whether all of these were measured."""
        return bool(self.rounds) and all(key in self.rounds[0] for key in keys)


@dataclass(frozen=True)
class Spread:
    """A median, and the quarters around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of at least one value."""
        found = sorted(values)
        if len(found) < 4:  # too few for quarters
            return cls(statistics.median(found), found[0], found[-1])
        low, median, high = statistics.quantiles(found, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def measure(stage: Stage, cases: list[Case], *, rounds: int, seconds: float, seed: int = 1) -> Measured:
    """Measure every case on every server that it runs on; `seconds` is the length of one slice."""
    order = random.Random(seed)
    streams = {
        (case.name, server.name, server.rows): (case, server, case.requests(stage, server))
        for case in cases
        for server in stage.servers
        if case.runs_on(server)
    }
    for case, server, requests in streams.values():
        server.load.run(requests, case.status, seconds=WARM_UP_SECONDS, most=case.most)
    measured = Measured()
    for _ in range(rounds):
        runs: dict[Key, Run] = {}
        for key in order.sample(list(streams), len(streams)):
            case, server, requests = streams[key]
            app, postgres = cpu(server.process), stage.postgres_cpu()
            runs[key] = server.load.run(requests, case.status, seconds=seconds, most=case.most)
            measured.app_cpu[key] += spent(app, cpu(server.process))
            measured.postgres_cpu[key] += spent(postgres, stage.postgres_cpu())
        measured.rounds.append(runs)
        stage.fold()
    return measured
