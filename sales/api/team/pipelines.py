"""Pipelines on the Team surface."""

from typing import Any

urlpatterns: list[Any] = []
