"""Plays what was sold, returned and counted in the order of time: the ledger of every balance, never below zero."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from random import Random
from typing import Any

from commerce.demo.goods import Stock
from commerce.models import MovementType

RESTOCK, CORRECTION = MovementType.RESTOCK, MovementType.CORRECTION
JUST_BEFORE = timedelta(seconds=1)
EXPRESS: dict[str, Any] = {"type": RESTOCK, "reason": "Express delivery", "order": None}
REORDER: dict[str, Any] = {"type": RESTOCK, "reason": "Reordered"}
REORDERED = 0.85  # how often somebody notices that stock is low
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of a balance; `order` is the position of the order that caused it."""

    stock: int
    at: datetime
    change: int
    type: MovementType
    order: int | None = None
    reason: str = ""
    balance: int = 0

    @property
    def before(self) -> int:
        """Return the balance that it found."""
        return self.balance - self.change


def played(
    seed: int, stocks: list[Stock], wishes: Iterable[Movement], *, today: datetime, counted: dict[int, int]
) -> Iterator[Movement]:
    """Yield all movements, oldest first, each with its balance; `wishes` hold openings, sales and returns.

    What would go below zero is restocked just before; what becomes low is restocked some days later, mostly.
    `counted` says to which balance some stocks are corrected at the end.
    """
    chance, numbers, last = Random(f"ledger {seed}"), count(), dict[int, datetime]()
    waiting = [(wish.at, next(numbers), wish) for wish in wishes]
    heapify(waiting)
    balances, awaited = [0] * len(stocks), set[int]()

    def moved(movement: Movement) -> Movement:
        balances[movement.stock] += movement.change
        last[movement.stock] = movement.at
        return replace(movement, balance=balances[movement.stock])

    while waiting:
        at, _, wish = heappop(waiting)
        level = stocks[wish.stock].reorder_level
        if balances[wish.stock] + wish.change < 0:
            yield moved(replace(wish, at=at - JUST_BEFORE, change=3 * level - wish.change, **EXPRESS))
        if wish.type == RESTOCK:
            awaited.discard(wish.stock)
        yield moved(wish)
        if balances[wish.stock] <= level and wish.stock not in awaited and chance.random() < REORDERED:
            arrives_at = at + DAY * chance.uniform(2, 9)
            if arrives_at < today:
                awaited.add(wish.stock)
                units = level * chance.randrange(3, 8)
                heappush(waiting, (arrives_at, next(numbers), Movement(wish.stock, arrives_at, units, **REORDER)))
    for stock, balance in counted.items():
        at = max(last[stock], today - DAY * chance.uniform(0.1, 3))
        if balances[stock] != balance:
            yield moved(Movement(stock, at, balance - balances[stock], CORRECTION, reason="Counted by hand"))
