"""The pages that people see in a browser: each has a Content-Security-Policy, and does nothing that it forbids."""

import re

import pytest
from django.contrib import admin
from django.test import Client

from commerce.models import Product, Variant
from crm.core import clock
from tests.isolation import factories, tenants

INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)
DATA_BLOCK = re.compile(r"""<script[^>]*type=["'](application/json|text/template)["'][^>]*>""", re.IGNORECASE)
FROM_ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe|form)[^>]*(?:src|href|action)=["'](?:https?:)?//""")


def policy_of(response):
    return dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))


def admin_pages(browser):
    """Every list, every form that adds, and the first row's form, deletion and history of each."""
    pages = ["/admin/", "/admin/password_change/"]
    for model in admin.site._registry:
        listing = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        text = browser.get(listing).content.decode()
        first = re.search(rf'href="({re.escape(listing)}[^/"?]+/)change/', text)
        pages += [listing, f"{listing}add/"]
        pages += [f"{first[1]}{page}/" for page in ("change", "delete", "history")] if first else []
    return pages


def test_no_page_of_the_admin_does_what_its_policy_forbids(back_office, acme, client_for):
    client_for(acme.owner).post("contacts", {"firstName": "Ada", "company": "Engines"})
    opened = {}
    for page in admin_pages(back_office):
        response = back_office.get(page)
        assert response.status_code in {200, 302, 403}, page
        opened[page] = response.status_code
        policy = policy_of(response)
        assert policy["default-src"] == "'none'", page
        assert policy["frame-ancestors"] == "'none'", page
        assert policy["script-src"] == "'self' 'unsafe-eval'", page
        text = DATA_BLOCK.sub("", response.content.decode())
        assert [*INLINE.findall(text), *FROM_ELSEWHERE.findall(text)] == [], page

    assert list(opened.values()).count(200) > 40


def with_deletion():
    return [model for model in admin.site._registry if any(field.name == "deleted_at" for field in model._meta.fields)]


@pytest.mark.parametrize("model", with_deletion(), ids=lambda model: model._meta.label)
def test_the_page_of_a_deleted_row_opens(back_office, model):
    tenant = tenants.found("DELETED")
    row = factories.make(model, tenant, tenant.person("staff"), deleted_at=clock.now())
    if model is Product:
        factories.make(Variant, tenant, product=row)

    page = back_office.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/")

    assert page.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "script"),
    [
        ("/admin/login/", 200, "'self' 'unsafe-eval'"),
        ("/admin/nothing/", 302, "'self' 'unsafe-eval'"),
        ("/api-docs", 200, "'self'"),
        ("/api-docs/team.json", 200, None),
        ("/health", 200, None),
        ("/nothing", 404, None),
        ("/static/core/favicon.svg", 200, None),
    ],
)
def test_every_page_has_the_narrowest_policy_that_it_works_under(path, status, script):
    response = Client(raise_request_exception=False).get(path)

    policy = policy_of(response)
    assert response.status_code == status
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy.get("script-src") == script


@pytest.mark.parametrize(
    "path", ["/api/contacts", "/api/v1/ping", "/api/nothing", "/shop/nothing/api/v1/catalog/brands"]
)
def test_answers_of_the_apis_may_do_nothing_in_a_browser(path):
    assert Client().get(path)["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_foreign_host_s_page_has_a_policy_too():
    response = Client(raise_request_exception=False).get("/admin/login/", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert policy_of(response)["default-src"] == "'none'"
