"""The back office of sales; importing its modules registers their pages."""

from sales.admin import activities, deals, pipelines

__all__ = ["activities", "deals", "pipelines"]
