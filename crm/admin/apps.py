"""Django application of the back office's foundation: the kernel's own admin pages, no tables."""

from django.apps import AppConfig


class AdminBaseConfig(AppConfig):
    """What every app's admin builds on."""

    name = "crm.admin"
    label = "admin_base"
