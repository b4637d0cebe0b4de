"""Two organizations for each test: `ours`, whose people ask, and `theirs`, of which no answer may tell anything."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from crm.api.viewsets import ApiViewSet
from tests.isolation import evidence, factories, request_bodies, tenants
from tests.isolation.calls import Persona, ask, values_for
from tests.isolation.routes import routes
from tests.isolation.tenants import Tenant


@pytest.fixture
def ours() -> Tenant:
    """The organization whose people ask."""
    return tenants.found("OURS")


@pytest.fixture
def theirs() -> Tenant:
    """Another organization: a row in every table, a canary in every text."""
    tenant = tenants.found("CANARY-B")
    factories.furnish(tenant)
    evidence.spread_canaries(tenant)
    return tenant


@pytest.fixture(scope="session")
def seen(_database_access: None) -> Iterator[None]:
    """Ask every route once as an owner, and note which shapes it reads and which query parameters it looks at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.RATE_LIMITS", False)
        tenant = tenants.found("SEEN")
        validate, get = ApiViewSet.validate, QueryDict.get
        at: list[Any] = [None]

        def noting_validate(self: ApiViewSet, serializer: Any = None, *, partial: bool = False) -> dict[str, Any]:
            declared = serializer or self.get_input_serializer_class()
            request_bodies.SEEN[type(self), self.action] = self.surface.serializer(declared)
            return validate(self, serializer, partial=partial)

        def noting_get(self: QueryDict, key: str, default: Any = None) -> Any:
            if at[0] is not None:
                request_bodies.PARAMETERS_SEEN.setdefault((at[0].view, at[0].action), set()).add(key)
            return get(self, key, default)

        patch.setattr(ApiViewSet, "validate", noting_validate)
        patch.setattr(QueryDict, "get", noting_get)
        owner = Persona("owner", tenant, tenant.person("owner"))
        for route in routes():
            asker = Persona("anonymous", tenant) if route.is_public else owner
            at[0] = route if route.is_read else None
            ask(route, asker, values_for(route, tenant, owner.user, fresh=not route.is_read), {}, query="seen=1")
    return
