"""Django's admin with our site: `INSTALLED_APPS` names this in the place of `django.contrib.admin`."""

from django.contrib.admin.apps import AdminConfig


class BackOffice(AdminConfig):
    """The admin application."""

    default_site = "accounts.admin_site.site.BackOfficeSite"
