"""The meaning of a question as a plan: what to read, group, calculate and order by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from groundswell.errors import UserError
from groundswell.query.catalog import Catalog
from groundswell.query.conditions.rows import condition
from groundswell.query.plan import routing
from groundswell.query.plan.aggregate_filters import call_of, calls_in, having, split
from groundswell.query.plan.buckets import RANK, TIME, bucket, packed
from groundswell.query.plan.comparison import with_comparison
from groundswell.query.plan.groups import rank_of
from groundswell.query.plan.selection import Item, Selector, expression_of
from groundswell.query.question import Dataset, Output, Question
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.datasets import functions_of
from groundswell.query.registry.fields import Field
from groundswell.query.registry.frame import TABLES_OF, Frame
from groundswell.query.registry.reader import MergedReader, Reader, TableReader
from groundswell.query.search.calls import alias_of, parse_call
from groundswell.query.search.parser import parse, refuse
from groundswell.query.search.tips import tips_of
from groundswell.query.search.tree import EVERYTHING, Filter, Node
from groundswell.query.sql.expression import (
    FALSE,
    TRUE,
    Column,
    Expression,
    Number,
    Value,
    Word,
    all_of,
    any_of,
    call,
    strings,
)
from groundswell.query.sql.select import Merge, Scan, Select
from groundswell.timeframe import TimeRange


def widest(question: Question) -> TimeRange:
    """Give the range that the scans cover: with the compared period, where there is one."""
    if question.comparison_shift_s is None:
        return question.window

    earlier = question.window.shifted(question.comparison_shift_s)
    return TimeRange(
        min(earlier.start, question.window.start), max(earlier.end, question.window.end)
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and how to read its answer."""

    select: Select
    outputs: tuple[Output, ...]
    table: str
    rank: str | None = None
    tips: Mapping[str, str | None] | None = None


