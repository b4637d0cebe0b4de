"""Django application of the API's base classes: it brings schema extensions and commands, no tables."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The three API surfaces."""

    name = "crm.api"
    label = "api"
