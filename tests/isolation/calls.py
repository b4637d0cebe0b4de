"""Requests: who asks (personas), for what (a route with ids), over the real URLs."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken as JwtRefreshToken

from accounts.models import RefreshToken, User, UserRole
from crm.core import clock, tokens
from tests.isolation import factories, request_bodies
from tests.isolation.routes import Route
from tests.isolation.tenants import Tenant

MEMBERS = ("owner", "manager", "staff", "staff_other", "customer_experience", "viewer", "customer")
_client = Client(raise_request_exception=False)


@dataclass
class Persona:
    """Somebody who asks: a user of an organization, or the text that stands where a token should."""

    name: str
    tenant: Tenant
    user: User | None = None
    raw: str | None = None

    def header(self) -> dict[str, str]:
        """The Authorization header."""
        if self.user is not None and self.raw is None:
            self.raw = self.tenant.token(self.user)
        return {} if self.raw is None else {"HTTP_AUTHORIZATION": f"Bearer {self.raw}"}

    def sign_in_again(self) -> None:
        """After a change that may have ended the session: the next call of a user is made in a new one."""
        if self.user is not None:
            self.raw = None


def turned_away(tenant: Tenant) -> list[Persona]:
    """Everybody whom no signed-in route may let in."""
    owner = tenant.person("owner")
    left = tenant.join("left", [tenant.roles["owner"]])
    left_token = tenant.token(left)
    ended = tenant.session(owner)
    ended_token = tokens.issue(
        user_id=owner.pk, session_id=ended.pk, organization_id=tenant.id, lifetime=timedelta(minutes=5)
    )[0]
    session = tenant.session(owner)
    secret = tokens.new_secret()
    with tenant.scope():
        User.objects.filter(pk=left.pk).update(is_active=False)
        type(ended).objects.filter(pk=ended.pk).update(ended_at=clock.now())
        RefreshToken.objects.bulk_create(
            [RefreshToken(organization_id=tenant.id, session=session, token_hash=tokens.digest(secret))]
        )
    refresh = JwtRefreshToken()
    refresh["sub"], refresh["sid"], refresh["org"] = str(owner.pk), str(session.pk), str(tenant.id)
    return [
        Persona("anonymous", tenant),
        Persona("garbage token", tenant, raw="garbage.garbage.garbage"),
        Persona("expired token", tenant, raw=tenant.token(owner, lifetime=timedelta(seconds=-1))),
        Persona("refresh token as access token", tenant, raw=secret),
        Persona("refresh JWT as access token", tenant, raw=str(refresh)),
        Persona("deactivated user's old token", tenant, raw=left_token),
        Persona("ended session's token", tenant, raw=ended_token),
    ]


def demoted(tenant: Tenant, old: str, new: str) -> Persona:
    """A user whose token was issued under another role."""
    user = tenant.join("demoted", [tenant.roles[old]])
    raw = tenant.token(user)
    with tenant.scope():
        UserRole.objects.filter(user=user).update(role=tenant.roles[new])
    return Persona(f"{old} demoted to {new}", tenant, raw=raw)


def values_for(route: Route, tenant: Tenant, owner: User | None = None, *, fresh: bool) -> dict[str, Any]:
    """An id of the organization for each parameter; `fresh` ones may be changed, shared ones are read only."""
    found: dict[str, Any] = {}
    rows: dict[type[Model], Model] = {}
    for parameter in route.parameters:
        if parameter in factories.VALUES:
            found[parameter] = factories.VALUES[parameter](tenant)
            continue
        model = factories.model_of(route, parameter)
        rows[model] = factories.make_within(model, tenant, owner, rows) if fresh else factories.shared(model, tenant)
        found[parameter] = rows[model].pk
    if fresh:
        factories.tie(tenant, list(rows.values()))
    return found


def ask(
    route: Route,
    persona: Persona,
    values: dict[str, Any],
    body: dict[str, Any] | None = None,
    *,
    shop: str | None = None,
    query: str = "",
    method: str | None = None,
) -> HttpResponse:
    """Send the request and return the answer."""
    path = route.path(shop or persona.tenant.slug, values)
    method = method or route.method
    sends = body is not None and method in {"POST", "PUT", "PATCH", "DELETE"}
    response = _client.generic(
        method,
        f"{path}?{query}" if query else path,
        json.dumps(body).encode() if sends else b"",
        content_type="application/json",
        **persona.header(),
    )
    if method not in {"GET", "HEAD"} and response.status_code < 400:
        persona.sign_in_again()
    return response


def body_for(route: Route, tenant: Tenant) -> dict[str, Any] | None:
    """A body that the route accepts."""
    if request_bodies.shape_of(route) is None:
        return None if route.is_read or route.method == "DELETE" else {}
    for parent in route.view.__mro__:
        if (parent.__name__, route.action) in request_bodies.EXAMPLES:
            return request_bodies.EXAMPLES[parent.__name__, route.action](tenant)
    return request_bodies.filled(request_bodies.shape_of(route), tenant, getattr(route.view, "model", None))


def is_json(response: HttpResponse) -> bool:
    """Tell whether the answer is JSON, as every answer under an API base is."""
    return not response.content or response.headers.get("Content-Type", "").startswith("application/json")
