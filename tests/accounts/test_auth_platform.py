"""Signing in and out on the Platform: the document's own examples, then the rules."""

from uuid import uuid4

from django.contrib.auth.hashers import make_password

from accounts.models import Organization, Session, User
from accounts.services import sessions
from crm.core import db
from crm.core.models import Event
from tests.conftest import PASSWORD
from tests.races import hashers
from tests.support.clients import ApiClient

REGISTRATION = {
    "email": "user@example.com",
    "password": "securePassword123",
    "full_name": "John Doe",
    "company_name": "ACME Corp",
    "company_size": "small",
    "industry": "technology",
}


def registration(**changed):
    return REGISTRATION | {"email": f"{uuid4().hex}@example.com"} | changed


def events_of(tenant):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).order_by("id").values_list("name", flat=True))


def test_registering_answers_as_documented():
    response = ApiClient("platform").post("auth/register", REGISTRATION | {"email": f"{uuid4().hex}@Example.com"})

    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "user"}
    assert body["token_type"] == "bearer"
    assert set(body["user"]) == {"id", "email", "full_name", "company_id"}
    assert body["user"]["full_name"] == "John Doe"
    assert body["user"]["email"].endswith("@Example.com")


def test_the_registered_organization_is_whole():
    body = ApiClient("platform").post("auth/register", registration(company_name="Łódź & Söhne")).json()

    with db.tenant(body["user"]["company_id"]):
        organization = Organization.objects.get()
        assert organization.slug.startswith("lodz-sohne")
        assert (organization.company_size, organization.industry) == ("11-50", "technology")
        assert organization.shop_enabled
        owner = User.objects.get()
        assert (owner.first_name, owner.last_name) == ("John", "Doe")
        assert owner.password.startswith("argon2$argon2id$")
        assert [held.role.name for held in owner.held_roles.select_related("role")] == ["owner"]
        names = list(Event.objects.order_by("id").values_list("name", flat=True))
        assert names[:2] == ["organization.created", "user.registered"]
        assert names[-1] == "user.signed_in"


def test_company_sizes_are_words_or_ranges():
    for given, stored in (("51-200", "51-200"), ("enterprise", "500+"), (None, "")):
        body = ApiClient("platform").post("auth/register", registration(company_size=given)).json()

        with db.tenant(body["user"]["company_id"]):
            assert Organization.objects.get().company_size == stored


def test_a_taken_slug_that_was_asked_for_is_refused():
    slug = f"acme-{uuid4().hex[:8]}"

    first = ApiClient("platform").post("auth/register", registration(slug=slug))
    second = ApiClient("platform").post("auth/register", registration(slug=slug))

    assert first.status_code == 201
    assert (second.status_code, second.json()["error"]["code"]) == (409, "SLUG_TAKEN")


def test_slugs_made_from_one_name_are_made_unique():
    name = f"Same {uuid4().hex[:8]}"
    companies = [
        ApiClient("platform").post("auth/register", registration(company_name=name)).json()["user"]["company_id"]
        for _ in range(3)
    ]

    with db.operator("command"):
        slugs = list(
            Organization.objects.filter(pk__in=companies).order_by("created_at").values_list("slug", flat=True)
        )
    base = name.lower().replace(" ", "-")
    assert slugs == [base, f"{base}-2", f"{base}-3"]


def test_bad_registrations_are_refused_and_store_nothing():
    cases = [
        ("email", {"email": "nonsense"}),
        ("password", {"password": "short"}),
        ("password", {"password": "12345678901"}),
        ("password", {"password": "password123"}),
        ("full_name", {"full_name": ""}),
        ("full_name", {"full_name": "x" * 150}),
        ("company_name", {"company_name": None}),
        ("company_name", {"company_name": "x" * 201}),
        ("company_size", {"company_size": "huge"}),
        ("slug", {"slug": "No Slug"}),
        ("slug", {"slug": "ab"}),
        ("role", {"role": "owner"}),
    ]
    with db.operator("command"):
        before = Organization.objects.count()

    for field, changed in cases:
        response = ApiClient("platform").post("auth/register", registration(**changed))

        assert response.status_code == 422, (field, response.content)
        assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]
    with db.operator("command"):
        assert Organization.objects.count() == before


