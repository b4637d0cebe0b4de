"""Lists of contacts: filters, order, pages, totals and what they cost."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.clients import fields


@pytest.fixture
def organization_of_members(organization):
    return organization(roles=("owner", "manager", "staff"))


@pytest.fixture
def team(organization_of_members, client_for):
    return client_for(organization_of_members.manager)


def add(client, *bodies):
    return [client.post("contacts", body).json()["data"]["id"] for body in bodies]


def ids(response):
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]["contacts"]]


def pagination(response):
    return response.json()["data"]["meta"]["pagination"]


def test_every_filter_of_the_page_narrows(organization_of_members, team):
    staff = str(organization_of_members.staff.pk)
    ada, bea, cleo = add(
        team,
        {"firstName": "Ada", "company": "Globex", "lifecycleStage": "customer", "leadStatus": "open", "source": "Fair"},
        {"firstName": "Bea", "temperature": "hot", "ownerId": staff, "tags": ["vip", "press"]},
        {"firstName": "Cleo", "status": "inactive", "tags": ["press"], "doNotContact": True},
    )
    company = team.get(f"contacts/{ada}").json()["data"]["companyId"]

    for query, expected in [
        ({}, [cleo, bea, ada]),
        ({"search": "bea"}, [bea]),
        ({"search": "globex"}, [ada]),
        ({"search": ""}, [cleo, bea, ada]),
        ({"search": "!!"}, []),
        ({"status": "active"}, [bea, ada]),
        ({"status": "inactive"}, [cleo]),
        ({"tags": "press"}, [cleo, bea]),
        ({"tags": "vip, nobody"}, [bea]),
        ({"tags": "vip,press", "tagsMatch": "all"}, [bea]),
        ({"tags": "vip,press", "tagsMatch": "any"}, [cleo, bea]),
        ({"tags": ","}, [cleo, bea, ada]),
        ({"tagsMatch": "all"}, [cleo, bea, ada]),
        ({"lifecycleStage": "customer"}, [ada]),
        ({"leadStatus": "open"}, [ada]),
        ({"temperature": "hot"}, [bea]),
        ({"ownerId": staff}, [bea]),
        ({"companyId": company}, [ada]),
        ({"source": "fair"}, [ada]),
        ({"doNotContact": "true"}, [cleo]),
        ({"tags": "press", "ownerId": staff, "search": "be"}, [bea]),
    ]:
        response = team.get("contacts", **query)
        assert ids(response) == expected, query
        assert pagination(response)["total"] == len(expected), query


@pytest.mark.parametrize(
    "query",
    [
        {"status": "gone"},
        {"lifecycleStage": "x"},
        {"leadStatus": "x"},
        {"temperature": "x"},
        {"ownerId": "x"},
        {"companyId": "x"},
        {"doNotContact": "x"},
        {"tagsMatch": "some"},
        {"search": "\0"},
        {"sort": "shoeSize"},
        {"order": "sideways"},
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "1.0"},
        {"pageSize": "0"},
        {"pageSize": "٣"},
    ],
)
def test_a_bad_parameter_is_named(team, query):
    response = team.get("contacts", **query)

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == list(query)


@pytest.mark.parametrize("number", [*range(0xA1, 0xA3), *range(0xB1, 0xB6), 0xC0, *range(0xD0, 0xD5)])
@pytest.mark.parametrize("more", [{}, {"tags": "vip"}], ids=["replayed", "compiled anew"])
def test_no_id_of_a_query_stands_for_anything_else(organization_of_members, team, number, more):
    """Statements are compiled with stand-ins for ids and numbers: what a client sends is none of them."""
    add(team, {"firstName": "Own", "tags": ["vip"]})

    assert ids(team.get("contacts", ownerId=str(UUID(int=number)), **more)) == []


def test_orders(team):
    cleo, ada, bea = add(
        team,
        {"firstName": "cleo", "lastName": "A", "email": "m@example.com"},
        {"firstName": "Ádá", "lastName": "C", "email": "Z@example.com"},
        {"firstName": "Bea", "lastName": "B", "email": "a@example.com"},
    )

    for sort, expected in [
        ("createdAt", [cleo, ada, bea]),
        ("-createdAt", [bea, ada, cleo]),
        ("name", [ada, bea, cleo]),
        ("-fullName", [cleo, bea, ada]),
        ("email", [bea, cleo, ada]),
        ("lastName", [cleo, bea, ada]),
        ("-firstName", [ada, cleo, bea]),  # as written: capitals before small letters before accents
        ("updatedAt", [cleo, ada, bea]),
    ]:
        assert ids(team.get("contacts", sort=sort)) == expected, sort
        assert ids(team.get("contacts", sort=sort, search="example")) == expected, sort


def test_pages_add_up_and_end(team):
    made = add(team, *({"firstName": f"Contact {number}"} for number in range(7)))

    pages = [team.get("contacts", page=number, pageSize=3) for number in (1, 2, 3, 4, 10**15)]

    assert [pk for page in pages for pk in ids(page)] == made[::-1]
    assert [len(ids(page)) for page in pages] == [3, 3, 1, 0, 0]
    for page, number in zip(pages, (1, 2, 3, 4, 10**15), strict=True):
        assert pagination(page) == {"page": number, "pageSize": 3, "total": 7, "totalPages": 3}
    beyond = team.get("contacts", page=9, pageSize=3, search="contact")
    assert (ids(beyond), pagination(beyond)["total"]) == ([], 7)


def test_sizes_are_clamped_and_default(team, client_for, organization_of_members):
    platform = client_for(organization_of_members.manager, "platform")

    assert pagination(team.get("contacts"))["pageSize"] == 25
    assert pagination(team.get("contacts", pageSize="100000"))["pageSize"] == 100
    add(team, *({"firstName": f"Contact {number}"} for number in range(21)))
    assert len(platform.get("contacts").json()["items"]) == 20
    assert len(platform.get("contacts", per_page="3", limit="2").json()["items"]) == 2
    assert platform.get("contacts", limit="5").json() | {"items": []} == {
        "items": [],
        "total": 21,
        "page": 1,
        "pages": 5,
        "has_next": True,
        "has_prev": False,
    }


def test_an_empty_list(team, client_for, organization_of_members):
    assert pagination(team.get("contacts")) == {"page": 1, "pageSize": 25, "total": 0, "totalPages": 0}
    empty = client_for(organization_of_members.manager, "platform").get("customers", page="3").json()
    assert empty == {"items": [], "total": 0, "page": 3, "pages": 0, "has_next": False, "has_prev": False}


@pytest.mark.parametrize(
    ("surface", "path"),
    [("team", "contacts"), ("platform", "contacts"), ("platform", "customers"), ("platform", "accounts")],
)
def test_a_page_takes_the_same_number_of_queries_for_1_25_and_100_rows(
    organization_of_members, client_for, surface, path
):
    manager = client_for(organization_of_members.manager)
    client = client_for(organization_of_members.manager, surface)

    def count(**query):
        client.get(path, **query)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path, **query).status_code == 200
        return len(queries)

    counts = []
    total = 0
    for rows in (1, 25, 100):
        for number in range(total, rows):
            manager.post("contacts", {"firstName": f"Contact {number}", "company": f"Company {number}"})
        total = rows
        counts.append((count(limit=100, pageSize=100), count(search="co"), count(page=1, sort="name")))

    assert counts[0] == counts[1] == counts[2]
    assert max(counts[0]) <= 5


@pytest.mark.parametrize("page", [10**6, 2**63, 2**64, 10**40])
def test_a_page_beyond_the_last_is_empty_however_far(team, page):
    add(team, {"firstName": "Ada"})

    response = team.get("contacts", page=page)

    assert ids(response) == []
    assert pagination(response)["total"] == 1


@pytest.mark.parametrize(("key", "value"), [("firstName", 5), ("firstName", ["Ada"]), ("notes", 1.5), ("tags", [1])])
def test_what_is_not_text_is_not_taken_for_text(team, key, value):
    response = team.post("contacts", {"email": "ada@example.com", key: value})

    assert response.status_code == 400
    assert {field.partition(".")[0] for field in fields(response)} == {key}
