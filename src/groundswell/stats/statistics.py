"""The one place that answers: requests → compiled statements → answers.

Identical statements in flight are asked once. There is no cache of answers: events may always
still arrive for any window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from groundswell.errors import NotFound, UserError
from groundswell.model.series import SeriesAnswer, TableAnswer
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.compile import compile as compile_question
from groundswell.query.compile import needs as needs_of
from groundswell.query.question import Dataset, Limits, Question, Statement
from groundswell.stats import table, top_events
from groundswell.stats.decode import ISSUE_ID, Names
from groundswell.stats.flights import Flights
from groundswell.stats.memory import Memory
from groundswell.stats.releases import newest_first
from groundswell.stats.request import Asking, SeriesRequest, TableRequest
from groundswell.stats.timeseries import Columns, grid_of, outputs_of, plain_series
from groundswell.stats.volume import Volume
from groundswell.stats.world import catalog_of, names_of
from groundswell.store.engine import Lane
from groundswell.store.measurements import units_of
from groundswell.timeframe import TimeRange

if TYPE_CHECKING:
    from groundswell.config import Settings
    from groundswell.store.engine import Engine
    from groundswell.store.metadata import Metadata

LIGHT_WINDOW_S = 86_400 + 120
LIGHT_ROWS = 1_000_000
REMEMBERED_S = 30.0
MAX_RELEASES = 1000
# More than any request may select: the limits of requests were checked before.
MAX_COLUMNS = 200
NUMERIC_TYPES = frozenset(
    {"integer", "number", "duration", "percentage", "rate", "size", "boolean"}
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A statement, and what it answered with, by column."""

    statement: Statement
    columns: Columns