def test_registration_can_be_switched_off(settings):
    settings.REGISTRATION = False

    response = ApiClient("platform").post("auth/register", registration())

    assert (response.status_code, response.json()["error"]["code"]) == (403, "REGISTRATION_CLOSED")


def test_login_answers_as_documented(acme):
    response = ApiClient("platform").post("auth/login", {"email": acme.owner.email.upper(), "password": PASSWORD})

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "user"}
    assert body["user"] == {
        "id": str(acme.owner.id),
        "email": acme.owner.email,
        "full_name": acme.owner.full_name,
        "company_id": str(acme.id),
    }
    assert ApiClient("platform", token=body["access_token"]).get("contacts").status_code == 200


def test_wrong_address_and_wrong_password_answer_alike(acme):
    client = ApiClient("platform")

    unknown = client.post("auth/login", {"email": "nobody@example.com", "password": PASSWORD})
    wrong = client.post("auth/login", {"email": acme.owner.email, "password": "wrong"})
    elsewhere = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD, "slug": "no-such-place"})

    assert unknown.status_code == wrong.status_code == elsewhere.status_code == 401
    assert unknown.content == wrong.content == elsewhere.content
    assert unknown.json()["error"]["code"] == "UNAUTHENTICATED"


def test_every_wrong_sign_in_costs_one_hash(acme, settings):
    settings.PASSWORD_HASHERS = ["tests.races.hashers.CountingHasher"]
    invited = acme.add("viewer", password=make_password(None), is_active=False, is_invited=True)
    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.viewer.pk).update(is_active=False)

    for email in ("nobody@example.com", acme.owner.email, acme.viewer.email, invited.email):
        hashers.reached.clear()

        response = ApiClient("platform").post("auth/login", {"email": email, "password": "wrong"})

        assert response.status_code == 401
        assert len(hashers.reached) == 1


def test_an_address_in_two_organizations_asks_which(acme, other):
    email = f"both.{uuid4().hex}@example.com"
    acme.add("staff", email=email)
    other.add("viewer", email=email)
    client = ApiClient("platform")

    asked = client.post("auth/login", {"email": email, "password": PASSWORD})
    named = client.post("auth/login", {"email": email, "password": PASSWORD, "slug": other.slug})

    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "ORGANIZATION_REQUIRED")
    assert asked.json()["error"]["organizations"] == sorted([acme.slug, other.slug])
    assert named.json()["user"]["company_id"] == str(other.id)


def test_a_shopper_of_the_same_address_is_no_second_organization(acme, other):
    email = f"both.{uuid4().hex}@example.com"
    acme.add("staff", email=email)
    other.add("customer", email=email)

    response = ApiClient("platform").post("auth/login", {"email": email, "password": PASSWORD})

    assert response.json()["user"]["company_id"] == str(acme.id)


def test_shoppers_have_no_access(acme):
    response = ApiClient("platform").post("auth/login", {"email": acme.customer.email, "password": PASSWORD})

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_refreshing_does_not_rotate_unless_asked(acme):
    client = ApiClient("platform")
    signed_in = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD}).json()
    token = signed_in["refresh_token"]

    first = client.post("auth/refresh", {"refresh_token": token})
    again = client.post("auth/refresh", {"refresh_token": token})

    assert first.status_code == again.status_code == 200
    assert set(first.json()) == {"access_token", "token_type"}
    assert first.json()["token_type"] == "bearer"
    assert ApiClient("platform", token=again.json()["access_token"]).get("contacts").status_code == 200


