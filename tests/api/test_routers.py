"""Routes that lack what they need stop the start, instead of failing when somebody calls them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from contacts.api.team import TeamContactViewSet
from crm.api.routers import resource, route
from crm.api.viewsets import ApiViewSet, ResourceViewSet, Services


class Undeclared(ApiViewSet):
    def show(self, request): ...


class WithoutRestore(TeamContactViewSet):
    services = Services(create=print, update=print, delete=print)


class WithItsOwn(WithoutRestore):
    def restore(self, request, pk, **kwargs): ...


def test_an_action_without_a_permission_does_not_start():
    with pytest.raises(ImproperlyConfigured, match=r"Undeclared\.show declares no permission"):
        route("undeclared", Undeclared, get="show")


def test_an_action_that_is_not_there_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="has no action rename"):
        route("contacts", TeamContactViewSet, post="rename")


def test_an_action_without_a_service_does_not_start():
    with pytest.raises(ImproperlyConfigured, match=r"WithoutRestore\.restore has no service"):
        resource("contacts", WithoutRestore)

    assert len(resource("contacts", WithoutRestore, restore=False)) == 2
    assert len(resource("contacts", WithItsOwn)) == 3
    assert ResourceViewSet.services == Services()
