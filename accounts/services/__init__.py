"""Writes of identity: registration, sessions, invitations, passwords, users, roles, settings."""
