"""Django application: organizations and the people in them."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, users, roles, sessions, invitations and settings."""

    name = "accounts"
