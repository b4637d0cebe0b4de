"""Django application: catalog, stock, carts, pricing and orders."""

from django.apps import AppConfig


class CommerceConfig(AppConfig):
    """What is sold, how much of it there is, what it costs, and who ordered it."""

    name = "commerce"
