"""The stock of a product as a resource: its ledger, and adjustments."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse

from commerce.api.serializers.stock import AdjustmentSerializer
from commerce.api.viewsets.catalog import ProductChildViewSet
from commerce.models import MovementType, Product, StockMovement
from commerce.services import stock, variants
from crm.api import filtersets as filtering
from crm.api.filtersets import ContainsFilter, FilterSet
from crm.api.schema import extend_schema
from crm.api.serializers import Serializer
from crm.core.actor import Actor


class MovementFilterSet(FilterSet):
    """Filters of a ledger; `variant_id` asks for that of a variant, who may have a stock of its own."""

    search = ContainsFilter("reason")
    variant_id = django_filters.UUIDFilter(method="of_variant")
    type = django_filters.ChoiceFilter(choices=MovementType.choices)

    def of_variant(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """Leave the rows to the ledger, which begins with the right stock."""
        return rows


class StockMovementViewSet(ProductChildViewSet):
    """The movements of a product's stock, newest first."""

    permission_resource = "stock"
    model = StockMovement
    verbose_name = "Movement"
    verbose_name_plural = "movements"
    filterset_class = MovementFilterSet
    input_serializer_class = AdjustmentSerializer
    product_serializer_class: ClassVar[type[Serializer]]

    def get_queryset(self, actor: Actor) -> QuerySet[StockMovement]:
        """Return the ledger that the address and `variant_id` name."""
        requested = filtering.clean(MovementFilterSet, self.get_filter_data())
        variant = variants.variant_of(actor, self.product, requested.get("variant_id"))
        stock_id = stock.stock_item_id(self.product, variant)
        rows: QuerySet[StockMovement] = StockMovement.objects.visible_to(actor).filter(stock_id=stock_id)
        return rows

    @extend_schema(
        response="product_serializer_class", extra={"movement": "serializer_class"}, status=200, error_statuses=(409,)
    )
    def create(self, request: Any, **kwargs: Any) -> HttpResponse:
        """Change the stock: one movement. Answers with the product as it now stands, and the movement."""
        product, given = self.product, self.validate()
        variant = variants.variant_of(self.actor, product, given.pop("variant_id", None))
        made = stock.adjust_stock(self.actor, product, variant=variant, **given)
        movement = self.query(self.serializer_class, StockMovement).one(
            self.actor, StockMovement.objects.of, made.pk, cache_key="made"
        )
        shown = self.query(self.product_serializer_class, Product).one(
            self.actor, Product.objects.of, product.pk, cache_key="adjusted"
        )
        return self.respond({**(shown or {}), "movement": movement})
