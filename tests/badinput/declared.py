"""What is declared: the fields of every shape, and of every form in which the back office takes something."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.test import RequestFactory
from django.urls import get_resolver
from rest_framework import serializers

from accounts.models import Organization, User
from crm.admin.base import ReadOnlyAdmin
from crm.api.serializers import Serializer
from crm.core import db
from tests.isolation import factories
from tests.isolation.tenants import Tenant


@dataclass(frozen=True)
class Declared:
    """A field of a shape, under its key."""

    shape: type[Serializer]
    key: str
    field: serializers.Field

    def __str__(self) -> str:
        return f"{self.shape.__module__}.{self.shape.__name__}.{self.key}"


@cache
def declared() -> tuple[Declared, ...]:
    """Every field of every shape of the product, those in lists and in fields that stand for others too."""
    assert get_resolver().url_patterns  # which imports all of them
    return tuple(found for shape in sorted(_below(Serializer), key=str) for found in _fields(shape))


def _below(shape: type[Serializer]) -> set[type[Serializer]]:
    # Without what `cased` makes of them: the same under a surface's keys.
    children = {
        child
        for child in shape.__subclasses__()
        if not child.__module__.startswith("tests.") and child.__name__ != shape.__name__
    }
    return children.union(*map(_below, children))


def _fields(shape: type[Serializer]) -> Iterator[Declared]:
    for key, field in shape().fields.items():
        yield Declared(shape, key, field)
        for inner in (getattr(field, "child", None), getattr(field, "request_schema", None)):
            told = inner() if isinstance(inner, type) else inner
            if isinstance(told, serializers.Field) and not isinstance(told, serializers.BaseSerializer):
                told.read_only = told.read_only or field.read_only
                yield Declared(shape, key, told)


@dataclass(frozen=True)
class Page:
    """A form of the back office, for a new row or for one that is there, or for a row beside it."""

    name: str
    form: type[forms.ModelForm]
    row: models.Model | None

    def refusals(self, field: str, value: Any) -> list[str]:
        """What the form says of a value in a field; of the others' being empty nothing is told here."""
        form = self.form({field: value}, instance=self.row)
        return form.errors.get(field, [])


def pages(tenant: Tenant, operator: str) -> list[Page]:
    """Every form with which an operator makes or changes rows."""
    with db.operator("command"):
        request = RequestFactory().get("/admin/")
        request.user = User.objects.get(email=operator)
        return [page for site in admin.site._registry.values() for page in _pages(site, tenant, request)]


def _pages(site: Any, tenant: Tenant, request: Any) -> Iterator[Page]:
    if isinstance(site, ReadOnlyAdmin):
        return
    name = site.model._meta.label
    row = tenant.organization if site.model is Organization else factories.shared(site.model, tenant)
    for what, obj in (("new", None), ("change", row)):
        yield Page(f"{name} {what}", site.get_form(request, obj, change=obj is not None), obj)
    for inline in site.get_inline_instances(request, row):
        yield Page(f"{name} {inline.model._meta.label}", inline.get_formset(request, row).form, None)
