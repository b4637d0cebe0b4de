"""Invents a year of orders, priced by the product's own pricing: the same for the same seed."""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random

from commerce.demo import words
from commerce.demo.goods import ACTIVE, Choice, InventedProduct, is_small, price_of
from commerce.demo.words import Offer, Place, Way
from commerce.models import OrderStatus
from commerce.services.pricing import Discount, Line, Quote, Shipping, Tax, price
from contacts.demo.chapters import YEAR
from crm.core import money

PENDING, CONFIRMED, PROCESSING = OrderStatus.PENDING.value, OrderStatus.CONFIRMED.value, OrderStatus.PROCESSING.value
SHIPPED, DELIVERED = OrderStatus.SHIPPED.value, OrderStatus.DELIVERED.value
CANCELLED, REFUNDED = OrderStatus.CANCELLED.value, OrderStatus.REFUNDED.value
FORWARD = (CONFIRMED, PROCESSING, SHIPPED, DELIVERED)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RECENT_EACH, FAVOURITE_EACH = 12, 20  # of so many orders one is of the last days, or the newest shopper's
LAST_DAYS = 8
BY_SHOPPERS = 0.4
BARGAINED = 0.04
HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys, and since when they are known."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A step of an order to another status."""

    status: str
    at: datetime
    tracking_number: str = ""
    note: str = ""
    restock: bool = False


@dataclass(slots=True)
class InventedOrder:
    """An order to be; `customer` is a position among shoppers where `is_shop`, else among customers."""

    created_at: datetime
    is_shop: bool
    customer: int
    place: Place
    choices: list[Choice]
    lines: list[Line]
    shipping: str
    codes: list[str]
    quote: Quote
    notes: str
    changes: list[Change]

    @property
    def status(self) -> str:
        """Return how far it is by now."""
        return self.changes[-1].status if self.changes else PENDING


