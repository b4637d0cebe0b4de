"""Fast reads: a serializer's fields become one projection, a page is one prepared statement, no model instance is made.

The rows to show are asked for by the ORM as ids (`page`), so that order and OFFSET run on an index alone; the
projection then joins owner, company and the like to just these ids. Both are compiled once under a cache key, with
`Param` for what differs from one run to the next.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.db.models import BooleanField, Count, Model, QuerySet, UUIDField, Window
from django.db.models.expressions import RawSQL

from crm.api.fields import SqlField
from crm.api.serializers import Serializer
from crm.api.surfaces import Page
from crm.core import counters
from crm.core.actor import Actor
from crm.core.db import TEMPLATE_ACTORS, CompiledStatement, Param, fetch

Build = Callable[[Sequence[Any]], Any]
Rows = Callable[[Actor], QuerySet[Any]]

LARGEST_OFFSET = 2**31
DEEP = 1000  # rows to skip from which it pays to ask first where they end
NEWEST_FIRST = ("-created_at", "-id")
# Of a page: its window, the row it ends at, and, on a deep one, the time before which its rows were created. No
# filter has a name with a dot.
_LIMIT, _OFFSET, _END, _CREATED_BEFORE = map(Param, ("page.limit", "page.offset", "page.end", "page.created_before"))
_PK, _GROUPS = Param("page.pk"), Param("page.groups")


@cache
def query_of(model: type[Model], serializer: type[Serializer]) -> "SerializerQuery":
    """Return the one query of a model by a serializer, whose keys are a surface's (`Surface.serializer`)."""
    return SerializerQuery(model, serializer)


