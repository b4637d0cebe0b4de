"""Promotions, shipping methods and tax rates as resources."""

import django_filters

from commerce.api.serializers.terms import (
    PromotionFieldsSerializer,
    ShippingMethodFieldsSerializer,
    TaxRateFieldsSerializer,
)
from commerce.models import Promotion, ShippingMethod, TaxRate
from commerce.services import promotions, shop_config
from crm.api.filtersets import ContainsFilter, FilterSet
from crm.api.viewsets import ResourceViewSet, Services


class ActiveFilterSet(FilterSet):
    """Filters of promotions, which methods share."""

    search = ContainsFilter("code")
    active = django_filters.BooleanFilter()


class ShippingMethodFilterSet(ActiveFilterSet):
    """Filters of shipping methods."""

    search = ContainsFilter("code", "name")


class TaxRateFilterSet(FilterSet):
    """Filters of tax rates, by code."""

    search = ContainsFilter("name", "country", "state")
    country = django_filters.CharFilter(lookup_expr="iexact")
    state = django_filters.CharFilter(lookup_expr="iexact")


class PromotionViewSet(ResourceViewSet):
    """Promotions."""

    permission_resource = "shop"
    model = Promotion
    verbose_name = "Promotion"
    verbose_name_plural = "promotions"
    serializer_class = PromotionFieldsSerializer
    filterset_class = ActiveFilterSet
    ordering_fields = {
        "created_at": "created_at",
        "code": "code_normalized",
        "starts_at": "starts_at",
        "ends_at": "ends_at",
        "uses": "uses",
    }
    services = Services(
        create=promotions.create_promotion, update=promotions.update_promotion, delete=promotions.delete_promotion
    )


class ShippingMethodViewSet(ResourceViewSet):
    """Shipping methods."""

    permission_resource = "shop"
    model = ShippingMethod
    verbose_name = "Shipping method"
    verbose_name_plural = "shipping_methods"
    serializer_class = ShippingMethodFieldsSerializer
    filterset_class = ShippingMethodFilterSet
    ordering_fields = {"created_at": "created_at", "code": "code_normalized", "name": "name", "price": "price"}
    services = Services(
        create=shop_config.create_shipping_method,
        update=shop_config.update_shipping_method,
        delete=shop_config.delete_shipping_method,
    )


class TaxRateViewSet(ResourceViewSet):
    """Tax rates."""

    permission_resource = "shop"
    model = TaxRate
    verbose_name = "Tax rate"
    verbose_name_plural = "tax_rates"
    serializer_class = TaxRateFieldsSerializer
    filterset_class = TaxRateFilterSet
    ordering_fields = {"created_at": "created_at", "name": "name", "country": "country", "starts_on": "starts_on"}
    services = Services(
        create=shop_config.create_tax_rate, update=shop_config.update_tax_rate, delete=shop_config.delete_tax_rate
    )