class Statistics:
    """Answers questions about the events of one installation."""

    def __init__(self, engine: Engine, metadata: Metadata, settings: Settings) -> None:
        self._engine = engine
        self._metadata = metadata
        self._flights: Flights[Columns] = Flights()
        self._volume = Volume(engine)
        # An exact quantile keeps every value, 8 bytes each.
        self._exact_rows = settings.integer("QUERY_EXACT_ROWS")
        self._environments_seen: Memory[tuple[ProjectId, str], bool] = Memory(REMEMBERED_S)
        self._units: Memory[tuple[tuple[ProjectId, ...], str], str] = Memory(REMEMBERED_S)
        self.retention = timedelta(days=settings.integer("RETENTION_DAYS"))
        self._limits = Limits(
            max_length=settings.integer("QUERY_MAX_LENGTH"),
            max_terms=settings.integer("QUERY_MAX_TERMS"),
            max_depth=settings.integer("QUERY_MAX_DEPTH"),
            max_columns=MAX_COLUMNS,
        )

    async def series(self, request: SeriesRequest) -> SeriesAnswer:
        """Answer with series: one per axis, or one per axis and group of the top events.

        Raises UserError for words that mean nothing, NotFound for an unknown environment,
        QueryTooHeavy where a limit was hit.
        """
        asking = request.asking
        grid = grid_of(request)
        answer = SeriesAnswer(
            series=(),
            start=grid.start,
            end=grid.end,
            interval_s=request.interval_s,
            dataset=asking.label,
            is_top_events=request.top is not None,
            is_extrapolated=asking.extrapolate,
        )
        if not asking.projects:
            return answer

        await self.require_environments(asking)
        question = replace(
            self._question(asking, tuple(dict.fromkeys(request.functions))),
            interval_s=request.interval_s,
            comparison_shift_s=request.comparison_s,
            aggregate_conditions=False,
        )
        if request.top is not None:
            return await self._top_events(request, question, answer)

        statement = await self.compile(question, asking.scope)
        _require_numbers(request, statement)
        columns = await self.run(statement, asking.window)
        series = plain_series(request, statement, columns, grid)
        return replace(answer, series=series, notes=statement.notes)

    async def _top_events(
        self, request: SeriesRequest, question: Question, answer: SeriesAnswer
    ) -> SeriesAnswer:
        assert request.top is not None
        asking, grid = request.asking, grid_of(request)
        plain = replace(question, comparison_shift_s=None)
        all_statement = await self.compile(plain, asking.scope)
        _require_numbers(request, all_statement)
        table_question = top_events.leaders_question(
            self._question(asking, ()), request.top, question.select
        )
        leading = await self.ask(table_question, asking.scope)
        names = await self.names(asking.scope, leading.statement, leading.columns)
        found = top_events.leaders(leading.statement, leading.columns, names, request.top)
        answer = replace(
            answer,
            column_types={column.name: (column.type, column.unit) for column in found.columns},
        )
        if not found.raw and found.columns:
            series = top_events.top_series(request, found, all_statement, None, grid)
            return replace(answer, series=series, notes=leading.statement.notes)

        split = await self.ask(replace(plain, groups=found.groups()), asking.scope)
        series = top_events.top_series(request, found, split.statement, split.columns, grid)
        notes = tuple(dict.fromkeys((*leading.statement.notes, *split.statement.notes)))
        return replace(answer, series=series, notes=notes)

    async def table(self, request: TableRequest) -> TableAnswer:
        """Answer with rows. Raises as `series`."""
        asking = request.asking
        if not asking.projects:
            return table.nothing(request)

        await self.require_environments(asking)
        question = replace(
            self._question(asking, request.fields),
            order_by=request.sort,
            limit=request.page.limit + 1,
            offset=request.page.offset,
            aggregate_conditions=request.aggregate_conditions,
            auto_fields=True,
        )
        answered = await self.ask(question, asking.scope)
        names = await self.names(asking.scope, answered.statement, answered.columns)
        return table.table_answer(request, answered.statement, answered.columns, names)

    async def ask(self, question: Question, scope: Scope) -> Answered:
        """Compile a question and run it."""
        statement = await self.compile(question, scope)
        return Answered(statement, await self.run(statement, question.window))

    async def records(self, question: Question, scope: Scope) -> list[dict[str, Any]]:
        """Ask a question for a table and give its raw rows by name as typed."""
        answered = await self.ask(question, scope)
        shown = [output for output in answered.statement.outputs if not output.hidden]
        names = [output.name for output in shown]
        values = [answered.columns[output.column] for output in shown]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    async def compile(self, question: Question, scope: Scope) -> Statement:
        """Compile a question in the world as its asker sees it. Raises UserError."""
        wanted = needs_of(question)
        releases: Mapping[ProjectId, tuple[str, ...]] = {}
        if wanted.releases:
            releases = await self._releases(question, scope)
        units = await self._measurement_units(question, wanted.measurement_units)
        catalog = await catalog_of(question, scope, wanted, self._metadata, releases)
        catalog = replace(catalog, measurement_units=units)
        statement = compile_question(question, catalog)
        if statement.keeps_values and await self._is_too_much(statement):
            return compile_question(replace(question, estimated_above=self._exact_rows), catalog)

        return statement

    async def _is_too_much(self, statement: Statement) -> bool:
        """Tell by the rows in the range alone, so that all statements of a chart agree."""
        rows = await self._volume.rows_of(statement)
        return rows is not None and rows > self._exact_rows

    async def run(self, statement: Statement, window: TimeRange) -> Columns:
        """Run a statement; one that is already running is not asked again."""
        lane = await self._lane(statement, window)

        async def fly() -> Columns:
            result = await self._engine.query(statement.sql, statement.params, lane=lane)
            return dict(zip(result.names, result.columns, strict=True))

        return await self._flights.share(statement.key, fly)

    async def _lane(self, statement: Statement, window: TimeRange) -> Lane:
        """Choose by how many rows lie in the range; where nobody knows, by its length."""
        rows = await self._volume.rows_of(statement)
        if rows is None:
            return Lane.LIGHT if window.seconds <= LIGHT_WINDOW_S else Lane.HEAVY

        return Lane.LIGHT if rows < LIGHT_ROWS else Lane.HEAVY

    async def names(self, scope: Scope, statement: Statement, columns: Columns) -> Names:
        """Fetch the names of the ids in an answer."""
        ids = (
            int(id)
            for output in statement.outputs
            if output.decode == "issue" or output.name == ISSUE_ID
            for id in columns[output.column]
            if id
        )
        return await names_of(scope, ids, self._metadata)

    async def require_environments(self, asking: Asking) -> None:
        """Check that each environment of a request is known from an event that its asker may see.

        Raises NotFound. The empty environment is always known.
        """
        unknown = await self.unknown_environments(asking)
        if unknown:
            raise NotFound

    async def unknown_environments(self, asking: Asking) -> tuple[str, ...]:
        """List the environments of a request of which there is no event."""
        projects = tuple(project.id for project in asking.scope.projects)
        seen = self._environments_seen
        missing = {
            name
            for name in asking.environments
            if name and not any(seen.get((project, name)) for project in projects)
        }
        end = max(asking.window.end, asking.now or asking.window.end)
        ever = TimeRange(min(asking.window.start, end - asking.retention), end)
        # Most often the window of the question itself has them, and is less to read.
        places = (
            (Dataset.DISCOVER, asking.window),
            *((dataset, ever) for dataset in (Dataset.DISCOVER, Dataset.SPANS, Dataset.FUNCTIONS)),
        )
        for dataset, window in places:
            if missing:
                found = await self._environments(dataset, window, asking.scope, missing)
                for project, name in found:
                    seen.put((project, name), True)
                    missing.discard(name)
        return tuple(name for name in asking.environments if name in missing)

    async def _environments(
        self, dataset: Dataset, window: TimeRange, scope: Scope, names: set[str]
    ) -> set[tuple[ProjectId, str]]:
        question = Question(
            dataset=dataset,
            window=window,
            projects=tuple(project.id for project in scope.projects),
            environments=tuple(sorted(names)),
            select=("project.id", "environment", "count()"),
            limits=self._limits,
        )
        answered = await self.ask(question, scope)
        columns = {output.name: output.column for output in answered.statement.outputs}
        pairs = zip(
            answered.columns[columns["project.id"]],
            answered.columns[columns["environment"]],
            strict=True,
        )
        return {(ProjectId(int(project)), str(name)) for project, name in pairs}

    async def _releases(
        self, question: Question, scope: Scope
    ) -> Mapping[ProjectId, tuple[str, ...]]:
        window = TimeRange(question.window.end - self.retention, question.window.end)
        answered = await self.ask(
            Question(
                dataset=Dataset.DISCOVER,
                window=window,
                projects=question.projects,
                select=("project.id", "release", "min(timestamp)"),
                search="has:release",
                order_by=("-min(timestamp)",),
                limit=MAX_RELEASES,
                limits=self._limits,
            ),
            scope,
        )
        columns = {output.name: output.column for output in answered.statement.outputs}
        return newest_first(
            answered.columns[columns["project.id"]], answered.columns[columns["release"]]
        )

    async def _measurement_units(
        self, question: Question, names: frozenset[str]
    ) -> Mapping[str, str]:
        projects = question.projects
        units = {name: self._units.get((projects, name)) for name in names}
        missing = sorted(name for name, unit in units.items() if unit is None)
        if missing:
            found = await units_of(self._engine, projects, missing, question.window)
            for name, unit in found.items():
                self._units.put((projects, name), unit)
            units |= found
        return {name: unit for name, unit in units.items() if unit is not None}

    def _question(self, asking: Asking, select: Sequence[str]) -> Question:
        return Question(
            dataset=asking.dataset,
            window=asking.window,
            projects=tuple(project.id for project in asking.projects),
            select=tuple(select),
            search=asking.search,
            environments=asking.environments,
            extrapolate=asking.extrapolate,
            limits=self._limits,
            now=asking.now,
            span_column=asking.source.span_column,
        )


def _require_numbers(request: SeriesRequest, statement: Statement) -> None:
    for axis, output in zip(request.axes, outputs_of(request, statement), strict=True):
        if not output.is_aggregate:
            raise UserError(
                f"yAxis {axis!r} is a field; a series needs a function such as count()",
                code="axis_not_aggregate",
                field="yAxis",
            )

        if output.type not in NUMERIC_TYPES:
            raise UserError(
                f"yAxis {axis!r} is a {output.type}, not a number that can be plotted",
                code="axis_not_numeric",
                field="yAxis",
            )
