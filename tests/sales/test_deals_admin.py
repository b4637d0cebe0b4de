"""The back office of pipelines and deals, over HTTP, signed in as an operator."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.services import contacts
from crm.core.models import Event
from sales.models import Deal, Pipeline, Stage
from sales.services import deals, pipelines
from tests.support.back_office import saved, text_of, within


@pytest.fixture
def chair(acme):
    with acme.inside():
        actor = acme.actor("manager")
        ada = contacts.create_contact(actor, first_name="Ada")
        return deals.create_deal(actor, title="Chair", amount=Decimal(1500), currency="EUR", contact_id=ada.pk)


@pytest.fixture
def partners(acme):
    with acme.inside():
        return pipelines.create_pipeline(acme.actor("owner"), name="Partners", seed=True)


def names_of(tenant, pk):
    with tenant.inside():
        return list(Event.objects.of(tenant.id).filter(subject_id=pk).order_by("id").values_list("name", flat=True))


def rows(tenant, model, **filters):
    with tenant.inside():
        return list(model.objects.of(tenant.id).filter(**filters).select_related())


def deal_form(deal, **changed):
    """The fields of a deal's page as a browser would send them."""
    told = {name: getattr(deal, name) for name in ("title", "currency", "priority", "source", "description")}
    told |= {"contact": deal.contact_id, "owner": deal.owner_id, "stage": deal.stage_id, "amount": deal.amount / 100}
    return {name: "" if value is None else value for name, value in (told | changed).items()}


def stages_form(pipeline, stages, *, new=(), **changed):
    """The fields of a pipeline's page as a browser would send them; `changed` by a stage's name."""
    told = {"name": pipeline.name, "stages-TOTAL_FORMS": len(stages) + len(new), "stages-INITIAL_FORMS": len(stages)}
    for number, stage in enumerate(stages):
        fields = {name: getattr(stage, name) for name in ("name", "probability", "kind", "position")}
        fields |= {"id": stage.pk, "pipeline": pipeline.pk} | changed.get(stage.name, {})
        told |= {f"stages-{number}-{name}": value for name, value in fields.items()}
    for number, fields in enumerate(new, start=len(stages)):
        told |= {f"stages-{number}-{name}": value for name, value in {"pipeline": pipeline.pk, **fields}.items()}
    return told


def test_a_deal_is_found_and_changed_by_the_service(acme, chair, back_office):
    address = f"/admin/sales/deal/{chair.pk}/change/"
    assert "Chair" in text_of(back_office.get("/admin/sales/deal/", {"q": "cha ada", **within(acme)}))
    assert "Chair" in text_of(back_office.get("/admin/sales/deal/", {"q": str(chair.pk)}))
    assert "Chair" not in text_of(back_office.get("/admin/sales/deal/", {"q": "cha"}))
    page = text_of(back_office.get(address))
    assert 'value="1500.00"' in page
    assert "Sales: Negotiation" in page

    saved(back_office.post(address, deal_form(chair, title="Table", amount="1750.50")))

    (deal,) = rows(acme, Deal, pk=chair.pk)
    assert (deal.title, deal.amount, deal.contact_id) == ("Table", 175050, chair.contact_id)
    assert names_of(acme, chair.pk) == ["deal.created", "deal.updated"]


def test_a_decided_deal_of_a_deleted_pipeline_is_changed_where_it_stands(acme, partners, back_office):
    (won,) = rows(acme, Stage, name="Won", pipeline=partners)
    with acme.inside():
        deal = deals.create_deal(acme.actor("manager"), title="Chair", stage_id=won.pk)
        pipelines.delete_pipeline(acme.actor("owner"), partners)

    saved(back_office.post(f"/admin/sales/deal/{deal.pk}/change/", deal_form(deal, title="Table")))

    (changed,) = rows(acme, Deal, pk=deal.pk)
    assert (changed.title, changed.stage_id, names_of(acme, deal.pk)) == (
        "Table",
        won.pk,
        ["deal.created", "deal.updated"],
    )


def test_another_stage_is_a_move(acme, chair, back_office):
    (won,) = rows(acme, Stage, name="Won")

    saved(back_office.post(f"/admin/sales/deal/{chair.pk}/change/", deal_form(chair, stage=won.pk)))

    (deal,) = rows(acme, Deal, pk=chair.pk)
    assert (deal.status, deal.stage_id, deal.closed_at is not None) == ("won", won.pk, True)
    assert names_of(acme, chair.pk) == ["deal.created", "deal.moved"]


