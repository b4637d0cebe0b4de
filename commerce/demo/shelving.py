"""Puts the invented catalog and the shop's terms into rows, with their events."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from commerce.demo import words
from commerce.demo.goods import Choice, InventedProduct, InventedVariant, Stock
from commerce.demo.selling import discount, shipping
from commerce.models import (
    Brand,
    Category,
    Product,
    Promotion,
    PromotionType,
    ShippingMethod,
    StockItem,
    TaxRate,
    Variant,
)
from commerce.models.terms import normal_code
from commerce.services import promotions, search_index, shop_config
from contacts.demo.chapters import YEAR, Telling
from contacts.demo.copying import Row, id_at, insert, row_of
from contacts.demo.telling import Chronicle
from contacts.services.search_index import normal_name
from crm.core import money, search
from crm.core.models import Event

OPENED = YEAR + timedelta(days=45)  # how long ago the shop was set up
TICK = timedelta(milliseconds=1)


class Catalog:
    """The catalog as rows; positions are those of the invention."""

    def __init__(self, telling: Telling, invented: Sequence[InventedProduct]) -> None:
        self.organization_id, self.currency = telling.organization_id, telling.organization.currency
        self.maker = telling.workers[0]
        self.moment = telling.today - OPENED
        self.invented = invented
        self.chronicle = Chronicle(telling.organization_id.hex)
        self.events: list[Row] = []
        self.categories: dict[tuple[str, ...], Category] = {}
        for shelf in words.SHELVES:
            for depth in range(1, len(shelf.path) + 1):
                path = shelf.path[:depth]
                if path not in self.categories:
                    self.categories[path] = self._category(path)
        self.brands = [self._brand(name) for name in words.BRANDS]
        self.stocks: list[Stock] = []
        self.items: list[StockItem] = []
        self.positions: dict[UUID, int] = {}
        self.sellers: list[tuple[Product, Variant | None]] = []  # what each stock item is of
        self.products: list[Product] = []
        self.variants: list[list[Variant]] = []
        for one in invented:
            self._shelve(one)

    def stock_item_id(self, choice: Choice) -> int:
        """Return the position of the stock item that a choice is sold from."""
        stock_id = self.products[choice.product].stock_id
        if choice.variant is not None:
            stock_id = self.variants[choice.product][choice.variant].stock_id or stock_id
        return self.positions[stock_id]

    def write(self) -> None:
        """Insert everything; balances are what the ledger says by now."""
        insert(Category, map(row_of, self.categories.values()))
        insert(Brand, map(row_of, self.brands))
        insert(StockItem, map(row_of, self.items))
        insert(Product, map(row_of, self.products))
        insert(Variant, [row_of(variant) for variants in self.variants for variant in variants])
        insert(Event, self.events)

    def _category(self, path: tuple[str, ...]) -> Category:
        parent = self.categories.get(path[:-1])
        slug = "-".join(search.words(path[-1]))
        row = self._named(Category, path[-1], slug, parent=parent, image_url=f"https://images.example/{slug}.jpg")
        return self._made(row, "category", f"Category {row} created")

    def _brand(self, name: str) -> Brand:
        slug = "-".join(search.words(name))
        row = self._named(Brand, name, slug, logo_url=f"https://images.example/{slug}.svg")
        return self._made(row, "brand", f"Brand {row} created")

    def _named(self, model: Any, name: str, slug: str, **columns: Any) -> Any:
        self.moment += TICK
        return model(**self._columns(self.moment), name=name, name_normalized=normal_name(name), slug=slug, **columns)

    def _shelve(self, one: InventedProduct) -> None:
        item = self._item(one.stock, one.created_at)
        product = Product(
            **self._columns(one.created_at),
            name=one.name,
            sku=one.sku,
            description=one.description,
            category=self.categories[words.SHELVES[one.shelf].path],
            brand=self.brands[one.brand],
            price=one.price,
            sale_price=one.sale_price,
            cost=one.cost,
            currency=self.currency,
            status=one.status,
            images=one.images,
            attributes=one.attributes,
            stock=item,
            created_by=self.maker,
        )
        search_index.refresh(product, product.brand)
        details = {"sku": product.sku, "stock_quantity": one.stock.opening}
        self._made(product, "product", f"Product {product} created", metadata=details)
        self.products.append(product)
        self.sellers.append((product, None))
        self.variants.append([self._variant(product, variant, one.created_at) for variant in one.variants])

    def _variant(self, product: Product, one: InventedVariant, at: datetime) -> Variant:
        row = Variant(
            **self._columns(at),
            product=product,
            sku=one.sku,
            sku_normalized=search_index.normal_sku(one.sku),
            name=one.name,
            attributes=one.attributes,
            price=one.price,
            stock=self._item(one.stock, at) if one.stock else None,
        )
        if one.stock:
            self.sellers.append((product, row))
        details = {"product_id": str(product.pk), "sku": row.sku}
        return self._made(row, "variant", f"Variant {row} of {product} created", metadata=details)

    def _item(self, stock: Stock, at: datetime) -> StockItem:
        row = StockItem(
            id=UUID(id_at(at)), organization_id=self.organization_id, reorder_level=stock.reorder_level, updated_at=at
        )
        self.positions[row.pk] = len(self.items)
        self.stocks.append(stock)
        self.items.append(row)
        return row

    def _columns(self, at: datetime) -> dict[str, Any]:
        return {"id": UUID(id_at(at)), "organization_id": self.organization_id, "created_at": at, "updated_at": at}

    def _made(self, row: Any, noun: str, title: str, **details: Any) -> Any:
        name, at = f"{noun}.created", row.created_at
        self.events.append(self.chronicle.event(name, row, at, title=title, actor_id=self.maker.pk, **details))
        return row


class Terms:
    """The shop's terms as rows: ways to send, tax rates, promotions."""

    def __init__(self, telling: Telling, uses: Counter[str]) -> None:
        self.organization_id, self.today = telling.organization_id, telling.today
        self.maker, self.moment = telling.workers[0], telling.today - OPENED
        self.currency, self.uses = telling.organization.currency, uses
        self.unit = 10 ** money.exponent(self.currency)
        self.rows: dict[type[Model], list[Any]] = {
            ShippingMethod: [self._way(way) for way in words.WAYS],
            TaxRate: [self._rate(rate) for rate in words.RATES],
            Promotion: [self._promotion(offer) for offer in words.OFFERS],
        }
        self.chronicle = Chronicle(telling.organization_id.hex)

    @property
    def promotions(self) -> Mapping[str, Promotion]:
        """Return the promotions by code."""
        return {promotion.code: promotion for promotion in self.rows[Promotion]}

    def write(self) -> None:
        """Insert everything."""
        for model, rows in self.rows.items():
            insert(model, map(row_of, rows))
        insert(Event, self._events())

    def _events(self) -> Iterator[Row]:
        for noun, rows in zip(
            (shop_config.SHIPPING_METHOD, shop_config.TAX_RATE, promotions.PROMOTION), self.rows.values(), strict=True
        ):
            for row in rows:
                name, title = f"{noun.event}.created", f"{noun.title} {row} created"
                yield self.chronicle.event(name, row, row.created_at, title=title, actor_id=self.maker.pk)

    def _way(self, way: words.Way) -> ShippingMethod:
        target = shipping(way, self.unit)
        return ShippingMethod(
            **self._columns(),
            code=way.code,
            code_normalized=normal_code(way.code),
            name=way.name,
            currency=self.currency,
            price=target.price,
            free_from=target.free_from,
        )

    def _rate(self, rate: words.Rate) -> TaxRate:
        return TaxRate(
            **self._columns(),
            name=rate.name,
            country=rate.country,
            state=rate.state,
            rate=Decimal(rate.percent),
            starts_on=date(self.today.year - 2, 1, 1),
            applies_to_shipping=rate.on_shipping,
        )

    def _promotion(self, offer: words.Offer) -> Promotion:
        target, uses = discount(offer, self.unit), self.uses[offer.code]
        return Promotion(
            **self._columns(),
            code=offer.code,
            code_normalized=normal_code(offer.code),
            type=PromotionType(target.kind),
            value=target.value,
            currency=self.currency,
            starts_at=self.today - offer.begun if offer.begun else None,
            ends_at=self.today - offer.ended if offer.ended else None,
            minimum_total=target.minimum_total,
            max_uses=max(uses, 1) if offer.uses else None,
            max_uses_per_user=offer.uses_each,
            uses=uses,
        )

    def _columns(self) -> dict[str, Any]:
        self.moment += TICK
        pk = UUID(id_at(self.moment))
        return {
            "id": pk,
            "organization_id": self.organization_id,
            "created_at": self.moment,
            "updated_at": self.moment,
        }
