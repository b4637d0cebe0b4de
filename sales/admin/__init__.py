"""The back office of sales; importing its rooms registers their pages."""

from sales.admin import activities, deals, pipelines

__all__ = ["activities", "deals", "pipelines"]