def test_a_rotated_refresh_token_used_again_ends_the_session(acme):
    client = ApiClient("platform")
    signed_in = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD}).json()
    old = signed_in["refresh_token"]
    rotated = client.post("auth/refresh", {"refresh_token": old, "rotate": True}).json()
    assert set(rotated) == {"access_token", "refresh_token", "token_type"}

    replay = client.post("auth/refresh", {"refresh_token": old})

    assert (replay.status_code, replay.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert client.post("auth/refresh", {"refresh_token": rotated["refresh_token"]}).status_code == 401
    for token in (signed_in["access_token"], rotated["access_token"]):
        assert ApiClient("platform", token=token).get("contacts").status_code == 401
    with acme.inside():
        ended = Session.objects.of(acme.id).filter(end_reason="refresh_replayed")
        assert ended.count() == 1
    assert events_of(acme)[-1] == "user.signed_out"


def test_a_refresh_token_is_no_access_token_and_the_reverse(acme):
    client = ApiClient("platform")
    signed_in = client.post("auth/login", {"email": acme.owner.email, "password": PASSWORD}).json()

    assert ApiClient("platform", token=signed_in["refresh_token"]).get("contacts").status_code == 401
    assert client.post("auth/refresh", {"refresh_token": signed_in["access_token"]}).status_code == 401
    assert client.post("auth/refresh", {"refresh_token": ""}).status_code == 422
    assert client.post("auth/refresh", {}).status_code == 422


def test_only_hashes_of_refresh_tokens_are_stored(acme):
    signed_in = ApiClient("platform").post("auth/login", {"email": acme.owner.email, "password": PASSWORD}).json()

    with acme.inside():
        session = Session.objects.of(acme.id).filter(user=acme.owner).latest("created_at")
        (stored,) = session.refresh_tokens.all()
    assert signed_in["refresh_token"] not in (stored.token_hash, str(stored.pk))
    assert len(stored.token_hash) == 64


def test_logout_ends_this_session_alone(acme):
    credentials = {"email": acme.owner.email, "password": PASSWORD}
    here = ApiClient("platform").post("auth/login", credentials).json()
    there = ApiClient("platform").post("auth/login", credentials).json()

    response = ApiClient("platform", token=here["access_token"]).post("auth/logout")

    assert response.status_code == 200
    assert response.json() == {"message": "Successfully logged out"}
    assert ApiClient("platform", token=here["access_token"]).get("contacts").status_code == 401
    assert ApiClient("platform").post("auth/refresh", {"refresh_token": here["refresh_token"]}).status_code == 401
    assert ApiClient("platform", token=there["access_token"]).get("contacts").status_code == 200
    assert events_of(acme)[-1] == "user.signed_out"


def test_deactivation_ends_sessions_at_once(acme):
    credentials = {"email": acme.staff.email, "password": PASSWORD}
    signed_in = ApiClient("platform").post("auth/login", credentials).json()
    with acme.inside():
        User.objects.of(acme.id).filter(pk=acme.staff.pk).update(is_active=False)

    assert ApiClient("platform", token=signed_in["access_token"]).get("contacts").status_code == 401
    assert ApiClient("platform").post("auth/refresh", {"refresh_token": signed_in["refresh_token"]}).status_code == 401
    inactive = ApiClient("platform").post("auth/login", credentials)
    assert (inactive.status_code, inactive.json()["error"]["code"]) == (403, "ACCOUNT_INACTIVE")
    wrong = ApiClient("platform").post("auth/login", credentials | {"password": "wrong"})
    assert wrong.status_code == 401


def test_an_expired_session_is_over(acme, settings):
    settings.SESSION_LIFETIME = settings.SESSION_LIFETIME * -1
    with acme.inside():
        sign_in = sessions.open_session(acme.owner, sessions.ClientInfo("platform"))

    assert ApiClient("platform", token=sign_in.access_token).get("contacts").status_code == 401
    assert ApiClient("platform").post("auth/refresh", {"refresh_token": sign_in.refresh_token}).status_code == 401


def test_attempts_are_limited_per_address_with_headers(acme, limits):
    client = ApiClient("platform", address="203.0.113.7")
    wrong = {"email": "nobody@example.com", "password": "wrong"}

    answers = [client.post("auth/login", wrong) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert answers[0]["X-RateLimit-Limit"] == "5"
    assert int(answers[5]["Retry-After"]) > 200
    assert answers[5].json()["error"]["code"] == "RATE_LIMITED"
    spoofed = client.post("auth/login", wrong, headers={"X-Forwarded-For": "198.51.100.9"})
    assert spoofed.status_code == 429


def test_an_account_closes_for_strangers_but_not_for_where_it_is_used_from(acme, limits):
    limits.RATE_LIMIT_ACCOUNT = (3, 900)
    credentials = {"email": acme.manager.email, "password": PASSWORD}
    home = ApiClient("platform", address="198.51.100.20")
    assert home.post("auth/login", credentials).status_code == 200

    for number in range(3):
        attacker = ApiClient("platform", address=f"203.0.113.{20 + number}")
        assert attacker.post("auth/login", credentials | {"password": "wrong"}).status_code == 401
    stranger = ApiClient("platform", address="203.0.113.40").post("auth/login", credentials)

    assert (stranger.status_code, stranger.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert int(stranger["Retry-After"]) > 0
    assert home.post("auth/login", credentials).status_code == 200


def test_unknown_addresses_lock_like_known_ones(limits):
    limits.RATE_LIMIT_ACCOUNT = (2, 900)
    wrong = {"email": f"{uuid4().hex}@example.com", "password": "wrong"}

    answers = [
        ApiClient("platform", address=f"203.0.113.{60 + number}").post("auth/login", wrong).status_code
        for number in range(3)
    ]

    assert answers == [401, 401, 429]


def test_right_passwords_do_not_count_as_failures(acme, limits):
    limits.RATE_LIMIT_ACCOUNT = (2, 900)
    credentials = {"email": acme.viewer.email, "password": PASSWORD}

    answers = [
        ApiClient("platform", address=f"198.51.100.{60 + number}").post("auth/login", credentials).status_code
        for number in range(5)
    ]

    assert answers == [200] * 5


def test_a_forgotten_password_is_set_anew_by_mail(acme, mailbox, deliver):
    client = ApiClient("platform")
    held = client.post("auth/login", {"email": acme.staff.email, "password": PASSWORD}).json()

    known = client.post("auth/forgot-password", {"email": acme.staff.email})
    unknown = client.post("auth/forgot-password", {"email": "nobody@example.com"})
    deliver()

    assert known.status_code == unknown.status_code == 200
    assert known.content == unknown.content
    (mail,) = mailbox.to(acme.staff.email)
    assert "/reset-password?token=" in mail.get_body(("plain",)).get_content()
    token = mailbox.token_for(acme.staff.email)
    weak = client.post("auth/reset-password", {"token": token, "password": "short"})
    assert weak.status_code == 422
    assert weak.json()["error"]["details"][0]["field"] == "password"
    assert client.post("auth/reset-password", {"token": token, "password": "another-Horse-7"}).status_code == 200
    again = client.post("auth/reset-password", {"token": token, "password": "another-Horse-8"})
    assert (again.status_code, again.json()["error"]["code"]) == (400, "TOKEN_USED")
    assert ApiClient("platform", token=held["access_token"]).get("contacts").status_code == 401
    assert client.post("auth/login", {"email": acme.staff.email, "password": PASSWORD}).status_code == 401
    assert client.post("auth/login", {"email": acme.staff.email, "password": "another-Horse-7"}).status_code == 200


def test_unknown_reset_tokens_are_refused():
    response = ApiClient("platform").post("auth/reset-password", {"token": "nonsense", "password": "another-Horse-7"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "TOKEN_INVALID")