def test_another_organization_s_stage_or_contact_is_refused(acme, other, chair, back_office):
    address = f"/admin/sales/deal/{chair.pk}/change/"
    with other.inside():
        stranger = contacts.create_contact(other.actor("owner"), first_name="Foreign")

    refused = back_office.post(address, deal_form(chair, contact=stranger.pk))
    assert "This belongs to another organization." in text_of(refused)
    refused = back_office.post(address, deal_form(chair, stage=rows(other, Stage)[0].pk))
    assert "Select a valid choice" in text_of(refused)
    assert names_of(acme, chair.pk) == ["deal.created"]


def test_a_deal_is_made_in_an_organization(acme, back_office):
    page = "/admin/sales/deal/add/"
    assert back_office.get(page).status_code == 200

    saved(back_office.post(page, {"tenant": str(acme.id), "title": "New", "amount": "10.5", "priority": "high"}))

    (deal,) = rows(acme, Deal)
    assert (deal.title, deal.amount, deal.currency, deal.stage.name) == ("New", 1050, "USD", "Lead")
    assert names_of(acme, deal.pk) == ["deal.created"]


def test_deals_are_deleted_and_restored_by_the_services(acme, chair, back_office):
    def act(action):
        body = {"action": action, "_selected_action": [str(chair.pk)]}
        return text_of(back_office.post("/admin/sales/deal/", body, follow=True))

    assert "1 deleted." in act("delete_rows")
    assert "1 restored." in act("restore_rows")
    assert names_of(acme, chair.pk) == ["deal.created", "deal.deleted", "deal.restored"]


def test_a_pipeline_is_made_with_its_stages(acme, back_office):
    page = "/admin/sales/pipeline/add/"
    assert back_office.get(page).status_code == 200

    saved(
        back_office.post(
            page,
            {
                "tenant": str(acme.id),
                "name": "Partners",
                "seed": "on",
                "stages-TOTAL_FORMS": 1,
                "stages-INITIAL_FORMS": 0,
                "stages-0-name": "First",
                "stages-0-position": 0,
                "stages-0-probability": 5,
                "stages-0-kind": "open",
            },
        )
    )

    (pipeline,) = rows(acme, Pipeline, name="Partners")
    stages = sorted(rows(acme, Stage, pipeline=pipeline), key=lambda stage: stage.position)
    assert [stage.name for stage in stages][:3] == ["First", "Lead", "Qualified"]
    assert (len(stages), stages[0].probability) == (7, 5)


def test_stages_are_ordered_changed_added_and_removed_by_the_services(acme, partners, back_office, order):
    address = f"/admin/sales/pipeline/{partners.pk}/change/"
    assert "Negotiation" in text_of(back_office.get(address))
    stages = sorted(rows(acme, Stage, pipeline=partners), key=lambda stage: stage.position)
    body = stages_form(
        partners,
        stages,
        new=[{"name": "Trial", "position": 1, "probability": 30, "kind": "open"}],
        Proposal={"position": 0},
        Lead={"name": "Suspect"},
        Negotiation={"DELETE": "on"},
    )

    saved(back_office.post(address, body))

    assert order(partners.pk) == ["Proposal", "Trial", "Suspect", "Qualified", "Won", "Lost"]
    assert names_of(acme, partners.pk) == ["pipeline.created"]


def test_a_refusal_is_told_and_nothing_is_saved(acme, partners, back_office, order):
    stages = sorted(rows(acme, Stage, pipeline=partners), key=lambda stage: stage.position)
    with acme.inside():
        deals.create_deal(acme.actor("manager"), title="Chair", stage_id=stages[1].pk)
    address = f"/admin/sales/pipeline/{partners.pk}/change/"

    refused = back_office.post(
        address, stages_form(partners, stages, Lead={"name": "X"}, Qualified={"kind": "won"}), follow=True
    )
    assert "Move its opportunities elsewhere" in text_of(refused)
    refused = back_office.post(address, stages_form(partners, stages, Lead={"name": "X"}, Qualified={"DELETE": "on"}))
    assert "protected related objects" in text_of(refused)
    assert order(partners.pk)[:2] == ["Lead", "Qualified"]


@pytest.mark.parametrize("model", ["deal", "pipeline"])
def test_a_list_counts_no_further_than_it_shows_and_reads_no_row_alone(acme, back_office, model):
    def make(count):
        actor = acme.actor("manager")
        with acme.inside():
            for number in range(count):
                deals.create_deal(actor, title=f"D{number}")
                pipelines.create_pipeline(actor, name=f"P{number}")

    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            text_of(back_office.get(f"/admin/sales/{model}/", query))
        return [query["sql"] for query in captured]

    make(3)
    few = queries(**within(acme))
    make(15)

    assert len(queries(**within(acme))) == len(few)
    counts = [statement for statement in queries() if "COUNT(" in statement.upper() and f"sales_{model}" in statement]
    assert counts
    assert all("LIMIT 1000" in statement for statement in counts)
