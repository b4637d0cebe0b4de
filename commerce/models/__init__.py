"""Tables of commerce: catalog, stock, the shop's terms, carts, orders."""

from commerce.models.carts import Cart, CartItem
from commerce.models.catalog import Brand, Category, Product, ProductStatus, Variant
from commerce.models.orders import Order, OrderItem, OrderStatus
from commerce.models.stock import MovementType, StockItem, StockMovement
from commerce.models.terms import Promotion, PromotionType, PromotionUse, ShippingMethod, TaxRate

__all__ = [
    "Brand",
    "Cart",
    "CartItem",
    "Category",
    "MovementType",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Product",
    "ProductStatus",
    "Promotion",
    "PromotionType",
    "PromotionUse",
    "ShippingMethod",
    "StockItem",
    "StockMovement",
    "TaxRate",
    "Variant",
]
