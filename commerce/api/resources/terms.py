"""Promotions, shipping methods and tax rates as resources."""

import django_filters

from commerce.api.shapes.terms import PromotionFields, ShippingMethodFields, TaxRateFields
from commerce.models import Promotion, ShippingMethod, TaxRate
from commerce.services import promotions, shipping, taxes
from crm.api.filters import ContainsFilter, Filters
from crm.api.resources import Resource


class ActiveFilters(Filters):
    """Filters of promotions, which methods share."""

    search = ContainsFilter("code")
    active = django_filters.BooleanFilter()


class ShippingMethodFilters(ActiveFilters):
    """Filters of shipping methods."""

    search = ContainsFilter("code", "name")


class TaxRateFilters(Filters):
    """Filters of tax rates, by code."""

    search = ContainsFilter("name", "country", "state")
    country = django_filters.CharFilter(lookup_expr="iexact")
    state = django_filters.CharFilter(lookup_expr="iexact")


class Promotions(Resource):
    """Promotions."""

    resource = "shop"
    model = Promotion
    noun = "Promotion"
    plural = "promotions"
    shape = PromotionFields
    filters = ActiveFilters
    orders = {
        "created_at": "created_at",
        "code": "code_normalized",
        "starts_at": "starts_at",
        "ends_at": "ends_at",
        "uses": "uses",
    }
    creates = promotions.create_promotion
    updates = promotions.update_promotion
    deletes = promotions.delete_promotion


class ShippingMethods(Resource):
    """Shipping methods."""

    resource = "shop"
    model = ShippingMethod
    noun = "Shipping method"
    plural = "shipping_methods"
    shape = ShippingMethodFields
    filters = ShippingMethodFilters
    orders = {"created_at": "created_at", "code": "code_normalized", "name": "name", "price": "price"}
    creates = shipping.create_shipping_method
    updates = shipping.update_shipping_method
    deletes = shipping.delete_shipping_method


class TaxRates(Resource):
    """Tax rates."""

    resource = "shop"
    model = TaxRate
    noun = "Tax rate"
    plural = "tax_rates"
    shape = TaxRateFields
    filters = TaxRateFilters
    orders = {"created_at": "created_at", "name": "name", "country": "country", "starts_on": "starts_on"}
    creates = taxes.create_tax_rate
    updates = taxes.update_tax_rate
    deletes = taxes.delete_tax_rate
