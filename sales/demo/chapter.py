"""The chapter of sales: a second pipeline, deals that move through both, and what there is to do."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from uuid import UUID

from contacts.demo.chapters import YEAR, Telling
from contacts.demo.copying import id_at, insert, row_of
from contacts.demo.customers import customers_of
from contacts.demo.telling import Chronicle
from contacts.models import Contact
from crm.core import clock
from crm.core.actor import system_actor
from crm.core.db import tenant
from crm.core.models import Event
from sales.demo import words
from sales.demo.invention import Invention, Party, Track
from sales.demo.loading import Course, Loader
from sales.models import Pipeline, Stage

PARTNERSHIPS = "Partnerships"
A_MONTH = timedelta(days=30)
MOST = 5_000  # deals, unless more are asked for


def add_options(parser: ArgumentParser) -> None:
    """Declare `--deals` and `--activities`."""
    parser.add_argument("--deals", type=int, help=f"default: 3 for 8 contacts, at most {MOST:,}")
    parser.add_argument("--activities", type=int, help=f"default: 5 for 4 contacts, at most {2 * MOST:,}")


def tell(telling: Telling) -> None:
    """Write pipelines, deals with their moves, and activities."""
    began, contacts = time.monotonic(), telling.options["contacts"]
    deals_wanted = _asked(telling, "deals", min(contacts * 3 // 8, MOST))
    activities_wanted = _asked(telling, "activities", min(contacts * 5 // 4, 2 * MOST))
    courses, zone = _courses(telling), telling.organization.timezone
    with tenant(telling.organization_id):
        parties = [contact for contact in customers_of(telling.organization_id) if not contact.user_id]
    workers = {worker.pk: at for at, worker in enumerate(telling.workers)}

    def party(at: int, contact: Contact) -> Party:
        owner = workers[contact.owner_id] if contact.owner_id in workers else at % len(workers)
        return Party(str(contact), contact.company.name if contact.company else "", owner, contact.created_at)

    invention = Invention(
        telling.seed,
        tracks=[
            Track([stage.kind for stage in course.stages], things)
            for course, things in zip(courses, (words.GOODS, words.PARTNERSHIPS), strict=True)
        ],
        parties=[party(at, contact) for at, contact in enumerate(parties)],
        zones=[worker.timezone for worker in telling.workers],
        currency=telling.organization.currency,
        today=telling.today,
        month_began=clock.month_bounds(clock.today(zone), zone)[0],
    )
    loader = Loader(telling, courses, parties)
    deals = list(invention.deals(deals_wanted))
    loader.load_deals(deals)
    loader.load_activities(invention.activities(activities_wanted, deals))
    telling.say(f"{deals_wanted:,} deals, {activities_wanted:,} activities, {time.monotonic() - began:.1f} s")


def _asked(telling: Telling, option: str, usual: int) -> int:
    requested = telling.options[option]
    return usual if requested is None else int(requested)


def _courses(telling: Telling) -> list[Course]:
    """Return the default pipeline and the one for partnerships, which is made where there is none."""
    actor = system_actor(telling.organization_id)
    with tenant(telling.organization_id):
        living = Pipeline.objects.of(actor).alive()
        chosen = [living.get(is_default=True), living.filter(name=PARTNERSHIPS).first() or _partnerships(telling)]
        rows = Stage.objects.of(actor).filter(pipeline__in=chosen).order_by("position")
        by_pipeline = {
            pipeline.pk: [stage for stage in rows if stage.pipeline_id == pipeline.pk] for pipeline in chosen
        }
    return [Course(pipeline, by_pipeline[pipeline.pk]) for pipeline in chosen]


def _partnerships(telling: Telling) -> Pipeline:
    """Make the second pipeline, as old as the business."""
    maker, at = telling.workers[0], telling.today - YEAR - A_MONTH
    made = {"organization_id": telling.organization_id, "created_at": at, "updated_at": at}
    pipeline = Pipeline(id=UUID(id_at(at)), name=PARTNERSHIPS, **made)
    insert(Pipeline, [row_of(pipeline)])
    insert(
        Stage,
        [
            row_of(
                Stage(
                    id=UUID(id_at(at)),
                    pipeline=pipeline,
                    name=name,
                    position=position,
                    probability=probability,
                    kind=kind,
                    **made,
                )
            )
            for position, (name, (probability, kind)) in enumerate(words.STAGES_OF_PARTNERSHIP.items())
        ],
    )
    title, metadata = f"Pipeline {pipeline} created", {"stages": list(words.STAGES_OF_PARTNERSHIP), "is_default": False}
    event = Chronicle(telling.organization_id.hex).event
    insert(Event, [event("pipeline.created", pipeline, at, title=title, actor_id=maker.pk, metadata=metadata)])
    return pipeline
