"""The back office of commerce; importing its rooms registers their pages."""

from commerce.admin import terms

__all__ = ["terms"]
