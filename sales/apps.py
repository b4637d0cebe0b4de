"""Django application: pipelines, deals, activities and reminders."""

from django.apps import AppConfig


class SalesConfig(AppConfig):
    """Deals (opportunities) on their pipelines, and activities (tasks among them)."""

    name = "sales"
