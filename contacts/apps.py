"""Django application: companies, contacts and their timelines."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Companies and contacts (customers and shoppers are contacts too)."""

    name = "contacts"
