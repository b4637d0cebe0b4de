"""Promotions: who may use a code, and how uses are counted."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from commerce.models import Order, Promotion, PromotionUse
from commerce.services import order_terms
from contacts.models import Contact
from crm.core import clock
from crm.core.errors import Invalid
from crm.core.models import Event
from tests.support.clients import codes, fields

_numbers = count(1)


@pytest.fixture
def customer(acme):
    with acme.inside():
        return Contact.objects.of(acme.id).get(user=acme.customer)


def make(tenant, code, **fields):
    given = {"type": "percentage", "value": 1000, "currency": "USD", "code_normalized": code.lower()} | fields
    with tenant.inside():
        return Promotion.objects.create(organization_id=tenant.id, code=code, **given)


def order_of(tenant, customer):
    amounts = dict.fromkeys(("subtotal", "discount_total", "tax_total", "shipping_total", "total"), 0)
    number = f"ORD-{next(_numbers):08d}"
    return Order.objects.create(
        organization_id=tenant.id, order_number=number, customer=customer, currency="USD", **amounts
    )


def usable(tenant, customer, *codes):
    with tenant.inside():
        return [found.code for found in order_terms.promotions_for(tenant.actor("owner"), codes, customer.pk)]


def use(tenant, customer, *codes):
    actor = tenant.actor("owner")
    with tenant.inside():
        promotions = order_terms.promotions_for(actor, codes, customer.pk)
        order = order_of(tenant, customer)
        order_terms.redeem(actor, promotions, order, customer.pk)
        return order


def uses(tenant, code):
    with tenant.inside():
        return Promotion.objects.of(tenant.id).get(code=code).uses


def reason(refused):
    assert list(refused.value.details) == ["promotion_codes"]
    return refused.value.details["promotion_codes"]


def test_codes_are_found_case_aside_and_each_once(acme, customer):
    make(acme, "Save10")
    make(acme, "FIVE", type="fixed", value=500)

    assert usable(acme, customer, "five", "SAVE10", " save10 ", "Five") == ["FIVE", "Save10"]
    assert usable(acme, customer) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"active": False}, "There is no promotion code."),
        ({"deleted_at": clock.now()}, "There is no promotion code."),
        ({"starts_at": clock.now() + timedelta(hours=1)}, "CODE has not started yet."),
        ({"ends_at": clock.now() - timedelta(seconds=1)}, "CODE has ended."),
        ({"max_uses": 2, "uses": 2}, "CODE has been used up."),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(acme, customer, fields, said):
    make(acme, "CODE", **fields)

    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "code")
    assert reason(refused) == said


def test_another_organization_s_code_is_unknown(acme, other, customer):
    make(other, "THEIRS")

    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "THEIRS")
    assert reason(refused) == "There is no promotion THEIRS."


def test_uses_are_counted_per_customer_and_given_back_once(acme, customer):
    make(acme, "ONCE", max_uses=5, max_uses_per_user=1)
    with acme.inside():
        somebody = Contact.objects.create(organization_id=acme.id, first_name="Else")

    first = use(acme, customer, "once")
    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "ONCE")
    assert reason(refused) == "ONCE cannot be used again by this customer."
    assert usable(acme, somebody, "ONCE") == ["ONCE"]
    assert uses(acme, "ONCE") == 1

    for _ in range(2):
        with acme.inside():
            order_terms.give_back(acme.actor("owner"), first)
        assert uses(acme, "ONCE") == 0
    use(acme, customer, "ONCE")
    assert uses(acme, "ONCE") == 1


def test_a_code_that_everybody_uses_is_not_counted_through(acme, customer):
    promotion = make(acme, "CROWD", max_uses_per_user=3)
    with acme.inside():
        others = Contact.objects.bulk_create(Contact(organization_id=acme.id, first_name=f"{n}") for n in range(500))
        PromotionUse.objects.bulk_create(
            PromotionUse(organization_id=acme.id, promotion=promotion, customer=one, order=order_of(acme, one))
            for one in others
        )
    use(acme, customer, "CROWD")
    owner = acme.actor("owner")
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE commerce_promotionuse")

    with acme.inside(), connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        assert [found.used for found in order_terms.promotions_for(owner, ["CROWD"], customer.pk)] == [1]
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.captured_queries[0]['sql']}")
        (([plan],),) = cursor.fetchall()
    assert read_of(plan["Plan"], "commerce_promotionuse") == 1


def read_of(plan, table):
    """How many rows of a table the steps of a plan have looked at."""
    here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if plan.get("Relation Name") == table else 0
    return here * plan["Actual Loops"] + sum(read_of(step, table) for step in plan.get("Plans", ()))


def test_a_use_that_is_refused_leaves_nothing(acme, customer):
    make(acme, "FREE")
    last = make(acme, "LAST", max_uses=1)
    actor = acme.actor("owner")
    with acme.inside():
        promotions = order_terms.promotions_for(actor, ["FREE", "LAST"], customer.pk)
        Promotion.objects.filter(pk=last.pk).update(uses=1)  # another order was quicker

    with pytest.raises(Invalid) as refused, acme.inside():
        order_terms.redeem(actor, promotions, order_of(acme, customer), customer.pk)

    assert reason(refused) == "LAST has been used up."
    assert (uses(acme, "FREE"), uses(acme, "LAST")) == (0, 1)
    with acme.inside():
        assert not PromotionUse.objects.of(acme.id).exists()


def test_the_database_itself_counts_no_use_too_many(acme):
    promotion = make(acme, "LAST", max_uses=1, uses=1)

    with pytest.raises(IntegrityError, match="promotion_never_overused"), acme.inside(), transaction.atomic():
        Promotion.objects.filter(pk=promotion.pk).update(uses=2)


def test_reading_and_counting_uses_take_few_statements(acme, customer, django_assert_num_queries):
    for code in ("A", "B", "C"):
        make(acme, code, max_uses_per_user=2)
    actor = acme.actor("owner")
    with acme.inside():
        order = order_of(acme, customer)
        with django_assert_num_queries(0):
            assert order_terms.promotions_for(actor, [], customer.pk) == []
            order_terms.redeem(actor, [], order, customer.pk)
        with django_assert_num_queries(1):
            promotions = order_terms.promotions_for(actor, ["A", "B", "C"], customer.pk)
        with django_assert_num_queries(4):
            order_terms.redeem(actor, promotions, order, customer.pk)


# --- Set up on the Platform

SPRING = {
    "code": "SPRING",
    "type": "percentage",
    "value": 8.75,
    "starts_at": "2026-03-01T00:00:00Z",
    "ends_at": "2026-06-01T00:00:00Z",
    "minimum_total": 49.99,
    "max_uses": 100,
    "max_uses_per_user": 1,
    "active": True,
}


def events_of(tenant):
    with tenant.inside():
        found = Event.objects.of(tenant.id).filter(name__startswith="promotion.").order_by("recorded_at")
        return [(event.name, event.title, event.changes) for event in found]


def test_a_promotion_is_made_shown_changed_and_deleted(acme, client_for):
    manager, reader = client_for(acme.manager, "platform"), client_for(acme.viewer, "platform")

    created = manager.post("promotions", SPRING)
    assert created.status_code == 201
    made = created.json()
    assert {key: made[key] for key in SPRING} == SPRING
    assert set(made) == {*SPRING, "id", "currency", "uses", "created_at", "updated_at"}
    path = f"promotions/{made['id']}"
    assert reader.get(path).json() == reader.get("promotions").json()["items"][0] == made

    changed = manager.patch(path, {"type": "fixed", "value": "12.50", "max_uses": None, "ends_at": None})
    assert changed.status_code == 200
    assert (changed.json()["type"], changed.json()["value"], changed.json()["max_uses"]) == ("fixed", 12.5, None)
    assert manager.patch(path, {"type": "fixed"}).json() == changed.json()  # nothing changed

    assert manager.delete(path).json() == {"message": "Promotion deleted successfully"}
    assert reader.get(path).status_code == 404
    assert reader.get("promotions").json()["total"] == 0
    assert manager.post("promotions", SPRING).status_code == 201  # the code is free again
    assert [(name, title) for name, title, _ in events_of(acme)] == [
        ("promotion.created", "Promotion SPRING created"),
        ("promotion.updated", "Promotion SPRING updated"),
        ("promotion.deleted", "Promotion SPRING deleted"),
        ("promotion.created", "Promotion SPRING created"),
    ]
    assert events_of(acme)[1][2]["value"] == {"from": 875, "to": 1250}


def test_a_code_stands_once_in_an_organization(acme, other, client_for):
    manager = client_for(acme.manager, "platform")
    assert manager.post("promotions", SPRING).status_code == 201
    second = manager.post("promotions", SPRING | {"code": "AUTUMN"}).json()["id"]

    assert codes(manager.post("promotions", SPRING | {"code": " spring "})) == (409, "CONFLICT")
    assert codes(manager.patch(f"promotions/{second}", {"code": "Spring"})) == (409, "CONFLICT")
    assert client_for(other.manager, "platform").post("promotions", SPRING).status_code == 201
    assert [name for name, _, _ in events_of(acme)] == ["promotion.created"] * 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"type": "half"}, "type"),
        ({"value": None}, "value"),
        ({"value": 0}, "value"),
        ({"value": -5}, "value"),
        ({"value": 100.01}, "value"),
        ({"value": 8.755}, "value"),
        ({"value": "NaN"}, "value"),
        ({"type": "fixed", "value": 0}, "value"),
        ({"type": "fixed", "value": 0.001}, "value"),
        ({"type": "fixed", "value": 10**14}, "value"),
        ({"minimum_total": -1}, "minimum_total"),
        ({"minimum_total": 0.001}, "minimum_total"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 2**31}, "max_uses"),
        ({"max_uses_per_user": 0}, "max_uses_per_user"),
        ({"ends_at": "2026-03-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"uses_left": 1}, "uses_left"),
        ({"active": None}, "active"),
    ],
)
def test_a_bad_promotion_is_refused_by_field(acme, client_for, body, field):
    manager = client_for(acme.manager, "platform")
    made = manager.post("promotions", SPRING).json()

    for response in (
        manager.post("promotions", SPRING | {"code": "OTHER"} | body),
        manager.patch(f"promotions/{made['id']}", body),
    ):
        assert codes(response) == (422, "VALIDATION_ERROR")
        assert fields(response) == {field}
    assert manager.get("promotions").json()["items"] == [made]


def test_a_new_type_takes_a_new_value(acme, client_for):
    manager = client_for(acme.manager, "platform")
    path = f"promotions/{manager.post('promotions', SPRING).json()['id']}"

    assert fields(manager.patch(path, {"type": "fixed"})) == {"value"}


def test_uses_are_neither_written_nor_undercut(acme, customer, client_for):
    manager = client_for(acme.manager, "platform")
    path = f"promotions/{manager.post('promotions', {'code': 'TWO', 'type': 'fixed', 'value': 1}).json()['id']}"
    use(acme, customer, "TWO")
    use(acme, customer, "TWO")

    assert manager.patch(path, {"uses": 0}).json()["uses"] == 2
    assert fields(manager.patch(path, {"max_uses": 1})) == {"max_uses"}
    assert manager.patch(path, {"max_uses": 2}).status_code == 200
    with pytest.raises(Invalid) as refused:
        usable(acme, customer, "TWO")
    assert reason(refused) == "TWO has been used up."


def test_lists_are_filtered_and_sorted(acme, client_for):
    manager = client_for(acme.manager, "platform")
    for code, active in (("b", True), ("A", True), ("c", False)):
        manager.post("promotions", {"code": code, "type": "fixed", "value": 1, "active": active})

    def listed(**query):
        return [item["code"] for item in manager.get("promotions", **query).json()["items"]]

    assert listed() == ["c", "A", "b"]
    assert listed(sort="code") == ["A", "b", "c"]
    assert listed(active="false") == ["c"]
    assert codes(manager.get("promotions", active="maybe")) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["promotions", "shipping-methods", "tax-rates"])
def test_terms_are_read_by_members_and_written_by_managers(acme, client_for, path):
    for role in ("owner", "manager", "staff", "customer_experience", "viewer"):
        client = client_for(acme.users[role], "platform")
        assert client.get(path).status_code == 200
        assert client.post(path, {}).status_code == (422 if role in {"owner", "manager"} else 403)
    assert client_for(acme.customer, "platform").get(path).status_code == 403
