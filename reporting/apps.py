"""Django application: dashboards."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """What is read across all other apps; it stores nothing."""

    name = "reporting"
