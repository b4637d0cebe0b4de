"""No cache keeps what a signed-in request or a token was answered with. Every route is walked, as everybody."""

from typing import Any
from uuid import uuid4

import pytest

from tests.accounts.test_google import consent
from tests.conftest import PASSWORD
from tests.isolation.calls import Persona, ask, body_for, turned_away, values_for
from tests.isolation.routes import Route, routes
from tests.isolation.tenants import Tenant
from tests.support.clients import ApiClient
from tests.support.oauth_server import OAuthServer

TOKENS = ("access_token", "refresh_token", "accessToken", "refreshToken", "token")
# What may be kept: a shop's catalog, which is the same for everybody.
SHARED = {
    "storefront GET catalog/brands",
    "storefront GET catalog/categories",
    "storefront GET catalog/products",
    "storefront GET catalog/products/<uuid:pk>",
    "storefront GET catalog/products/category/<uuid:pk>",
}


def walked(tenant: Tenant, persona: Persona) -> list[tuple[Route, Any]]:
    """Every route asked by somebody, with the answers; signing out comes last of all."""
    ordered = sorted(routes(), key=lambda route: route.action in {"logout", "destroy"})
    return [
        (
            route,
            ask(
                route,
                persona,
                values_for(route, tenant, persona.user, fresh=not route.is_read),
                body_for(route, tenant),
            ),
        )
        for route in ordered
    ]


@pytest.mark.parametrize("name", ["owner", "customer"])
def test_no_answer_to_a_signed_in_request_is_kept(name: str, ours: Tenant, seen: None) -> None:
    answers = walked(ours, Persona(name, ours, ours.person(name)))

    kept = {f"{route}: {answer.get('Cache-Control')}" for route, answer in answers if not is_unkept(answer)}
    assert kept == set()
    if name == "owner":
        assert sum(answer.status_code < 300 for _, answer in answers) > 120


def test_no_answer_to_anybody_is_kept_but_the_catalog(ours: Tenant, seen: None) -> None:
    answers = walked(ours, Persona("anonymous", ours))

    assert {str(route) for route, answer in answers if not is_unkept(answer)} == SHARED
    for route, answer in answers:
        if str(route) in SHARED:
            assert (answer.status_code, answer["Cache-Control"]) == (200, "public")
            assert {part.strip() for part in answer["Vary"].split(",")} == {"origin", "Authorization"}
        assert not (str(route) in SHARED and holds_a_token(answer)), route


def test_no_refusal_is_kept(ours: Tenant, seen: None) -> None:
    for persona in turned_away(ours)[1:]:
        kept = [str(route) for route, answer in walked(ours, persona) if not is_unkept(answer)]
        assert kept == [], persona.name
    for path in ("nothing", "contacts/", "", "auth/login"):
        for client in (ApiClient("team"), ApiClient("platform"), ApiClient("storefront", shop=ours.slug)):
            assert is_unkept(client.get(path))


def test_no_answer_with_a_token_is_kept(ours: Tenant, settings: Any) -> None:
    owner, slug = ours.person("owner"), ours.slug
    team, platform, shop = ApiClient("team"), ApiClient("platform"), ApiClient("storefront", shop=slug)
    login = {"email": owner.email, "password": PASSWORD}
    set_password(owner)
    registration = {"password": PASSWORD, "full_name": "Olga Owner", "company_name": f"Kept {uuid4().hex[:8]}"}
    answers = {
        "team login": team.post("auth/login", login),
        "platform login": platform.post("auth/login", login),
        "platform register": platform.post("auth/register", registration | {"email": f"{uuid4().hex}@example.com"}),
        "shop register": shop.post("auth/register", shopper()),
        "google": google_callback(shop, settings),
    }
    refresh = answers["platform login"].json()["refresh_token"]
    answers["platform refresh"] = platform.post("auth/refresh", {"refresh_token": refresh})

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code >= 300} == {}
    assert [name for name, answer in answers.items() if not holds_a_token(answer)] == []
    assert [name for name, answer in answers.items() if not is_unkept(answer)] == []


def is_unkept(answer: Any) -> bool:
    return answer.get("Cache-Control") == "no-store"


def holds_a_token(answer: Any) -> bool:
    return any(f'"{name}":'.encode() in answer.content for name in TOKENS)


def set_password(user: Any) -> None:
    from accounts.models import User
    from crm.core import db
    from tests.conftest import password_hash

    with db.tenant(user.organization_id):
        User.objects.filter(pk=user.pk).update(password=password_hash())


def shopper() -> dict[str, str]:
    return {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "first_name": "Sam", "last_name": "Shopper"}


def google_callback(shop: ApiClient, settings: Any) -> Any:
    with OAuthServer() as server:
        settings.GOOGLE = server.settings
        server.claims = {"email": f"{uuid4().hex}@gmail.com", "given_name": "Ada", "family_name": "Lovelace"}
        return shop.get("auth/google/callback", **consent(shop.get("auth/google").json()["data"]["url"]))
