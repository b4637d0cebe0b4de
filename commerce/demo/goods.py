"""Invents what the shop sells: the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from commerce.demo import words
from commerce.demo.words import SHELVES, Shelf
from commerce.models import ProductStatus
from contacts.demo.chapters import YEAR
from crm.core import money

BEFORE_THE_YEAR = timedelta(days=40)  # the catalog was there first
NEW_EACH = 12  # of so many products one came in the last weeks
ACTIVE, INACTIVE, DISCONTINUED = (status.value for status in ProductStatus)
FLAVOURS = 0.62  # how many of the products that come in forms do


@dataclass(slots=True)
class Stock:
    """A balance to be: what it opens with, and from where on it is low."""

    opening: int
    reorder_level: int


@dataclass(slots=True)
class InventedVariant:
    """A form of a product; no price or stock of its own means the product's."""

    sku: str
    name: str
    attributes: dict[str, str]
    price: int | None
    stock: Stock | None


@dataclass(slots=True)
class InventedProduct:
    """A product to be; `shelf` and `brand` are positions in their lists, amounts are minor units."""

    sku: str
    name: str
    description: str
    shelf: int
    brand: int
    price: int
    sale_price: int | None
    cost: int
    status: str
    images: list[str]
    attributes: dict[str, str]
    stock: Stock
    created_at: datetime
    variants: list[InventedVariant] = field(default_factory=list)


class Choice(NamedTuple):
    """What is bought: positions of a product and, where one is chosen, of its variant."""

    product: int
    variant: int | None


def products(seed: int, count: int, *, currency: str, today: datetime) -> Iterator[InventedProduct]:
    """Yield so many products, shelf by shelf in turn."""
    chance = Random(f"goods {seed}")
    unit = 10 ** money.exponent(currency)
    for number in range(count):
        place, shelf = number % len(SHELVES), SHELVES[number % len(SHELVES)]
        nth = number // len(SHELVES)
        sku, name, price = f"{shelf.prefix}-{nth + 1:03}", _name(shelf, nth), _price(chance, shelf, unit)
        if sku == words.FIRST_LAPTOP.sku:
            name, price = words.FIRST_LAPTOP.name, words.FIRST_LAPTOP.price * unit // 100
        is_new = number % NEW_EACH == NEW_EACH - 1
        age = timedelta(days=chance.uniform(3, 30)) if is_new else YEAR + BEFORE_THE_YEAR * chance.random()
        material = chance.choice(words.MATERIALS)
        yield InventedProduct(
            sku=sku,
            name=name,
            description=f"{name} with {material}. {chance.choice(words.SENTENCES)}",
            shelf=place,
            brand=chance.randrange(len(words.BRANDS)),
            price=price,
            sale_price=price * chance.choice((80, 85, 90)) // 100 if nth and chance.random() < 0.3 else None,
            cost=price * chance.randrange(40, 66) // 100,
            status=_status(chance, nth),
            images=[f"https://images.example/{sku.lower()}-{view}.jpg" for view in range(1, chance.randrange(1, 4))],
            attributes={
                "material": material,
                "weight": f"{chance.randrange(2, 12 if is_small(place) else 300) / 10:g} kg",
            },
            stock=_stock(chance, shelf),
            created_at=today - age,
            variants=list(_variants(chance, shelf, sku, price)),
        )


def price_of(product: InventedProduct, variant: InventedVariant | None) -> int:
    """Return what is charged for one."""
    if variant is not None and variant.price is not None:
        return variant.price
    return product.price if product.sale_price is None else product.sale_price


def is_small(shelf: int) -> bool:
    """Tell whether things of a shelf are bought by the dozen."""
    return SHELVES[shelf].path[0] == "Supplies"


def _variants(chance: Random, shelf: Shelf, sku: str, price: int) -> Iterator[InventedVariant]:
    if not shelf.forms or chance.random() > FLAVOURS:
        return
    has_own_stock = chance.random() < 0.5
    for number, form in enumerate(shelf.forms):
        yield InventedVariant(
            sku=f"{sku}-{''.join(filter(str.isalnum, form))[:4].upper()}",
            name=form,
            attributes={shelf.form: form},
            price=price * (100 + 15 * number) // 100 if shelf.form in {"size", "memory"} and number else None,
            stock=_stock(chance, shelf) if has_own_stock else None,
        )


def _name(shelf: Shelf, nth: int) -> str:
    """Return the nth name of a shelf; neighbours differ in both words, and names come back numbered."""
    turn, style = divmod(nth, len(shelf.styles))
    again = nth // (len(shelf.styles) * len(shelf.nouns))
    name = f"{shelf.styles[style]} {shelf.nouns[(turn + style) % len(shelf.nouns)]}"
    return f"{name} {again + 1}" if again else name


def _price(chance: Random, shelf: Shelf, unit: int) -> int:
    low, high = shelf.prices
    return (low + int((high - low) * chance.random() ** 2)) * unit - (unit // 100 or 1)


def _status(chance: Random, nth: int) -> str:
    fate = chance.random() if nth else 1
    return DISCONTINUED if fate < 0.04 else INACTIVE if fate < 0.08 else ACTIVE


def _stock(chance: Random, shelf: Shelf) -> Stock:
    level = chance.randrange(40, 120, 10) if shelf.path[0] == "Supplies" else chance.randrange(4, 16)
    return Stock(opening=level * chance.randrange(2, 7), reorder_level=level)
