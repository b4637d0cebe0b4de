"""Pipelines on the Platform surface."""

from typing import Any

urlpatterns: list[Any] = []
