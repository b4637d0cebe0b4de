"""A process remembers who a session last let act, and asks anew each time: what it remembers never shows.

Each test reads twice as somebody, so that they are known, changes what they may, and reads again.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from accounts.models import Organization, Role, User, UserRole
from accounts.services import sessions, shops
from contacts.models import Contact
from contacts.services import contacts
from crm.api.viewsets import ApiViewSet
from crm.core import tokens
from crm.core.actor import Actor
from crm.core.db.backend.base import DatabaseWrapper
from tests.conftest import Tenant
from tests.core.test_tenancy import asked, terminate
from tests.support.clients import ApiClient, codes

Clients = Callable[..., ApiClient]


@pytest.fixture
def full(acme: Tenant) -> Tenant:
    """An organization with a contact of the manager's and one of staff's."""
    for role in ("manager", "staff"):
        with acme.inside():
            contacts.create_contact(acme.actor(role), first_name=f"Of {role}")
    return acme


def names(client: ApiClient) -> list[str]:
    response = client.get("contacts")
    assert response.status_code == 200, response.content
    found = sorted(row["firstName"] for row in response.json()["data"]["contacts"])
    return [name for name in found if name.startswith("Of ")]


def known(client: ApiClient) -> Actor | None:
    claims = tokens.verify(client.token)
    return sessions._actors.cached((claims.session_id, claims.user_id, claims.organization_id))


def give(tenant_: Tenant, user: User, role: str) -> None:
    """Give a user one role instead of those it has."""
    with tenant_.inside():
        UserRole.objects.of(tenant_.id).filter(user=user).delete()
        found = Role.objects.of(tenant_.id).get(name=role, is_built_in=True)
        UserRole.objects.create(organization_id=tenant_.id, user=user, role=found)


def test_who_is_known_is_not_looked_up_before_the_work(full: Tenant, client_for: Clients, messages: Any) -> None:
    client = client_for(full.manager)
    messages()
    assert (names(client), messages()) == (["Of manager", "Of staff"], 2)

    assert (names(client), messages()) == (["Of manager", "Of staff"], 1)


def test_who_sees_less_is_shown_less(full: Tenant, client_for: Clients) -> None:
    client = client_for(full.manager)
    for _ in range(2):
        assert names(client) == ["Of manager", "Of staff"]

    give(full, full.manager, "staff")

    for _ in range(2):
        assert names(client) == ["Of manager"]


def test_who_may_no_longer_is_refused(full: Tenant, client_for: Clients) -> None:
    client = client_for(full.manager)
    names(client)

    give(full, full.manager, "customer")

    assert [client.get("contacts").status_code for _ in range(2)] == [403, 403]


def test_who_was_refused_and_now_may_is_let_in(full: Tenant, client_for: Clients) -> None:
    client = client_for(full.customer)
    assert [client.get("contacts").status_code for _ in range(2)] == [403, 403]

    give(full, full.customer, "manager")

    for _ in range(2):
        assert names(client) == ["Of manager", "Of staff"]


def test_what_was_missing_and_now_may_be_seen_is_found(full: Tenant, client_for: Clients) -> None:
    with full.inside():
        theirs = Contact.objects.of(full.id).get(first_name="Of manager")
    client = client_for(full.staff)
    assert [client.get(f"contacts/{theirs.pk}").status_code for _ in range(2)] == [404, 404]

    give(full, full.staff, "manager")

    assert client.get(f"contacts/{theirs.pk}").json()["data"]["firstName"] == "Of manager"


@pytest.mark.parametrize("end", ["signed out", "user inactive", "organization inactive", "session gone"])
def test_who_has_gone_is_shown_nothing(end: str, full: Tenant, client_for: Clients) -> None:
    client = client_for(full.manager)
    for _ in range(2):
        names(client)
    assert known(client)

    if end == "signed out":
        assert client.post("auth/logout").status_code in {200, 204}
    else:
        with full.inside():
            {
                "user inactive": lambda: User.objects.of(full.id).filter(pk=full.manager.pk).update(is_active=False),
                "organization inactive": lambda: Organization.objects.filter(pk=full.id).update(is_active=False),
                "session gone": lambda: sessions.end_sessions(full.actor("owner"), full.manager, reason="removed"),
            }[end]()

    response = client.get("contacts")
    assert response.status_code == 401
    assert b"Of manager" not in response.content


def test_a_timeline_cached_for_one_actor_is_not_shown_to_the_next(full: Tenant, client_for: Clients) -> None:
    """A view keeps what it has found on the way: a second attempt must not find it there."""
    with full.inside():
        theirs = Contact.objects.of(full.id).get(first_name="Of staff")
    client = client_for(full.manager)
    for _ in range(2):
        assert client.get(f"contacts/{theirs.pk}/timeline").status_code == 200

    give(full, full.manager, "staff")

    assert client.get(f"contacts/{theirs.pk}/timeline").status_code == 404


@pytest.mark.parametrize("path", ["contacts", "contacts/{pk}/timeline"], ids=["statement first", "orm first"])
class TestWithoutTheDatabase:
    """Where the database cannot tell who asks, that is the answer: not that the session has ended."""

    @pytest.fixture
    def client(self, path: str, full: Tenant, client_for: Clients) -> ApiClient:
        """A known client."""
        client = client_for(full.manager)
        for _ in range(2):
            names(client)
        return client

    @pytest.fixture
    def address(self, path: str, full: Tenant) -> str:
        """The path, of a contact that is there."""
        with full.inside():
            return path.format(pk=Contact.objects.of(full.id).earliest("created_at").pk)

    def test_a_lock_on_who_asks_is_a_conflict(self, client: ApiClient, address: str) -> None:
        """As a migration holds it."""
        asked("SELECT set_config('lock_timeout', '200ms', false)")
        with transaction.atomic(using="owner"):
            connections["owner"].cursor().execute("LOCK TABLE accounts_user")

            assert codes(client.get(address)) == (409, "CONFLICT")
            assert codes(client.post("contacts", {"firstName": "Late"})) == (409, "CONFLICT")

        assert client.get(address).status_code == 200
        connection.close()

    def test_a_server_that_is_not_up_yet_is_unavailable(
        self, client: ApiClient, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It refuses the first who comes, and takes the second."""
        connect, refused = DatabaseWrapper.get_new_connection, []

        def starting_up(self: Any, *args: Any) -> Any:
            if not refused:
                refused.append(self)
                raise psycopg.OperationalError("the database system is starting up")
            return connect(self, *args)

        terminate(asked("SELECT pg_backend_pid()"))
        monkeypatch.setattr(DatabaseWrapper, "get_new_connection", starting_up)

        assert codes(client.get(address)) == (503, "SERVICE_UNAVAILABLE")
        assert client.get(address).status_code == 200


