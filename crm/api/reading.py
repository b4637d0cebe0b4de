"""Fast reads: a shape's fields become one projection, a page is one prepared statement, no model instance is made.

The rows to show are asked for by the ORM as ids (`page`), so that order and OFFSET run on an index alone; the
projection then joins owner, company and the like to just these ids. Both are compiled once where the question is
always the same, and replayed with another actor's ids.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BooleanField, Count, Model, QuerySet, UUIDField, Window
from django.db.models.expressions import RawSQL

from crm.api.shapes import Shape
from crm.api.surfaces import Page
from crm.core import sql, tallies
from crm.core.actor import Actor
from crm.core.replay import ANYBODY, Statement

Build = Callable[[Sequence[Any]], Any]
Rows = Callable[[Actor], QuerySet[Any]]

LARGEST_OFFSET = 2**31
DEEP = 1000  # rows to skip from which it pays to ask first where they end
NEWEST_FIRST = ("-created_at", "-id")
# What stands for the row's id and the page's numbers while a statement is compiled; no client can name it.
_ROW, _LIMIT, _OFFSET, _GROUPS, _REACH = (uuid4() for _ in range(5))
_BEFORE = datetime(1, 1, 2, tzinfo=UTC)


class Reader:
    """Reads rows of a model in a shape."""

    def __init__(self, model: type[Model], shape: type[Shape]) -> None:
        self.model = model
        self.annotations: dict[str, Any] = {}
        self.columns: list[str] = []
        makers: dict[str, Callable[..., Any]] = {}
        # Compiled, as dataclasses are: twenty fields of every row of every list pass through here.
        self.build: Build = eval(f"lambda row: {self._object(shape(), '', makers)}", makers)  # noqa: S307 - our own keys
        self._plans: dict[Any, Statement] = {}

    def page(
        self,
        actor: Actor,
        rows: Rows,
        *,
        order: Sequence[str],
        number: int,
        size: int,
        tally: str | None = None,
        plan: Any = None,
        filled: Mapping[Any, Any] | None = None,
    ) -> Page:
        """Return a page of `rows(actor)`. `tally` names the kept count of an unfiltered list; else matches are counted.

        `plan` identifies a question that is compiled once, `filled` what replaces its stand-ins this time.
        """
        offset = (number - 1) * size
        values = {**(filled or {}), _LIMIT: size}
        if offset > DEEP and tally and plan and actor.sees_all and tuple(order) == NEWEST_FIRST:
            start = tallies.month_reaching(actor, tally, offset)
            if start is not None:
                values[_BEFORE], passed = start
                rows, plan, offset = _created_before(rows), (plan, "deep"), offset - passed
        statement = self._page_statement(actor, rows, tuple(order), tally, plan)
        values[_OFFSET] = min(offset, LARGEST_OFFSET)
        values[_REACH] = values[_OFFSET] + size
        found = statement.run(actor, values)
        if found:
            return Page([self.build(row) for row in found], int(found[0][-1]), number, size)
        if number == 1:
            return Page([], 0, number, size)
        # Beyond the last page there is no row to carry the total: the first row is asked for it.
        first = statement.run(actor, values | {_LIMIT: 1, _OFFSET: 0})
        return Page([], int(first[0][-1]) if first else 0, number, size)

    def one(self, actor: Actor, rows: Rows, pk: UUID, *, plan: Any = None) -> Any | None:
        """Return the row of `rows(actor)` with this id in the shape, or None."""
        key = ("one", plan, actor.sees_all)
        statement = self._plans.get(key) if plan else None
        if statement is None:
            ids = rows(ANYBODY[actor.sees_all] if plan else actor).filter(pk=_ROW).order_by()
            statement = self._projected(_compiled(ids.values("pk")), ())
            if plan:
                self._plans[key] = statement
        found = statement.run(actor, {_ROW: pk})
        return self.build(found[0]) if found else None

    def all(self, rows: QuerySet[Any], *, order: Sequence[str] = ()) -> list[Any]:
        """Return every row of a bounded queryset in the shape."""
        statement = self._projected(_compiled(rows.order_by().values("pk")), tuple(order))
        return [self.build(row) for row in sql.fetch(statement.text, statement.params)]

    def tops(
        self,
        actor: Actor,
        rows: Rows,
        *,
        of: str,
        groups: Sequence[UUID | str],
        order: Sequence[str],
        number: int,
        size: int,
        plan: Any = None,
        filled: Mapping[Any, Any] | None = None,
    ) -> dict[str, list[Any]]:
        """Return a page of each group of `rows(actor)`, by the group's id: those whose column `of` names it.

        With an index on that column and the order, only the rows to show are read, however many a group has.
        """
        key = ("tops", plan, actor.sees_all, of, tuple(order))
        statement = self._plans.get(key) if plan else None
        if statement is None:
            statement = self._tops_statement(rows(ANYBODY[actor.sees_all] if plan else actor), of, tuple(order))
            if plan:
                self._plans[key] = statement
        offset = min((number - 1) * size, LARGEST_OFFSET)
        found = statement.run(actor, {**(filled or {}), _GROUPS: list(groups), _LIMIT: size, _OFFSET: offset})
        shown: dict[str, list[Any]] = {str(group): [] for group in groups}
        for row in found:
            shown[row[-1]].append(self.build(row))
        return shown

    def _tops_statement(self, rows: QuerySet[Any], of: str, order: tuple[str, ...]) -> Statement:
        group = RawSQL("groups.id", (), output_field=UUIDField())
        ids = rows.filter(**{of: group}).order_by(*order).values("pk")
        inner, inner_params = ids.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql()
        outer = self._outer(order, beside=of)
        each = f"unnest(%s::uuid[]) AS groups (id) CROSS JOIN LATERAL ({inner} LIMIT %s OFFSET %s) AS top"
        text = f"WITH page AS MATERIALIZED (SELECT top.pk FROM {each}) {outer.text}"  # noqa: S608 - compiled by the ORM
        return Statement(text, (_GROUPS, *inner_params, _LIMIT, _OFFSET, *outer.params))

    def _page_statement(
        self, actor: Actor, rows: Rows, order: tuple[str, ...], tally: str | None, plan: Any
    ) -> Statement:
        key = ("page", plan, actor.sees_all, order, tally)
        if plan and key in self._plans:
            return self._plans[key]
        asker = ANYBODY[actor.sees_all] if plan else actor
        total = self._tally(asker, tally) if tally else Window(Count("pk"))
        has_makers = getattr(self.model, "made_by", None) and not asker.sees_all
        if has_makers and isinstance(total, RawSQL) and order == NEWEST_FIRST:
            ids = self._merged(asker, rows(asker), total)
        else:
            ids = _compiled(rows(asker).order_by(*order).annotate(counted=total).values("pk", "counted"))
        statement = self._projected(ids, order, limited=True)
        if plan:
            self._plans[key] = statement
        return statement

    def _tally(self, actor: Actor, kind: str) -> RawSQL:
        """Return the kept count of what the actor may see; what is nobody's own is everybody's."""
        is_own = getattr(self.model, "owned_by", None) is not None and not actor.sees_all
        params = [actor.organization_id, tallies.counted_for(actor, kind), *([actor.user_id] if is_own else [])]
        statement = "(SELECT COALESCE(SUM(n), 0) FROM core_tally WHERE organization_id = %s AND kind = ANY(%s)"
        return RawSQL(f"{statement}{' AND owner_id = %s' if is_own else ''})", params)  # noqa: S611 - fixed text, bound parameters

    def _merged(self, asker: Actor, rows: QuerySet[Any], total: RawSQL) -> Statement:
        """Return the ids of what one owns and of what one made for others, newest first: two walks along two indexes.

        Asked for by OR, the planner would walk past everybody's rows until it has found a page of one's own.
        """
        model: Any = self.model
        parts = (rows.filter(**{model.owned_by: asker.user_id}), rows.filter(model.made_for_others(asker)))
        first, second = (_compiled(part.order_by(*NEWEST_FIRST).values("pk", "created_at")) for part in parts)
        both = f"({first.text} LIMIT %s) UNION ALL ({second.text} LIMIT %s)"
        text = f"SELECT pk, {total.sql} AS counted FROM ({both}) AS own ORDER BY created_at DESC, pk DESC"  # noqa: S608 - the ORM's own SQL
        return Statement(text, (*total.params, *first.params, _REACH, *second.params, _REACH))

    def _projected(self, ids: Statement, order: tuple[str, ...], *, limited: bool = False) -> Statement:
        outer = self._outer(order, limited=limited)
        window = " LIMIT %s OFFSET %s" if limited else ""
        text = f"WITH page AS MATERIALIZED ({ids.text}{window}) {outer.text}"
        window_params = (_LIMIT, _OFFSET) if limited else ()
        return Statement(text, (*ids.params, *window_params, *outer.params))

    def _outer(self, order: tuple[str, ...], *, limited: bool = False, beside: str = "") -> Statement:
        """Return the projection of the rows whose ids are in `page`; it depends on the shape and the order alone.

        `limited` adds the page's total as the last column, `beside` a column of this name.
        """
        key = ("outer", order, limited, beside)
        if key not in self._plans:
            # An array, not a join: with it the planner goes by primary key whatever it believes of the table's size.
            table = self.model._meta.db_table  # noqa: SLF001 - Django's documented model metadata
            condition = f'("{table}"."id" = ANY(ARRAY(SELECT pk FROM page)))'  # noqa: S608 - a table of our own
            among = RawSQL(condition, (), output_field=BooleanField())  # noqa: S611 - no value in it
            shown = self.model._base_manager.filter(among).order_by(*order)  # noqa: SLF001 - no tenant filter: `page` has it
            total = {"page_total": RawSQL("(SELECT counted FROM page LIMIT 1)", ())} if limited else {}
            columns = [*self.columns, *total, *filter(None, [beside])]
            annotated = shown.annotate(**self.annotations, **total).values_list(*columns)
            self._plans[key] = Statement(*annotated.query.sql_with_params())
        return self._plans[key]

    def _object(self, shape: Shape, prefix: str, makers: dict[str, Callable[..., Any]]) -> str:
        """Append the shape's columns and return the Python expression that makes an object of `row`."""
        start = len(self.columns)
        members = []
        for key, declared in shape.fields.items():
            field: Any = declared
            if field.write_only:
                continue
            index = len(self.columns)
            source = prefix + str(field.source).replace(".", "__")
            value = f"row[{index}]"
            if isinstance(field, Shape):
                value = self._object(field, prefix if field.source == "*" else f"{source}__", makers)
            elif hasattr(field, "assemble"):
                for column in field.columns:
                    self._add(prefix + column if isinstance(column, str) else column)
                makers[f"make_{index}"] = field.assemble
                value = f"make_{index}(*row[{index}:{len(self.columns)}])"
            elif hasattr(field, "expression"):
                self._add(field.expression(source))
            else:
                self._add(source)
            members.append(f"{key!r}: {value}")
        made = f"{{{', '.join(members)}}}"
        # A joined object is None where the join found nothing: its first column, the id, is null.
        return f"(None if row[{start}] is None else {made})" if prefix else made

    def _add(self, column: Any) -> None:
        """Append a column, or what an expression computes."""
        name = column if isinstance(column, str) else f"shape_{len(self.columns)}"
        if name is not column:
            self.annotations[name] = column
        self.columns.append(name)


def _compiled(ids: QuerySet[Any]) -> Statement:
    # A search for nothing but signs finds nothing: that is an empty page, which compilers else raise for.
    return Statement(*ids.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql())


def _created_before(rows: Rows) -> Rows:
    return lambda asker: rows(asker).filter(created_at__lt=_BEFORE)