class SerializerQuery:
    """The reads of a model by a serializer.

    `rows` is a function of an actor; under a `cache_key` it is called once for everybody of the actor's scope, and
    holds `Param(name)` for each of `values`. Without one it is compiled each time.
    """

    def __init__(self, model: type[Model], serializer: type[Serializer]) -> None:
        self.model = model
        self.annotations: dict[str, Any] = {}
        self.columns: list[str] = []
        makers: dict[str, Callable[..., Any]] = {}
        # Compiled, as dataclasses are: twenty fields of every row of every list pass through here.
        self.build: Build = eval(f"lambda row: {self._object(serializer(), '', makers)}", makers)  # noqa: S307 - our own keys
        self._statements: dict[Any, CompiledStatement] = {}

    def page(
        self,
        actor: Actor,
        rows: Rows,
        *,
        order: Sequence[str],
        number: int,
        size: int,
        counter: str | None = None,
        cache_key: Any = None,
        values: Mapping[str, Any] = {},
    ) -> Page:
        """Return a page of `rows(actor)`. `counter` is the row counter of an unfiltered list."""
        offset = (number - 1) * size
        window: dict[str, Any] = {}
        if offset > DEEP and counter and cache_key and actor.sees_all and tuple(order) == NEWEST_FIRST:
            start = counters.deep_page_start(actor, counter, offset)
            if start is not None:
                window[_CREATED_BEFORE.name], passed = start
                rows, cache_key, offset = _created_before(rows), (cache_key, "deep"), offset - passed
        statement = self._page_statement(actor, rows, tuple(order), counter, cache_key)
        offset = min(offset, LARGEST_OFFSET)
        window |= {_LIMIT.name: size, _OFFSET.name: offset, _END.name: offset + size}
        found = statement.run(actor, {**values, **window})
        if found:
            return Page([self.build(row) for row in found], int(found[0][-1]), number, size)
        if number == 1:
            return Page([], 0, number, size)
        # Beyond the last page there is no row to carry the total: the first row is asked for it.
        first = statement.run(actor, {**values, **window, _LIMIT.name: 1, _OFFSET.name: 0})
        return Page([], int(first[0][-1]) if first else 0, number, size)

    def one(self, actor: Actor, rows: Rows, pk: UUID, *, cache_key: Any = None) -> Any | None:
        """Return the row of `rows(actor)` with this id by the serializer, or None."""

        def compiled(actor: Actor) -> CompiledStatement:
            return self._projected(CompiledStatement.of(rows(actor).filter(pk=_PK).order_by().values("pk")), ())

        found = self._cached(("one", cache_key), actor, compiled).run(actor, {_PK.name: pk})
        return self.build(found[0]) if found else None

    def all(self, rows: QuerySet[Any], *, order: Sequence[str] = ()) -> list[Any]:
        """Return every row of a bounded queryset by the serializer."""
        statement = self._projected(CompiledStatement.of(rows.order_by().values("pk")), tuple(order))
        return [self.build(row) for row in fetch(statement.sql, statement.params)]

    def top_per_group(
        self,
        actor: Actor,
        rows: Rows,
        *,
        of: str,
        groups: Sequence[UUID | str],
        order: Sequence[str],
        number: int,
        size: int,
        cache_key: Any = None,
        values: Mapping[str, Any] = {},
    ) -> dict[str, list[Any]]:
        """Return a page of each group of `rows(actor)`, by the group's id: those whose column `of` names it.

        With an index on that column and the order, only the rows to show are read, however many a group has.
        """
        order = tuple(order)
        statement = self._cached(
            ("top_per_group", cache_key and (cache_key, of, order)),
            actor,
            lambda actor: self._top_per_group(rows(actor), of, order),
        )
        offset = min((number - 1) * size, LARGEST_OFFSET)
        window = {_GROUPS.name: list(groups), _LIMIT.name: size, _OFFSET.name: offset}
        pages: dict[str, list[Any]] = {str(group): [] for group in groups}
        for row in statement.run(actor, {**values, **window}):
            pages[row[-1]].append(self.build(row))
        return pages

    def _cached(
        self, key: tuple[str, Any], actor: Actor, compiled: Callable[[Actor], CompiledStatement]
    ) -> CompiledStatement:
        """Return the statement under a key whose second part is not None, compiled at its first use, else a new one."""
        if key[1] is None:
            return compiled(actor)
        scoped = (key, actor.sees_all)
        if scoped not in self._statements:
            self._statements[scoped] = compiled(TEMPLATE_ACTORS[actor.sees_all])
        return self._statements[scoped]

    def _top_per_group(self, rows: QuerySet[Any], of: str, order: tuple[str, ...]) -> CompiledStatement:
        group = RawSQL("groups.id", (), output_field=UUIDField())
        ids = CompiledStatement.of(rows.filter(**{of: group}).order_by(*order).values("pk"))
        outer = self._outer(order, extra=of)
        each = f"unnest(%s::uuid[]) AS groups (id) CROSS JOIN LATERAL ({ids.sql} LIMIT %s OFFSET %s) AS top"
        sql = f"WITH page AS MATERIALIZED (SELECT top.pk FROM {each}) {outer.sql}"  # noqa: S608 - compiled by the ORM
        return CompiledStatement(sql, (_GROUPS, *ids.params, _LIMIT, _OFFSET, *outer.params))

    def _page_statement(
        self, actor: Actor, rows: Rows, order: tuple[str, ...], counter: str | None, cache_key: Any
    ) -> CompiledStatement:
        def compiled(actor: Actor) -> CompiledStatement:
            total = self._counted(actor, counter) if counter else Window(Count("pk"))
            has_makers = getattr(self.model, "made_by", None) and not actor.sees_all
            if has_makers and isinstance(total, RawSQL) and order == NEWEST_FIRST:
                ids = self._merged(actor, rows(actor), total)
            else:
                counted = rows(actor).order_by(*order).annotate(counted=total)
                ids = CompiledStatement.of(counted.values("pk", "counted"))
            return self._projected(ids, order, limited=True)

        return self._cached(("page", cache_key and (cache_key, order, counter)), actor, compiled)

    def _counted(self, actor: Actor, kind: str) -> RawSQL:
        """Return the SQL of the row counter of what the actor may see; what is nobody's own is everybody's."""
        is_own = getattr(self.model, "owned_by", None) is not None and not actor.sees_all
        params = [actor.organization_id, counters.counter_kinds(actor, kind), *([actor.user_id] if is_own else [])]
        statement = "(SELECT COALESCE(SUM(n), 0) FROM core_rowcounter WHERE organization_id = %s AND kind = ANY(%s)"
        return RawSQL(f"{statement}{' AND owner_id = %s' if is_own else ''})", params)  # noqa: S611 - fixed text, bound parameters

    def _merged(self, actor: Actor, rows: QuerySet[Any], total: RawSQL) -> CompiledStatement:
        """Return the ids of what one owns and of what one made for others, newest first: two walks along two indexes.

        Asked for by OR, the planner would walk past everybody's rows until it has found a page of one's own.
        """
        model: Any = self.model
        parts = (rows.filter(**{model.owned_by: actor.user_id}), rows.filter(model.made_for_others(actor)))
        first, second = (
            CompiledStatement.of(part.order_by(*NEWEST_FIRST).values("pk", "created_at")) for part in parts
        )
        both = f"({first.sql} LIMIT %s) UNION ALL ({second.sql} LIMIT %s)"
        sql = f"SELECT pk, {total.sql} AS counted FROM ({both}) AS own ORDER BY created_at DESC, pk DESC"  # noqa: S608 - the ORM's own SQL
        return CompiledStatement(sql, (*total.params, *first.params, _END, *second.params, _END))

    def _projected(self, ids: CompiledStatement, order: tuple[str, ...], *, limited: bool = False) -> CompiledStatement:
        outer = self._outer(order, limited=limited)
        window = " LIMIT %s OFFSET %s" if limited else ""
        sql = f"WITH page AS MATERIALIZED ({ids.sql}{window}) {outer.sql}"
        window_params = (_LIMIT, _OFFSET) if limited else ()
        return CompiledStatement(sql, (*ids.params, *window_params, *outer.params))

    def _outer(self, order: tuple[str, ...], *, limited: bool = False, extra: str = "") -> CompiledStatement:
        """Return the projection of the rows whose ids are in `page`; it depends on the serializer and the order alone.

        `limited` adds the page's total as the last column, `extra` a column of this name.
        """
        key = ("outer", order, limited, extra)
        if key not in self._statements:
            # An array, not a join: with it the planner goes by primary key whatever size it estimates for the table.
            table = self.model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
            condition = f'("{table}"."id" = ANY(ARRAY(SELECT pk FROM page)))'  # noqa: S608 - a table of our own
            among = RawSQL(condition, (), output_field=BooleanField())  # noqa: S611 - no value in it
            rows = self.model._base_manager.filter(among).order_by(*order)  # noqa: SLF001 - no tenant filter: `page` has it
            total = {"page_total": RawSQL("(SELECT counted FROM page LIMIT 1)", ())} if limited else {}
            columns = [*self.columns, *total, *filter(None, [extra])]
            annotated = rows.annotate(**self.annotations, **total).values_list(*columns)
            self._statements[key] = CompiledStatement.of(annotated)
        return self._statements[key]

    def _object(self, serializer: Serializer, prefix: str, makers: dict[str, Callable[..., Any]]) -> str:
        """Append the serializer's columns and return the Python expression that makes an object of `row`."""
        start = len(self.columns)
        members = []
        for key, declared in serializer.fields.items():
            field: Any = declared
            if field.write_only:
                continue
            index = len(self.columns)
            source = prefix + str(field.source).replace(".", "__")
            value = f"row[{index}]"
            if isinstance(field, Serializer):
                value = self._object(field, prefix if field.source == "*" else f"{source}__", makers)
            elif isinstance(field, SqlField) and field.columns is not None:
                for column in field.columns:
                    self._add(prefix + column if isinstance(column, str) else column)
                makers[f"make_{index}"] = cast(Callable[..., Any], field.from_row)
                value = f"make_{index}(*row[{index}:{len(self.columns)}])"
            elif isinstance(field, SqlField):
                self._add(field.sql(source))
            else:
                self._add(source)
            members.append(f"{key!r}: {value}")
        made = f"{{{', '.join(members)}}}"
        # A joined object is None where the join found nothing: its first column, the id, is null.
        return f"(None if row[{start}] is None else {made})" if prefix else made

    def _add(self, column: Any) -> None:
        """Append a column, or what an expression computes."""
        name = column if isinstance(column, str) else f"field_{len(self.columns)}"
        if name is not column:
            self.annotations[name] = column
        self.columns.append(name)


def _created_before(rows: Rows) -> Rows:
    return lambda actor: rows(actor).filter(created_at__lt=_CREATED_BEFORE)
