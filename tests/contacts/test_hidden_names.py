"""What a body names is found among what its sender may see: a name or an address tells nothing of what is hidden."""

import pytest

from contacts.models import Company

SECRET = "Zeta Secret Holding GmbH"
GUESS = "zeta secret HOLDING gmbh"
# surface, method, path ({own}: a contact of the sender's), body, and where the answer shows the company
NAMED = [
    ("team", "POST", "contacts", {"firstName": "Ann", "company": GUESS}),
    ("team", "PATCH", "contacts/{own}", {"company": GUESS}),
    ("platform", "POST", "customers", {"name": "Ann", "company": GUESS}),
    ("platform", "PUT", "customers/{own}", {"company": GUESS}),
]
# surface, method, path and body of what would be a duplicate
SAME = [
    ("team", "POST", "contacts?onDuplicate=reject", {"firstName": "A", "email": "BOB@example.com"}),
    ("team", "PATCH", "contacts/{own}?onDuplicate=reject", {"email": "BOB@example.com"}),
    ("platform", "POST", "contacts?on_duplicate=reject", {"first_name": "A", "email": "BOB@example.com"}),
    ("platform", "PATCH", "contacts/{own}?on_duplicate=reject", {"email": "BOB@example.com"}),
    ("platform", "POST", "customers?on_duplicate=reject", {"name": "A", "email": "BOB@example.com"}),
    ("platform", "PUT", "customers/{own}?on_duplicate=reject", {"email": "BOB@example.com"}),
]


@pytest.fixture
def send(client_for):
    """Return what sends a line of the tables as a user, who first makes the contact that `{own}` names."""

    def sending(user, surface, method, path, body):
        own = client_for(user, "platform").post("contacts", {"first_name": "Mine"}).json()["id"]
        return client_for(user, surface).request(method, path.replace("{own}", own), body)

    return sending


def shown_company(response):
    body = response.json()
    company = body.get("data", body)["company"]
    return company["name"] if isinstance(company, dict) else company


def companies_of(acme, user):
    with acme.inside():
        return list(Company.objects.of(acme.id).filter(owner=user).values_list("name", flat=True))


@pytest.mark.parametrize(("surface", "method", "path", "body"), NAMED)
def test_a_company_that_one_may_not_see_is_not_found_by_its_name(acme, client_for, send, surface, method, path, body):
    colleague = acme.add("staff")
    client_for(colleague, "platform").post("accounts", {"name": SECRET})

    answer = send(acme.staff, surface, method, path, body)

    assert answer.status_code in {200, 201}
    assert shown_company(answer) == GUESS
    assert companies_of(acme, acme.staff) == [GUESS]
    assert client_for(acme.staff, "platform").get("accounts").json()["total"] == 1


@pytest.mark.parametrize(("surface", "method", "path", "body"), NAMED)
def test_one_s_own_company_is_found_by_its_name(acme, client_for, send, surface, method, path, body):
    client_for(acme.add("staff"), "platform").post("accounts", {"name": SECRET})
    client_for(acme.staff, "platform").post("accounts", {"name": "Zeta Secret Holding GMBH"})

    assert shown_company(send(acme.staff, surface, method, path, body)) == "Zeta Secret Holding GMBH"
    assert len(companies_of(acme, acme.staff)) == 1


@pytest.mark.parametrize(("surface", "method", "path", "body"), NAMED)
def test_who_sees_all_finds_a_colleague_s(acme, client_for, send, surface, method, path, body):
    client_for(acme.staff, "platform").post("accounts", {"name": SECRET})

    assert shown_company(send(acme.manager, surface, method, path, body)) == SECRET
    assert companies_of(acme, acme.manager) == []


def test_neither_deals_nor_the_feed_tell_the_name(acme, client_for):
    client_for(acme.add("staff"), "platform").post("accounts", {"name": SECRET})
    staff = client_for(acme.staff, "platform")
    contact = client_for(acme.staff, "team").post("contacts", {"firstName": "Ann", "company": GUESS})
    deal = staff.post("opportunities", {"name": "Ours", "contact_id": contact.json()["data"]["id"]}).json()

    answers = [
        staff.get(f"opportunities/{deal['id']}"),
        staff.get("opportunities", q="zeta"),
        staff.get("dashboard/activity-feed"),
        staff.get("accounts"),
        staff.get(f"accounts/{contact.json()['data']['company']['id']}"),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not [answer for answer in answers if SECRET in answer.content.decode()]


def test_the_company_of_one_s_own_contact_stays_though_it_is_another_s(acme, client_for):
    """It was given by who sees all: to name it again changes nothing."""
    manager = client_for(acme.manager, "team")
    company = manager.post("companies", {"name": SECRET}).json()["data"]["id"]
    body = {"firstName": "Ann", "companyId": company, "ownerId": str(acme.staff.pk)}
    contact = manager.post("contacts", body).json()["data"]["id"]

    kept = client_for(acme.staff, "team").patch(f"contacts/{contact}", {"company": GUESS, "jobTitle": "x"})

    assert kept.json()["data"]["company"] == {"id": company, "name": SECRET}


@pytest.mark.parametrize(("surface", "method", "path", "body"), SAME)
def test_a_contact_that_one_may_not_see_is_no_duplicate(acme, client_for, send, surface, method, path, body):
    hidden = client_for(acme.add("staff"), "platform").post("contacts", {"email": "bob@example.com"}).json()["id"]

    answer = send(acme.staff, surface, method, path, body)

    assert answer.status_code in {200, 201}
    assert hidden not in answer.content.decode()
    assert "duplicate" not in answer.content.decode().lower()


@pytest.mark.parametrize(("surface", "method", "path", "body"), SAME)
@pytest.mark.parametrize("who", ["staff", "manager"])
def test_one_that_may_be_seen_is_refused_by_its_id(acme, client_for, send, who, surface, method, path, body):
    seen = client_for(acme.staff, "platform").post("contacts", {"email": "bob@example.com"}).json()["id"]

    answer = send(acme.users[who], surface, method, path, body)

    assert answer.status_code == 409
    assert seen in answer.content.decode()
