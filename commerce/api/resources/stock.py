"""The stock of a product as a resource: its ledger, and adjustments."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from commerce.api.resources.catalog import OfProduct
from commerce.api.shapes.stock import Adjustment
from commerce.models import MovementType, Product, StockMovement
from commerce.services import stock, variants
from crm.api import filters as filtering
from crm.api.filters import ContainsFilter, Filters
from crm.api.resources import query_of
from crm.api.schema import describes
from crm.api.shapes import Shape
from crm.core.actor import Actor


class MovementFilters(Filters):
    """Filters of a ledger; `variant_id` asks for that of a variant, who may have a stock of its own."""

    search = ContainsFilter("reason")
    variant_id = django_filters.UUIDFilter(method="of_variant")
    type = django_filters.ChoiceFilter(choices=MovementType.choices)

    def of_variant(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """Leave the rows to the ledger, which begins with the right stock."""
        return rows


class Ledger(OfProduct):
    """The movements of a product's stock, newest first."""

    resource = "stock"
    model = StockMovement
    noun = "Movement"
    plural = "movements"
    filters = MovementFilters
    body_shape = Adjustment
    product_shape: ClassVar[type[Shape]]

    def rows(self, actor: Actor) -> QuerySet[StockMovement]:
        """Return the ledger that the address and `variant_id` name."""
        asked = filtering.clean(MovementFilters, self.filters_asked())
        variant = variants.variant_of(actor, self.product, asked.get("variant_id"))
        stock_id = stock.sold_from(self.product, variant)
        rows: QuerySet[StockMovement] = StockMovement.objects.visible_to(actor).filter(stock_id=stock_id)
        return rows

    @describes(answer="product_shape", adds={"movement": "shape"}, status=200, errors=(409,))
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Change the stock: one movement. Answers with the product as it now stands, and the movement."""
        product, given = self.product, self.read()
        variant = variants.variant_of(self.actor, product, given.pop("variant_id", None))
        made = stock.adjust_stock(self.actor, product, variant=variant, **given)
        movement = query_of(StockMovement, self.shape).one(
            self.actor, StockMovement.objects.of, made.pk, cache_key="made"
        )
        shown = query_of(Product, self.product_shape).one(
            self.actor, Product.objects.of, product.pk, cache_key="adjusted"
        )
        return self.answer({**(shown or {}), "movement": movement})
