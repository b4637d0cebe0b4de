"""Puts invented orders, and the ledger that follows from them, into rows with their events."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any
from uuid import UUID

from accounts.models import User
from commerce.demo.ledger import Movement, played
from commerce.demo.selling import CANCELLED, InventedOrder
from commerce.demo.shelving import Catalog, Terms
from commerce.models import MovementType, Order, OrderItem, PromotionUse, StockMovement
from commerce.services import orders, stock
from commerce.services.sellables import Sellable
from contacts.demo.chapters import Telling
from contacts.demo.copying import Row, batches, id_at, insert, row_of
from contacts.demo.telling import Chronicle
from contacts.models import Contact
from crm.core.db import tenant
from crm.core.models import Event

BATCH = 2000
LOW_EACH, SOLD_OUT = 13, 29  # of so many stock items one is low in the end; this one is empty


class Books:
    """The orders of an organization: who buys stands in `customers` and `shoppers`, as the invention counts them."""

    def __init__(
        self,
        telling: Telling,
        catalog: Catalog,
        invented: Sequence[InventedOrder],
        *,
        customers: Sequence[Contact],
        shoppers: Sequence[Contact],
    ) -> None:
        self.telling, self.organization_id = telling, telling.organization_id
        self.catalog, self.invented = catalog, invented
        self.chronicle = Chronicle(telling.organization_id.hex)
        self.workers: Mapping[UUID | None, User] = {worker.pk: worker for worker in telling.workers}
        chance = Random(f"numbers {telling.seed}")
        numbers = chance.sample(range(10**8), len(invented))
        self.orders: list[Order] = []
        for one, number in zip(invented, numbers, strict=True):
            customer = (shoppers if one.is_shop else customers)[one.customer]
            self.orders.append(self._order(one, customer, f"ORD-{number:08}"))
        self.movements = list(self._movements(chance))

    @property
    def uses(self) -> Counter[str]:
        """Return how often each promotion is used by orders that were not cancelled."""
        return Counter(code for one in self.invented if one.status != CANCELLED for code in one.codes)

    def write(self, terms: Terms) -> None:
        """Insert orders, their uses of promotions, and the ledger, each with its events."""
        for batch in batches(zip(self.invented, self.orders, strict=True), BATCH):
            with tenant(self.organization_id):
                insert(Order, [row_of(order) for _, order in batch])
                insert(OrderItem, [row_of(item) for one in batch for item in self._items(*one)])
                insert(PromotionUse, [row_of(use) for one in batch for use in self._redemptions(terms, *one)])
                insert(Event, [event for one in batch for event in self._order_events(*one)])
        for moved in batches(self.movements, BATCH):
            with tenant(self.organization_id):
                insert(StockMovement, [row_of(self._movement(movement)) for movement in moved])
                insert(Event, [event for movement in moved for event in self._movement_events(movement)])

    # --- Orders

    def _order(self, one: InventedOrder, customer: Contact, number: str) -> Order:
        place, last = one.place, one.changes[-1].at if one.changes else one.created_at
        if one.is_shop:
            address = {
                "first_name": customer.first_name,
                "last_name": customer.last_name,
                "company": "",
                "address1": place.street,
                "address2": "",
                "city": place.city,
                "state": place.state,
                "postal_code": place.code,
                "country": place.country,
                "phone_number": customer.phone,
            }
        else:
            address = {
                "street": place.street,
                "city": place.city,
                "state": place.state,
                "zip": place.code,
                "country": place.country,
            }
        return Order(
            id=UUID(id_at(one.created_at)),
            organization_id=self.organization_id,
            order_number=number,
            status=one.status,
            customer=customer,
            user_id=customer.user_id,
            created_by=None if one.is_shop else self._worker(customer),
            **orders.amounts(one.quote),
            shipping_address=address,
            billing_address=address,
            shipping_method=one.shipping,
            promotion_codes=one.codes,
            payment_method="pm_demo" if one.is_shop else "",
            tracking_number=next((change.tracking_number for change in one.changes if change.tracking_number), ""),
            notes=one.notes,
            stock_returned_at=next((change.at for change in one.changes if self._gives_back(change)), None),
            created_at=one.created_at,
            updated_at=last,
        )

    def _worker(self, customer: Contact) -> User:
        return self.workers.get(customer.owner_id, self.telling.workers[0])

    def _gives_back(self, change: Any) -> bool:
        return change.restock or change.status == CANCELLED

    def _items(self, one: InventedOrder, order: Order) -> Iterator[OrderItem]:
        lines = []
        for choice, line in zip(one.choices, one.lines, strict=True):
            product = self.catalog.products[choice.product]
            variant = None if choice.variant is None else self.catalog.variants[choice.product][choice.variant]
            goods = Sellable(line.sku, line.name, line.unit_price, order.currency, "", line.quantity, is_sold=True)
            chosen = variant.attributes if variant else {}
            variant_id = variant.pk if variant else None
            lines.append(orders.OrderLine(product.pk, variant_id, goods, line.quantity, line.unit_price, chosen))
        for item in orders.items_of(order, lines, one.quote):
            item.id = UUID(id_at(one.created_at))
            yield item

    def _redemptions(self, terms: Terms, one: InventedOrder, order: Order) -> Iterator[PromotionUse]:
        for code in one.codes:
            yield PromotionUse(
                id=UUID(id_at(one.created_at)),
                organization_id=self.organization_id,
                promotion=terms.promotions[code],
                order=order,
                customer=order.customer,
                created_at=one.created_at,
                returned_at=one.changes[-1].at if one.status == CANCELLED else None,
            )

    def _order_events(self, one: InventedOrder, order: Order) -> Iterator[Row]:
        """Tell of the order from its beginning on: its status is what it was at each time."""
        actor_id = order.created_by_id or order.user_id
        order.status, number = "pending", order.tracking_number
        details = orders.event_data(order, order.customer)
        yield self.chronicle.event("order.created", order, one.created_at, actor_id=actor_id, **details)
        order.tracking_number = ""
        for change in one.changes:
            changes = {"status": {"from": order.status, "to": change.status}}
            if change.tracking_number:
                changes["tracking_number"] = {"from": "", "to": number}
            order.status = change.status
            details = orders.status_event_data(order, changes, change.note)
            at, worker = change.at, self._worker(order.customer)
            yield self.chronicle.event("order.status_changed", order, at, actor_id=worker.pk, **details)
        order.tracking_number = number

    # --- Stock

    def _movements(self, chance: Random) -> Iterator[Movement]:
        """Play the ledger, and let the balances be what it ends with."""
        items, stocks = self.catalog.items, self.catalog.stocks
        counted = {
            at: 0 if at == SOLD_OUT else chance.randrange(1, stocks[at].reorder_level)
            for at in range(len(stocks))
            if at == SOLD_OUT or at % LOW_EACH == LOW_EACH - 1
        }
        wishes = [*self._openings(), *self._trades()]
        for movement in played(self.telling.seed, stocks, wishes, today=self.telling.today, counted=counted):
            items[movement.stock].quantity, items[movement.stock].updated_at = movement.balance, movement.at
            yield movement

    def _openings(self) -> Iterator[Movement]:
        for at, (item, invented) in enumerate(zip(self.catalog.items, self.catalog.stocks, strict=True)):
            yield Movement(at, item.updated_at, invented.opening, MovementType.RESTOCK, reason=stock.OPENING)

    def _trades(self) -> Iterator[Movement]:
        """Yield what orders took out, all of one stock in one piece, and what came back."""
        for at, (one, order) in enumerate(zip(self.invented, self.orders, strict=True)):
            wanted: Counter[int] = Counter()
            for choice, line in zip(one.choices, one.lines, strict=True):
                wanted[self.catalog.stock_item_id(choice)] += line.quantity
            for item, units in wanted.items():
                yield Movement(item, one.created_at, -units, MovementType.SALE, at, order.order_number)
                if order.stock_returned_at:
                    yield Movement(item, order.stock_returned_at, units, MovementType.RETURN, at, order.order_number)

    def _movement(self, movement: Movement) -> StockMovement:
        order = None if movement.order is None else self.orders[movement.order]
        product, _ = self.catalog.sellers[movement.stock]
        cost = product.cost if movement.type == MovementType.RESTOCK else None
        return StockMovement(
            id=UUID(id_at(movement.at)),
            organization_id=self.organization_id,
            stock=self.catalog.items[movement.stock],
            change=movement.change,
            balance=movement.balance,
            type=movement.type,
            reason=movement.reason,
            cost_per_unit=cost,
            currency="" if cost is None else product.currency,
            reference_type="order" if order else "",
            reference_id=order.pk if order else None,
            created_by_id=self._mover(order),
            created_at=movement.at,
        )

    def _mover(self, order: Order | None) -> UUID | None:
        if order is None:
            return self.catalog.maker.pk
        return order.created_by_id or order.user_id

    def _movement_events(self, movement: Movement) -> Iterator[Row]:
        product, variant = self.catalog.sellers[movement.stock]
        order = None if movement.order is None else self.orders[movement.order]
        row, actor_id, at = self._movement(movement), self._mover(order), movement.at
        if order is None and movement.reason != stock.OPENING:
            details = stock.adjustment_story(product, variant, row)
            yield self.chronicle.event("product.stock_adjusted", product, at, actor_id=actor_id, **details)
        if movement.balance <= row.stock.reorder_level < movement.before:
            low = stock.low_story(product, variant, movement.balance, row.stock.reorder_level)
            yield self.chronicle.event("product.stock_low", product, at, actor_id=actor_id, **low)
