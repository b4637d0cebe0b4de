"""What somebody of one organization could try against another. Each attempt returns what it achieved: nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import uuid4

from django.db.models import Model
from django.http import HttpResponse

from tests.isolation import evidence, factories, request_bodies
from tests.isolation.calls import Persona, ask, body_for, values_for
from tests.isolation.routes import Route, routes
from tests.isolation.tenants import Tenant

REFUSALS = frozenset({400, 403, 404, 409, 422})
# The beginning of the canaries' first word: a search finds them by it, and no answer that repeats it looks like one.
LURE = "canar"
NOT_NARROWING = frozenset({"page", "limit", "per_page", "pageSize", "page_size", "sort", "order", "seen"})


@dataclass
class Attack:
    """A persona of `ours` against `theirs`, and what came of it."""

    persona: Persona
    ours: Tenant
    theirs: Tenant
    findings: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        self.foreign = evidence.ids(self.theirs)
        self.before = evidence.fingerprint(self.theirs)

    def everything(self) -> list[str]:
        """Try it all, look at what is left behind, and return every finding."""
        for route in routes():
            self.ids_in_addresses(route)
            self.own_addresses(route)
            self.ids_in_queries(route)
            self.ids_in_bodies(route)
        return self.aftermath()

    def aftermath(self) -> list[str]:
        """Add what the attack changed or tied together."""
        for table in evidence.changes(self.before, evidence.fingerprint(self.theirs)):
            self.note(f"{table}: rows of theirs changed")
        for table in evidence.entangled(self.ours, self.theirs):
            self.note(f"{table}: a row of ours holds something of theirs")
        for subject in evidence.mailed(self.theirs):
            self.note(f"mail {subject!r} holds something of theirs")
        return self.findings

    def ids_in_addresses(self, route: Route) -> None:
        """Ask for theirs, by every parameter alone and by all of them; the answer is that for an id of nothing."""
        named = [parameter for parameter in route.parameters if parameter not in factories.VALUES]
        own = values_for(route, self.ours, self.persona.user, fresh=False) if named else {}
        body = body_for(route, self.ours)
        for parameters in _subsets(named):
            theirs = {
                name: str(factories.shared(factories.model_of(route, name), self.theirs).pk) for name in parameters
            }
            nothing = {name: str(uuid4()) for name in parameters}
            answer = self.ask(route, own | theirs, body)
            self.look(route, answer, f"their {', '.join(parameters)}", theirs.values())
            self.compare(route, answer, theirs, self.ask(route, own | nothing, body), nothing)
            if route.is_read:
                self.look(route, self.ask(route, own | theirs, method="HEAD"), "HEAD", theirs.values())

    def own_addresses(self, route: Route) -> None:
        """Read what is ours: lists, counts and details."""
        if route.is_read:
            values = values_for(route, self.ours, self.ours.person("staff"), fresh=False)
            self.look(route, self.ask(route, values), "a plain read")

    def ids_in_queries(self, route: Route) -> None:
        """Narrow lists by their ids and by words of theirs, in every query parameter the route looks at."""
        if not route.is_read:
            return
        values = values_for(route, self.ours, self.ours.person("staff"), fresh=False)
        for key in sorted(request_bodies.PARAMETERS_SEEN.get((route.view, route.action), set()) - NOT_NARROWING):
            self.look(route, self.ask(route, values, query=f"{key}={LURE}"), f"?{key}={LURE}")
            for model in _narrowing(route, key):
                theirs, nothing = str(factories.shared(model, self.theirs).pk), str(uuid4())
                answer = self.ask(route, values, query=f"{key}={theirs}")
                self.look(route, answer, f"?{key}= their {model.__name__}", [theirs])
                other = self.ask(route, values, query=f"{key}={nothing}")
                self.compare(route, answer, {key: theirs}, other, {key: nothing})

    def ids_in_bodies(self, route: Route) -> None:
        """Name their things in every place of a body that takes an id."""
        shape = request_bodies.shape_of(route)
        if shape is None or route.is_public:
            return
        for reference in request_bodies.references(shape, getattr(route.view, "model", None)):
            for model in reference.targets or factories.tenant_models():
                self.reference(
                    route, reference, str(factories.shared(model, self.theirs).pk), f"their {model.__name__}"
                )

    def reference(self, route: Route, reference: request_bodies.Reference, foreign: str, what: str) -> HttpResponse:
        """Name one foreign thing in one place: refused like an id of nothing, and nothing changed."""
        values = values_for(route, self.ours, self.persona.user, fresh=True)
        body, nothing = body_for(route, self.ours) or {}, str(uuid4())
        before = evidence.fingerprint(self.ours)
        answer = self.ask(route, values, reference.placed(body, foreign))
        after = evidence.fingerprint(self.ours)
        place = ".".join(reference.path)
        self.look(route, answer, f"{what} as {place}", [foreign])
        if answer.status_code not in REFUSALS:
            self.note(f"{route} took {what} as {place}: {answer.status_code} {answer.content[:160]!r}")
        elif changed := evidence.changes(before, after, but={"accounts_session"}):
            self.note(f"{route} refused {what} as {place} and yet changed {changed}")
        other = self.ask(route, values, reference.placed(body, nothing))
        self.compare(route, answer, {place: foreign}, other, {place: nothing})
        return answer

    def ask(self, route: Route, values: dict[str, Any], body: Any = None, **options: Any) -> HttpResponse:
        """Send one request as the persona."""
        self.requests += 1
        return ask(route, self.persona, values, body, **options)

    def look(self, route: Route, answer: HttpResponse, what: str, sent: Any = ()) -> None:
        """Note what the answer tells of theirs, and any that broke."""
        for leak in evidence.leaked(answer, self.theirs, self.foreign, sent):
            self.note(f"{route} with {what} tells {leak}")
        if answer.status_code >= 500 and answer.status_code != 503:
            self.note(f"{route} with {what} broke: {answer.status_code}")

    def compare(
        self,
        route: Route,
        answer: HttpResponse,
        asked: dict[str, str],
        other: HttpResponse,
        asked_other: dict[str, str],
    ) -> None:
        """Note where theirs looks different from nothing."""
        seen = evidence.appearance(answer, *asked.values())
        if seen != evidence.appearance(other, *asked_other.values()):
            self.note(f"{route} tells their {', '.join(asked)} from nothing: {seen[0]} and {other.status_code}")

    def note(self, finding: str) -> None:
        self.findings.append(f"as {self.persona.name}: {finding}")


def _subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    yield from combinations(names, 1)
    if len(names) > 1:
        yield tuple(names)


def _narrowing(route: Route, key: str) -> tuple[type[Model], ...]:
    """The models that a query parameter may name by id."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    renamed = {told: name for name, told in getattr(route.view, "renames", {}).items()}
    return request_bodies.targets(renamed.get(key, snake), getattr(route.view, "model", None))
