"""The three OpenAPI documents: complete, valid, up to date, and served with a page that needs nothing from outside."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

from crm.api import documents
from crm.api.documents import SURFACES, SchemaProblem, document_of
from crm.api.management.commands import export_schemas
from crm.api.schema import DESCRIPTION, STANDARD
from crm.api.viewsets import ResourceViewSet
from tests.isolation.routes import PARAMETER, routes

OPERATIONS = [
    (surface, path, method, told)
    for surface in SURFACES
    for path, methods in document_of(surface)["paths"].items()
    for method, told in methods.items()
]
IDS = [f"{surface} {method} {path}" for surface, path, method, _ in OPERATIONS]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_document_is_valid_openapi(surface):
    validate_schema(document_of(surface))


@pytest.mark.parametrize("surface", SURFACES)
def test_a_document_tells_every_route_of_its_surface_and_no_other(surface):
    served = {
        (route.method, PARAMETER.sub("{}", f"/{route.surface.base}/{route.address}"))
        for route in routes()
        if route.surface.name == surface
    }

    told = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in document_of(surface)["paths"].items()
        for method in methods
    }

    assert told == served


def test_every_action_is_described():
    silent = [
        str(route)
        for route in routes()
        if not hasattr(getattr(route.view, route.action), DESCRIPTION)
        and not (issubclass(route.view, ResourceViewSet) and route.action in STANDARD)
    ]

    assert silent == []


@pytest.mark.parametrize("surface", SURFACES)
def test_operation_ids_are_names_and_each_stands_once(surface):
    ids = [told["operationId"] for name, _, _, told in OPERATIONS if name == surface]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in ids)
    assert not [name for name in ids if re.search(r"_\d+$", name)]


@pytest.mark.parametrize(("surface", "path", "method", "told"), OPERATIONS, ids=IDS)
def test_an_operation_says_what_it_does_and_what_it_answers(surface, path, method, told):
    (success,) = (status for status in told["responses"] if status.startswith("2"))
    assert told["summary"]
    assert told["tags"]
    content = told["responses"][success].get("content")
    assert (content is None) == (success == "204")
    assert content is None or all("schema" in media for media in content.values())
    assert {"400", "503"} <= set(told["responses"])


@pytest.mark.parametrize(("surface", "path", "method", "told"), OPERATIONS, ids=IDS)
def test_an_operation_that_is_not_public_asks_for_the_token(surface, path, method, told):
    is_open = "Open to anybody." in told["description"]

    assert ("security" in told) != is_open
    assert ("401" in told["responses"]) or is_open


@pytest.mark.parametrize("surface", SURFACES)
def test_bodies_name_every_key_they_take(surface):
    schemas = document_of(surface)["components"]["schemas"]

    bodies = {name: schema for name, schema in schemas.items() if name.endswith("Request")}
    assert bodies
    assert [name for name, schema in bodies.items() if schema.get("additionalProperties") is not False] == []


def test_keys_are_in_the_casing_of_the_surface():
    team = document_of("team")["components"]["schemas"]
    snake = document_of("platform")["components"]["schemas"]

    assert [key for schema in team.values() for key in schema.get("properties", {}) if "_" in key] == []
    assert [key for schema in snake.values() for key in schema.get("properties", {}) if key != key.lower()] == []


@pytest.mark.parametrize(
    ("surface", "keys"),
    [("team", {"success", "error"}), ("platform", {"error"}), ("storefront", {"error"})],
)
def test_errors_are_described_in_the_shape_of_the_surface(surface, keys):
    assert set(document_of(surface)["components"]["schemas"]["Error"]["properties"]) == keys


@pytest.mark.parametrize("surface", SURFACES)
def test_a_document_is_served_as_json(surface):
    response = Client().get(f"/api-docs/{surface}.json")

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == document_of(surface)


def test_an_unknown_document_answers_404():
    assert Client().get("/api-docs/nothing.json").status_code == 404


def test_the_page_offers_all_three_and_forbids_scripts_from_elsewhere():
    response = Client().get("/api-docs")

    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert response.status_code == 200
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    text = response.content.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"<script>|<style>|\son\w+=", text)
    for surface in SURFACES:
        assert f"/api-docs/{surface}.json" in text


def test_the_page_finds_all_its_parts(settings):
    settings.WHITENOISE_USE_FINDERS = True
    page = Client().get("/api-docs").content.decode()

    parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    assert len(parts) == 5
    assert {part: Client().get(part).status_code for part in parts} == dict.fromkeys(parts, 200)


def test_the_stored_documents_are_up_to_date():
    call_command("export_schemas", "--check", stdout=StringIO())


def test_a_stale_document_fails_the_check_with_a_difference(tmp_path, monkeypatch, settings):
    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(export_schemas, "DIRECTORY", tmp_path / "openapi")
    call_command("export_schemas", stdout=StringIO())
    stored = tmp_path / "openapi" / "team.json"
    stored.write_text(stored.read_text().replace('"Team API"', '"Another API"'))

    with pytest.raises(CommandError) as refused:
        call_command("export_schemas", "--check", stdout=StringIO())

    assert "openapi/team.json is stale" in str(refused.value)
    assert '+    "title": "Team API"' in str(refused.value)
    assert "make schemas" in str(refused.value)


def test_a_document_is_the_same_every_time():
    first = documents.text_of("platform")
    documents._generated.cache_clear()
    documents.text_of.cache_clear()

    assert documents.text_of("platform") == first


def test_a_badly_described_view_stops_the_document(monkeypatch):
    documents._generated.cache_clear()
    monkeypatch.setattr(
        documents.Generator, "get_schema", lambda self: documents.GENERATOR_STATS.emit("no type", "warning") or {}
    )

    with pytest.raises(SchemaProblem, match="no type"):
        document_of("team")

    documents.GENERATOR_STATS.reset()
