"""Nobody hands out, takes or becomes what they do not hold."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Invitation, Role, User, UserRole
from accounts.permissions import built_in_id
from contacts.models import Contact
from crm.core import clock, tokens
from tests.isolation import evidence, factories
from tests.isolation.tenants import Tenant, number
from tests.support.clients import ApiClient

PASSWORD = "correct-horse-battery-9"


def client(tenant: Tenant, who: str | User, surface: str = "platform") -> ApiClient:
    user = tenant.person(who) if isinstance(who, str) else who
    return ApiClient(surface, shop=tenant.slug, token=tenant.token(user))


def roles_of(tenant: Tenant, user: User) -> set[str]:
    with tenant.scope():
        return set(UserRole.objects.of(tenant.id).filter(user=user).values_list("role__name", flat=True))


def code(response: HttpResponse) -> str:
    return json.loads(response.content)["error"]["code"].upper()


@pytest.mark.parametrize("permission", ["contacts:delete", "users:delete", "billing:manage", "organization:update"])
def test_granting_a_permission_one_lacks_is_refused(permission: str, ours: Tenant) -> None:
    role = factories.make(Role, ours)

    refused = client(ours, "customer_experience", "storefront").post(
        f"admin/roles/{role.pk}/permissions", {"permission_id": str(built_in_id(permission))}
    )

    assert refused.status_code == 403
    with ours.scope():
        assert permission not in Role.objects.of(ours.id).get(pk=role.pk).permissions


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("manager", "owner"),
        ("manager", "manager"),
        ("customer_experience", "owner"),
        ("customer_experience", "manager"),
        ("customer_experience", "staff"),
        ("customer_experience", "customer_experience"),
    ],
)
def test_assigning_a_role_of_one_s_own_rank_or_above_is_refused(who: str, role: str, ours: Tenant) -> None:
    for target in (ours.person(who), ours.person("viewer")):
        before = roles_of(ours, target)

        refused = client(ours, who, "storefront").post(
            f"admin/users/{target.pk}/roles", {"role_id": str(ours.roles[role].pk)}
        )

        assert refused.status_code == 403
        assert roles_of(ours, target) == before


def test_nobody_raises_themselves_through_their_own_profile(ours: Tenant) -> None:
    staff = ours.person("staff")

    answers = [
        client(ours, "staff").patch(f"users/{staff.pk}", {"role": "tenant_admin"}),
        client(ours, "staff").patch(f"users/{staff.pk}", {"role": "owner", "is_superuser": True}),
        client(ours, "staff", "team").patch("settings/profile", {"role": "owner"}),
        client(ours, "staff", "team").patch("settings/profile", {"isSuperuser": True}),
        client(ours, "staff", "storefront").patch("auth/profile", {"roles": ["admin"]}),
        client(ours, "staff", "team").patch(f"settings/team/{staff.pk}", {"role": "owner"}),
    ]

    assert all(answer.status_code in {200, 400, 403, 422} for answer in answers), [a.status_code for a in answers]
    assert roles_of(ours, staff) == {"staff"}
    with ours.scope():
        assert not User.objects.of(ours.id).get(pk=staff.pk).is_superuser


def test_who_holds_a_role_widens_neither_its_permissions_nor_its_sight(ours: Tenant) -> None:
    role = factories.make(
        Role, ours, permissions=["roles:view", "roles:create", "roles:update", "roles:delete"], scope="own"
    )
    holder = ours.join("custom", [role])
    own = client(ours, holder, "storefront")

    granted = own.post(f"admin/roles/{role.pk}/permissions", {"permission_id": str(built_in_id("users:manage"))})
    widened = own.put(f"admin/roles/{role.pk}", {"scope": "all"})
    other = own.post("admin/roles", {"name": f"Sees all {number()}", "scope": "all"})

    assert (granted.status_code, widened.status_code, other.status_code) == (403, 403, 403)
    with ours.scope():
        after = Role.objects.of(ours.id).get(pk=role.pk)
    assert (after.scope, sorted(after.permissions)) == ("own", sorted(role.permissions))


@pytest.mark.parametrize("name", ["owner", "Owner", " owner ", "tenant_admin", "admin", "manager", "sales", "user"])
def test_no_role_of_one_s_own_takes_a_built_in_name(name: str, ours: Tenant) -> None:
    role = factories.make(Role, ours)
    owner = client(ours, "owner", "storefront")

    made = owner.post("admin/roles", {"name": name})
    renamed = owner.put(f"admin/roles/{role.pk}", {"name": name})

    assert (made.status_code, renamed.status_code) == (409, 409)


def test_a_role_s_name_alone_gives_nothing(ours: Tenant) -> None:
    """Even a row that came to bear a built-in name some other way holds only its own permissions."""
    with ours.scope():
        Role.objects.of(ours.id).filter(name="owner").update(name="owner-before")
        fake = Role(organization_id=ours.id, name="owner", scope="own", rank=15, permissions=["contacts:view"])
        fake.save(force_insert=True)
    holder = ours.join("custom", [fake])

    assert client(ours, holder).get("contacts").status_code == 200
    assert client(ours, holder).get("users").status_code == 403


def test_a_role_called_owner_hands_out_nothing(ours: Tenant) -> None:
    with ours.scope():
        built_in = Role.objects.of(ours.id).get(name="owner")
        Role.objects.of(ours.id).filter(pk=built_in.pk).update(name="owner-before")
        codes = [*(f"roles:{verb}" for verb in ("view", "create", "update", "delete")), "users:view", "contacts:view"]
        fake = Role(organization_id=ours.id, name="owner", scope="all", rank=15, permissions=codes)
        fake.save(force_insert=True)
    holder = ours.join("custom", [fake])
    shop = client(ours, holder, "storefront")
    theirs = factories.make(Role, ours, scope="own", permissions=[])

    assigned = shop.post(f"admin/users/{holder.pk}/roles", {"role_id": str(built_in.pk)})
    granted = shop.post(f"admin/roles/{theirs.pk}/permissions", {"permission_id": str(built_in_id("contacts:delete"))})
    own = client(ours, "customer_experience", "storefront").post(
        "admin/permissions", {"name": f"Own {number()}", "resource": "own", "action": f"run{number()}"}
    )
    code_of_own = "own:{action}".format(**json.loads(own.content)["data"]["permission"])

    assert (assigned.status_code, granted.status_code) == (403, 403)
    assert code_of_own not in json.loads(client(ours, holder).get("me").content)["permissions"]
    assert roles_of(ours, holder) == {"owner"}
    assert json.loads(shop.get("auth/profile").content)["data"]["roles"] == ["owner"]
    assert json.loads(shop.get(f"admin/users/{holder.pk}/roles").content)["data"]["roles"] == ["owner"]
    assert json.loads(client(ours, holder).get(f"users/{holder.pk}").content)["role"] == "owner"


def test_a_permission_of_one_s_own_never_becomes_a_built_in_one(ours: Tenant) -> None:
    own = client(ours, "customer_experience", "storefront")
    made = own.post("admin/permissions", {"name": f"Own {number()}", "resource": "own", "action": "run"})
    pk = json.loads(made.content)["data"]["permission"]["id"]

    assert own.put(f"admin/permissions/{pk}", {"resource": "users", "action": "delete"}).status_code == 409
    assert own.put(f"admin/permissions/{pk}", {"resource": "contacts", "action": "manage"}).status_code == 409
    assert own.post("admin/permissions", {"name": "x", "resource": "users", "action": "manage"}).status_code == 409


def test_the_last_owner_cannot_be_demoted_deactivated_or_removed(ours: Tenant) -> None:
    owner = ours.person("owner")
    role = ours.roles["owner"].pk

    revoked = client(ours, "owner", "storefront").delete(f"admin/users/{owner.pk}/roles/{role}")
    demoted = client(ours, "owner").patch(f"users/{owner.pk}", {"role": "viewer"})
    deleted = client(ours, "owner").delete(f"users/{owner.pk}")
    deactivated = client(ours, "owner", "team").patch(f"settings/team/{owner.pk}", {"status": "inactive"})

    assert (revoked.status_code, code(revoked)) == (409, "LAST_OWNER")
    assert demoted.status_code in {409, 422}
    assert deleted.status_code in {409, 422}
    assert deactivated.status_code == 400
    assert roles_of(ours, owner) == {"owner"}
    assert client(ours, "owner").get("me").status_code == 200


def test_of_two_owners_one_may_go_and_the_other_may_not(ours: Tenant) -> None:
    second = ours.join("second", [ours.roles["owner"]])
    first = ours.person("owner")

    gone = client(ours, "owner").delete(f"users/{second.pk}")
    last = client(ours, "owner", "storefront").delete(f"admin/users/{first.pk}/roles/{ours.roles['owner'].pk}")

    assert gone.status_code == 200
    assert (last.status_code, code(last)) == (409, "LAST_OWNER")


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_a_manager_invites_nobody_as_their_equal_or_above(role: str, ours: Tenant) -> None:
    refused = client(ours, "manager", "team").post(
        "auth/invite", {"email": f"new-{number()}@example.com", "role": role}
    )

    assert refused.status_code == 403
    with ours.scope():
        assert not Invitation.objects.of(ours.id).exists()


@pytest.mark.parametrize(
    "altered", [{"role": "owner"}, {"email": "other@example.com"}, {"organizationId": "x"}, {"roles": ["owner"]}]
)
def test_accepting_an_invitation_takes_role_and_address_from_it_alone(altered: dict[str, Any], ours: Tenant) -> None:
    secret, email = tokens.new_secret(), f"invited-{number()}@example.com"
    with ours.scope():
        Invitation(
            organization_id=ours.id,
            email=email,
            email_normalized=email,
            role=ours.roles["viewer"],
            invited_by=ours.person("owner"),
            token_hash=tokens.digest(secret),
            expires_at=clock.now() + timedelta(days=1),
        ).save(force_insert=True)
    body = {"token": secret, "firstName": "New", "lastName": "Member", "password": PASSWORD}

    ApiClient("team").post("auth/accept-invitation", body | altered)
    ApiClient("team").post("auth/accept-invitation", body)

    with ours.scope():
        joined = User.objects.of(ours.id).get(email_normalized=email)
        assert not User.objects.of(ours.id).filter(email_normalized="other@example.com").exists()
    assert roles_of(ours, joined) == {"viewer"}


def test_staff_restore_nothing_they_could_not_delete(ours: Tenant) -> None:
    staff = ours.person("staff")
    contact = factories.make(Contact, ours, staff, deleted_at=clock.now())

    for surface, address in (("platform", "contacts"), ("platform", "customers"), ("team", "contacts")):
        assert client(ours, "staff", surface).post(f"{address}/{contact.pk}/restore").status_code == 403

    with ours.scope():
        assert Contact.objects.of(ours.id).get(pk=contact.pk).deleted_at is not None


@pytest.mark.parametrize("who", ["manager", "staff", "customer_experience", "viewer"])
def test_nobody_takes_over_an_owner_s_account(who: str, ours: Tenant) -> None:
    owner = ours.person("owner")
    asking = client(ours, who)
    before = evidence.fingerprint(ours)["accounts_user"]

    answers = [
        asking.post(f"users/{owner.pk}/password", {"new_password": PASSWORD}),
        asking.patch(f"users/{owner.pk}", {"email": "mine@example.com"}),
        asking.delete(f"users/{owner.pk}"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert evidence.fingerprint(ours)["accounts_user"] == before


def test_rights_over_users_do_not_reach_above_one_s_rank(ours: Tenant) -> None:
    holder = ours.holder("users:view", "users:update", "users:delete", "users:create")
    owner = ours.person("owner")
    asking = client(ours, holder)

    assert asking.patch(f"users/{owner.pk}", {"email": "mine@example.com"}).status_code == 403
    assert asking.patch(f"users/{holder.pk}", {"role": "tenant_admin"}).status_code == 403
    assert asking.post(f"users/{owner.pk}/password", {"new_password": PASSWORD}).status_code == 403
    assert asking.delete(f"users/{owner.pk}").status_code == 403
    made = asking.post(
        "users", {"email": "new@example.com", "full_name": "N", "role": "tenant_admin", "password": PASSWORD}
    )
    assert made.status_code == 403


def test_a_token_s_claims_must_belong_together(ours: Tenant, theirs: Tenant) -> None:
    owner, their_owner = ours.person("owner"), theirs.person("owner")
    mine, other = ours.session(owner).pk, theirs.session(their_owner).pk
    mixed = [
        {"user_id": owner.pk, "session_id": mine, "organization_id": theirs.id},
        {"user_id": their_owner.pk, "session_id": mine, "organization_id": ours.id},
        {"user_id": owner.pk, "session_id": other, "organization_id": ours.id},
        {"user_id": their_owner.pk, "session_id": other, "organization_id": ours.id},
        {"user_id": ours.person("manager").pk, "session_id": mine, "organization_id": ours.id},
    ]

    for claims in mixed:
        token = tokens.issue(**claims, lifetime=timedelta(minutes=5))[0]
        assert ApiClient("platform", token=token).get("me").status_code == 401


def test_an_answer_kept_under_an_idempotency_key_is_nobody_else_s(ours: Tenant, theirs: Tenant) -> None:
    body = {"first_name": "Same", "last_name": "Body"}
    made = [
        json.loads(client(tenant, who).post("contacts", body, headers={"Idempotency-Key": "shared-key"}).content)["id"]
        for tenant, who in ((theirs, "owner"), (ours, "owner"), (ours, "staff"), (ours, "owner"))
    ]

    assert len(set(made)) == 3
    assert made[1] == made[3]


def test_no_member_enters_the_back_office(ours: Tenant) -> None:
    owner = ours.join("administrator", [ours.roles["owner"]])
    with ours.scope():
        owner.set_password(PASSWORD)
        owner.save()
    browser = Client()

    assert not browser.login(username=owner.email, password=PASSWORD)
    page = browser.get("/admin/", headers={"Authorization": f"Bearer {ours.token(owner)}"})
    assert (page.status_code, page.headers["Location"].partition("?")[0]) == (302, "/admin/login/")
