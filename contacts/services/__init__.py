"""Writes to companies, contacts and timelines."""
