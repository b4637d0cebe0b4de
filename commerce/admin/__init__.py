"""The back office of commerce; importing its modules registers their pages."""

from commerce.admin import catalog, orders, terms

__all__ = ["catalog", "orders", "terms"]
