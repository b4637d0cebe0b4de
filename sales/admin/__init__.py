"""The back office of sales; importing its rooms registers their pages."""

from sales.admin import deals, pipelines

__all__ = ["deals", "pipelines"]
