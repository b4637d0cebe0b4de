"""The back office of commerce; importing its rooms registers their pages."""

from commerce.admin import catalog, orders, terms

__all__ = ["catalog", "orders", "terms"]