class Selling:
    """One seed's orders. Customers and shoppers come in the order in which they became known."""

    def __init__(
        self,
        seed: int,
        *,
        products: Sequence[InventedProduct],
        customers: Sequence[Customer],
        shoppers: Sequence[Customer],
        currency: str,
        today: datetime,
    ) -> None:
        self.chance = Random(f"orders {seed}")
        self.products, self.customers, self.shoppers = products, customers, shoppers
        self.known = {True: [one.since for one in shoppers], False: [one.since for one in customers]}
        self.currency, self.unit, self.today = currency, 10 ** money.exponent(currency), today
        self.sold = [at for at, product in enumerate(products) if product.status == ACTIVE]
        self.used: Counter[str] = Counter()
        self.used_by: Counter[tuple[str, bool, int]] = Counter()

    def orders(self, count: int) -> list[InventedOrder]:
        """Return so many orders, oldest first; fewer where nobody was there to buy."""
        if not self.sold:
            return []
        moments = sorted(self._moment(number) for number in range(count))
        return [order for number, at in enumerate(moments) if (order := self._order(number, at))]

    def _moment(self, number: int) -> datetime:
        """Return when an order was made: business grows, and it went on until today."""
        if number % RECENT_EACH == 0:
            return self.today - DAY * (LAST_DAYS * self.chance.random() ** 2)
        return self.today - YEAR * (1 - self.chance.random() ** 0.7)

    def _order(self, number: int, at: datetime) -> InventedOrder | None:
        chance = self.chance
        is_shop = chance.random() < BY_SHOPPERS and bool(bisect(self.known[True], at))
        known = bisect(self.known[is_shop], at)
        if not known:
            return None
        customer = int(known * chance.random())
        if number % FAVOURITE_EACH == 7 and bisect(self.known[True], at) == len(self.shoppers) > 0:
            is_shop, customer = True, len(self.shoppers) - 1
        choices = self._choices(at)
        if not choices:
            return None
        lines = [self._line(choice, is_shop=is_shop) for choice in choices]
        place = chance.choice(words.PLACES)
        way = self._way(is_shop=is_shop)
        offers = self._offers(at, (is_shop, customer), sum(line.unit_price * line.quantity for line in lines))
        quote = price(
            lines,
            currency=self.currency,
            discounts=[discount(offer, self.unit) for offer in offers],
            tax=tax_of(place),
            shipping=shipping(way, self.unit) if way else None,
        )
        changes = list(self._changes(at))
        return InventedOrder(
            created_at=at,
            is_shop=is_shop,
            customer=customer,
            place=place,
            choices=choices,
            lines=lines,
            shipping=way.code if way else "",
            codes=[offer.code for offer in offers],
            quote=quote,
            notes=chance.choice(words.ORDER_NOTES) if chance.random() < 0.4 else "",
            changes=changes,
        )

    def _choices(self, at: datetime) -> list[Choice]:
        """Return different things that were there at the time; some sell better than others."""
        chance, wanted = self.chance, self.chance.choices((1, 2, 3, 4), cum_weights=(45, 75, 92, 100))[0]
        found: dict[Choice, None] = {}
        for _ in range(wanted):
            product = self.sold[int(len(self.sold) * chance.random() ** 1.6)]
            if self.products[product].created_at < at:
                variants = self.products[product].variants
                found[Choice(product, chance.randrange(len(variants)) if variants else None)] = None
        return list(found)

    def _line(self, choice: Choice, *, is_shop: bool) -> Line:
        chance, product = self.chance, self.products[choice.product]
        variant = None if choice.variant is None else product.variants[choice.variant]
        unit_price = price_of(product, variant)
        if not is_shop and chance.random() < BARGAINED:
            unit_price = unit_price * 95 // 100
        most = 36 if is_small(product.shelf) else 2 if is_shop else 6
        return Line(
            unit_price=unit_price,
            quantity=chance.randrange(1, most + 1),
            sku=variant.sku if variant else product.sku,
            name=f"{product.name} {variant.name}" if variant else product.name,
        )

    def _way(self, *, is_shop: bool) -> Way | None:
        if is_shop:
            return self.chance.choice((words.STANDARD, words.STANDARD, words.WAYS[0]))
        return self.chance.choice((None, None, words.STANDARD, words.WAYS[1]))

    def _offers(self, at: datetime, who: tuple[bool, int], subtotal: int) -> list[Offer]:
        """Return at most one promotion that could be used then, and count its use."""
        for offer in words.OFFERS:
            begun = self.today - (offer.begun or YEAR)
            ended = self.today - offer.ended if offer.ended else None
            is_open = begun <= at and (ended is None or at < ended) and subtotal >= offer.minimum * self.unit
            is_left = offer.uses is None or self.used[offer.code] < offer.uses
            is_fresh = offer.uses_each is None or self.used_by[(offer.code, *who)] < offer.uses_each
            if is_open and is_left and is_fresh and self.chance.random() < offer.share:
                self.used[offer.code] += 1
                self.used_by[(offer.code, *who)] += 1
                return [offer]
        return []

    def _changes(self, at: datetime) -> Iterator[Change]:
        """Walk on towards what becomes of the order, as far as today allows."""
        chance, fate = self.chance, self.chance.random()
        if fate < 0.07:
            cancelled_at = at + HOUR * chance.uniform(1, 40)
            if cancelled_at < self.today:
                yield Change(CANCELLED, cancelled_at, note="The customer changed their mind.")
            return
        # Of the last days' orders there are some at every step.
        last = chance.choice(FORWARD) if at > self.today - LAST_DAYS * DAY else DELIVERED
        for status in FORWARD[: FORWARD.index(last) + 1]:
            if status in {CONFIRMED, PROCESSING} and status != last and chance.random() < 0.25:
                continue  # a step may be left out
            at += HOUR * chance.uniform(1, 30)
            if at >= self.today:
                return
            is_sent = status == SHIPPED
            tracking = f"1Z999AA1{chance.randrange(10**10):010}" if is_sent else ""
            yield Change(status, at, tracking_number=tracking, note=words.SHIPPED_WITH if is_sent else "")
        refunded_at = at + DAY * chance.uniform(2, 14)
        if fate > 0.96 and refunded_at < self.today:
            note = chance.choice(words.REASONS_FOR_RETURN)
            yield Change(REFUNDED, refunded_at, note=note, restock=chance.random() < 0.5)


@cache
def tax_of(place: Place) -> Tax | None:
    """Return the tax at a place."""
    for rate in words.RATES:
        if rate.country == place.country and rate.state in {"", place.state}:
            return Tax(rate.name, rate.percent, applies_to_shipping=rate.on_shipping)
    return None


def discount(offer: Offer, unit: int) -> Discount:
    """Return an offer as the pricing takes it, for a currency of so many minor units."""
    if offer.kind == "percentage":
        return Discount(offer.code, "percentage", offer.value * HUNDREDTHS, offer.minimum * unit)
    return Discount(offer.code, "fixed", offer.value * unit, offer.minimum * unit)


def shipping(way: Way, unit: int) -> Shipping:
    """Return a way to send as the pricing takes it."""
    free_from = None if way.free_from is None else way.free_from * unit
    return Shipping(way.code, way.price * unit, free_from, way.name)