class Planner:
    """Plans one question."""

    def __init__(self, question: Question, catalog: Catalog) -> None:
        self.question = question
        self.frame = Frame(
            dataset=question.dataset,
            window=question.window,
            now=question.now or question.window.end,
            catalog=catalog,
            span_column=question.span_column,
            interval_s=question.interval_s,
            extrapolate=question.extrapolate,
            estimated_above=question.estimated_above,
        )
        self.registry = functions_of(question.dataset)
        self.selector = Selector(
            question.dataset, self.registry, self.frame.field, self.frame.default_column
        )

    def plan(self) -> Planned:
        question = self.question
        tree = parse(question.search, question.limits)
        rows, aggregates = split(tree, self.registry)
        items = self._items()
        conditions = self._aggregate_conditions(aggregates, items)
        grouped = (
            self.selector.items(question.groups.columns) if question.groups is not None else []
        )
        tables = self._tables(rows, items, grouped, conditions)
        wheres = self._wheres(tables, rows)
        reader: Reader
        if len(wheres) == 1:
            reader = TableReader(next(iter(wheres)))
        else:
            reader = MergedReader(tuple(wheres))
        make = self._series if question.interval_s is not None else self._table
        return make(tree, items, grouped, conditions, wheres, reader)

    def _items(self) -> list[Item]:
        question = self.question
        if not question.select:
            raise UserError("field: no field (column) is selected", code="no_field", field="field")

        if len(question.select) > question.limits.max_columns:
            raise UserError(
                f"field: at most {question.limits.max_columns} columns can be selected",
                code="too_many_fields",
                field="field",
            )

        items = self.selector.items(question.select)
        if question.interval_s is not None:
            for item in items:
                if not item.is_aggregate:
                    raise UserError(
                        f"yAxis: {item.name} is not a function; a series needs an aggregate "
                        "such as count()",
                        code="no_aggregate",
                        field="yAxis",
                    )
        elif question.auto_fields:
            items = self._with_auto_fields(items)
        return items

    def _with_auto_fields(self, items: list[Item]) -> list[Item]:
        keys = {item.key for item in items}
        extra = []
        if not any(item.is_aggregate for item in items) and "id" not in keys:
            extra.append("id")
        projects = {"project", "project.name", "project.id", "project_id", "projectid"}
        if ("id" in keys or extra) and not keys & projects:
            extra.append("project.name")
        if "issue" in keys and "issue.id" not in keys:
            extra.append("issue.id")
        return [*items, *(self.selector.item(name) for name in extra)]

    def _aggregate_conditions(
        self, node: Node | None, items: list[Item]
    ) -> dict[str, tuple[Item, Filter]]:
        """Resolve the aggregates that the search filters by; notes where they do not count."""
        found: dict[str, tuple[Item, Filter]] = {}
        selected = {part.key for item in items for part in (item, *item.inputs)}
        any_selected = any(item.is_aggregate for item in items)
        for one in calls_in(node):
            item = self._filtered_by(one)
            if item.key not in selected and not (self.question.auto_aggregations and any_selected):
                raise UserError(
                    f"{one.key.text} is used in a condition but is not selected",
                    code="not_selected",
                    field="query",
                )

            found[one.key.text] = (item, one)
        if node is None:
            return {}

        self._having = node
        if not self.question.aggregate_conditions:
            for name in found:
                self.frame.note(f"{name} in the search has no effect on a series")
        return found

    def _filtered_by(self, one: Filter) -> Item:
        try:
            return self.selector.function(call_of(one), one.key.text)
        except UserError as error:
            raise refuse(error.message, one.at, code=error.code) from None

    def _tables(
        self,
        rows: Node | None,
        items: list[Item],
        grouped: list[Item],
        conditions: Mapping[str, tuple[Item, Filter]],
    ) -> tuple[str, ...]:
        if self.question.dataset is not Dataset.DISCOVER:
            return TABLES_OF[self.question.dataset]

        asked = [*items, *grouped, *(item for item, _ in conditions.values())]
        fields = [found for item in asked for found in item.fields()]
        for name in routing.fields_in(rows):
            found = self.frame.field(name)
            if found is not None:
                fields.append(found)
        return routing.tables(rows, fields, [table for item in asked for table in item.about()])

    def _wheres(self, tables: tuple[str, ...], rows: Node | None) -> dict[str, Expression]:
        """Compile the filters for each table; a table in which nothing can match is left out."""
        found = {}
        for table in tables:
            reader = TableReader(table)
            where = condition(self.frame, reader, rows or EVERYTHING)
            found[table] = all_of((where, self._environments(reader)))
        kept = {table: where for table, where in found.items() if where != FALSE}
        return kept or {tables[0]: FALSE}

    def _environments(self, reader: TableReader) -> Expression:
        names = self.question.environments
        if not names:
            return TRUE

        column = Column("environment")
        if len(names) == 1:
            return call("equals", column, Value(names[0]))

        return call("in", column, strings(names))

    def _source(
        self, wheres: Mapping[str, Expression], reader: Reader, extra: Expression = TRUE
    ) -> Scan | Merge:
        """Make the scans; called last, when the merged reader knows all that is read."""
        if isinstance(reader, MergedReader):
            return Merge(
                tuple(
                    Scan(one.table, wheres[one.table], columns=reader.columns(one))
                    for one in reader.readers
                )
            )

        [(table, where)] = wheres.items()
        return Scan(table, all_of((where, extra)))

    def _table(
        self,
        tree: Node,
        items: list[Item],
        grouped: list[Item],
        conditions: Mapping[str, tuple[Item, Filter]],
        wheres: Mapping[str, Expression],
        reader: Reader,
    ) -> Planned:
        has_aggregate = any(item.is_aggregate for item in items)
        plain = [item for item in items if not item.is_aggregate]
        self.frame.ungrouped = has_aggregate and not plain
        aggregates = Aggregates(self.frame, reader)
        columns, outputs = self._columns(items, aggregates)
        group_by = tuple(_group_key(item, aggregates) for item in plain) if has_aggregate else ()
        kept = self._kept(conditions, items, outputs, aggregates)
        order = self._order(items, outputs, has_aggregate, aggregates)
        source = self._source(wheres, reader)
        select = Select(
            source,
            columns,
            group_by=group_by,
            having=kept,
            order=order,
            limit=self.question.limit,
            offset=self.question.offset,
        )
        return Planned(select, outputs, "+".join(wheres), tips=tips_of(tree))

    def _columns(
        self, items: list[Item], aggregates: Aggregates
    ) -> tuple[tuple[tuple[str, Expression], ...], tuple[Output, ...]]:
        columns, outputs = [], []
        for at, item in enumerate(items):
            name = f"c{at}"
            columns.append((name, expression_of(item, aggregates)))
            outputs.append(
                Output(
                    name=item.name,
                    alias=item.alias,
                    column=name,
                    type=item.type,
                    unit=item.unit,
                    is_aggregate=item.is_aggregate,
                    decode=item.decode,
                )
            )
        return tuple(columns), tuple(outputs)

    def _kept(
        self,
        conditions: Mapping[str, tuple[Item, Filter]],
        items: list[Item],
        outputs: tuple[Output, ...],
        aggregates: Aggregates,
    ) -> Expression:
        if not conditions or not self.question.aggregate_conditions:
            return TRUE

        known = {
            item.key: Column(output.column) for item, output in zip(items, outputs, strict=True)
        }

        def item_of(node: Filter) -> tuple[Item, Expression]:
            item = conditions[node.key.text][0]
            found = known.get(item.key)
            return item, found if found is not None else expression_of(item, aggregates)

        return having(self.frame, self._having, item_of)

    def _order(
        self,
        items: list[Item],
        outputs: tuple[Output, ...],
        has_aggregate: bool,
        aggregates: Aggregates,
    ) -> tuple[tuple[Expression, bool], ...]:
        found = []
        for typed in self.question.order_by:
            descending = typed.startswith("-")
            at = _position(typed.removeprefix("-"), items)
            if at is None:
                raise UserError(
                    f"sort: cannot sort by {typed.removeprefix('-')}, a field that is not selected",
                    code="sort_not_selected",
                    field="sort",
                )

            found.append((self._sortable(items[at], outputs[at]), descending))
        if has_aggregate and self.question.limit is not None:
            # A page and the next one must not overlap: equal rows keep one order.
            used = {part for part, _ in found}
            for item, output in zip(items, outputs, strict=True):
                part = Column(output.column)
                if not item.is_aggregate and part not in used:
                    found.append((part, False))
        elif not found and not has_aggregate:
            found.append((aggregates.value_of("timestamp"), True))
        return tuple(found)

    def _sortable(self, item: Item, output: Output) -> Expression:
        column = Column(output.column)
        if item.decode != "project":
            return column

        projects = self.frame.catalog.projects
        if not projects:
            return column

        return call(
            "transform",
            column,
            Value(tuple(int(project) for project in projects), "Array(UInt64)"),
            strings(tuple(projects.values())),
            Word(""),
        )

    def _series(
        self,
        tree: Node,
        items: list[Item],
        grouped: list[Item],
        conditions: Mapping[str, tuple[Item, Filter]],
        wheres: Mapping[str, Expression],
        reader: Reader,
    ) -> Planned:
        question = self.question
        aggregates = Aggregates(self.frame, reader)
        columns, outputs = self._columns(items, aggregates)
        width = question.interval_s
        assert width is not None
        at = aggregates.value_of("timestamp")
        keys: list[tuple[str, Expression]] = [(TIME, bucket(at, width))]
        extra: Expression = TRUE
        if question.groups is not None:
            rank, listed = rank_of(grouped, question.groups, reader, aggregates)
            keys.append((RANK, rank))
            if not question.groups.with_other:
                extra = any_of(listed)
        if question.comparison_shift_s is not None:
            if isinstance(reader, MergedReader):
                aggregates.value_of("timestamp")
            source = self._source(wheres, reader, extra)
            select, outputs = with_comparison(
                source, keys, columns, outputs, question, width, at, merged_where(reader, extra)
            )
        else:
            source = self._source(wheres, reader, extra)
            select = Select(
                source,
                (*keys, *columns),
                where=merged_where(reader, extra),
                group_by=tuple(Column(name) for name, _ in keys),
                order=tuple((Column(name), False) for name, _ in reversed(keys)),
            )
            if question.groups is not None:
                select = packed(select, len(question.groups.rows) + 1)
        rank_name = RANK if question.groups is not None else None
        return Planned(select, outputs, "+".join(wheres), rank_name, tips=tips_of(tree))


def merged_where(reader: Reader, extra: Expression) -> Expression:
    """Conditions on a merged table stand outside of it."""
    return extra if isinstance(reader, MergedReader) else TRUE


def _group_key(item: Item, aggregates: Aggregates) -> Expression:
    if not isinstance(item.meaning, Field):
        return expression_of(item, aggregates)

    key = aggregates.reader.key(item.meaning)
    # A bare number would name a column by its position.
    return call("toUInt64", key) if isinstance(key, Number) else key


def _position(typed: str, items: list[Item]) -> int | None:
    function = parse_call(typed)
    text = function.text if function is not None else typed
    alias = alias_of(typed)
    for at, item in enumerate(items):
        if typed in {item.name, item.alias} or text == item.key or alias == item.alias:
            return at

    return None