def test_a_get_cannot_write(full: Tenant, client_for: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the code would: here a list that renames what it lists."""
    from contacts.api.team import TeamContactViewSet

    def renaming(self: Any, request: Any, **kwargs: Any) -> Any:
        Contact.objects.of(self.actor).update(first_name="Renamed")
        return self.respond({})

    monkeypatch.setattr(TeamContactViewSet, "list", renaming)
    client = client_for(full.manager)

    for _ in range(2):
        assert client.get("contacts").status_code == 500
    with full.inside():
        assert not Contact.objects.of(full.id).filter(first_name="Renamed").exists()


def test_the_control_without_asking_anew_the_old_rights_would_go_on(
    full: Tenant, client_for: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiViewSet, "run_read_only", lambda view, check: view.run(check.cached or check.load()))
    client = client_for(full.manager)
    names(client)

    give(full, full.manager, "staff")

    assert names(client) == ["Of manager", "Of staff"]


class TestShops:
    """Whose shop an address leads to is remembered the same way."""

    @pytest.fixture
    def two(self, acme: Tenant, other: Tenant, client_for: Clients) -> dict[str, Tenant]:
        """Two shops with a product each, the first one known to the process."""
        for name, shop in (("Lamp", acme), ("Chair", other)):
            made = client_for(shop.manager, "platform").post("products", {"name": name, "price": 10})
            assert made.status_code == 201
        for _ in range(2):
            assert self.names(acme.slug) == ["Lamp"]
        return {"acme": acme, "other": other}

    @staticmethod
    def names(slug: str) -> Any:
        response = ApiClient("storefront", shop=slug).get("catalog/products")
        return [row["name"] for row in response.json()["data"]] if response.status_code == 200 else response.status_code

    def test_a_known_shop_is_asked_by_one_message(self, two: dict[str, Tenant], messages: Any) -> None:
        messages()
        assert self.names(two["acme"].slug) == ["Lamp"]
        assert messages() == 1

    @pytest.mark.parametrize("change", [{"shop_enabled": False}, {"is_active": False}])
    def test_a_shop_that_has_closed_shows_nothing(self, change: dict[str, bool], two: dict[str, Tenant]) -> None:
        with two["acme"].inside():
            Organization.objects.filter(pk=two["acme"].id).update(**change)

        assert [self.names(two["acme"].slug) for _ in range(2)] == [404, 404]

    def test_an_address_that_another_shop_has_taken_leads_there(self, two: dict[str, Tenant]) -> None:
        slug = two["acme"].slug
        for name, new in (("acme", f"{slug}-moved"), ("other", slug)):
            with two[name].inside():
                Organization.objects.filter(pk=two[name].id).update(slug=new)

        for _ in range(2):
            assert self.names(slug) == ["Chair"]
            assert self.names(f"{slug}-moved") == ["Lamp"]

    def test_another_currency_is_shown_at_once(self, two: dict[str, Tenant]) -> None:
        with two["acme"].inside():
            Organization.objects.filter(pk=two["acme"].id).update(currency="EUR")

        with shops.enter_read_only(two["acme"].slug) as check:
            assert (check.cached.currency, check.load().currency) == ("USD", "EUR")
