"""Parameters of a request → what is asked, with every rule of every parameter in one place.

Accepted without effect, because there is one store and no sampling in it: `referrer`, `sampling`,
`useRpc`, `preventMetricAggregates`, `useOnDemandMetrics`, `forceMetricsLayer`, `extrapolationMode`,
`disableAggregateExtrapolation`, `dashboardWidgetId`, `discoverSavedQueryId`, `debug`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.errors import UserError
from groundswell.model.tenancy import Project, Scope
from groundswell.query.question import Dataset
from groundswell.stats import parameters
from groundswell.stats.datasets import SOURCES, Source, source_of
from groundswell.stats.parameters import Page, Params
from groundswell.timeframe import TimeRange, choose_interval, parse_period, parse_range

MAX_TOP_EVENTS = 10
MAX_FIELDS = 20
MAX_AXES = 50
DEFAULT_AXIS = "count()"
LEGACY_AXES = {"event_count": "count()", "user_count": "count_unique(user)"}
EQUATION = "equation|"
ON_DEMAND_TYPES = ("simple_query", "dynamic_query")


@dataclass(frozen=True, slots=True)
class Asking:
    """What every question has: who asks, about which rows of which time.

    projects: empty where nothing is left to ask about; the answer is empty then. now: what
    relative dates in the search count from; None: the end of the window.
    """

    scope: Scope
    source: Source
    window: TimeRange
    projects: tuple[Project, ...]
    environments: tuple[str, ...] = ()
    search: str = ""
    retention: timedelta = timedelta(days=90)
    extrapolate: bool = False
    now: datetime | None = None

    @property
    def dataset(self) -> Dataset:
        return self.source.dataset

    @property
    def label(self) -> str:
        """The dataset as the client named it."""
        return self.source.label


@dataclass(frozen=True, slots=True)
class TopEvents:
    """Which groups get a series of their own: the first `limit` of a table of `fields`."""

    limit: int
    fields: tuple[str, ...]
    sort: tuple[str, ...] = ()
    with_other: bool = True


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """A question for series. `axes` as typed, `functions` as understood, one for one.

    partial keeps the bucket that holds the end, to_the_end the one that starts there as well;
    zerofill fills empty ones; names_as_typed puts the axis as typed instead of its alias into
    `meta`.
    """

    asking: Asking
    axes: tuple[str, ...] = (DEFAULT_AXIS,)
    functions: tuple[str, ...] = (DEFAULT_AXIS,)
    interval_s: int = 3600
    top: TopEvents | None = None
    comparison_s: int | None = None
    partial: bool = False
    to_the_end: bool = False
    zerofill: bool = True
    names_as_typed: bool = False


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A question for rows."""

    asking: Asking
    fields: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    page: Page = parameters.FIRST_PAGE
    paginate: bool = True
    aggregate_conditions: bool = True


def parse_series(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> SeriesRequest:
    """Read the parameters of `events-stats`.

    Raises UserError that names the parameter and what is allowed, NotAllowed for a project that
    the caller may not see. A request that is left without projects is not looked at further.
    """
    window, projects = _common(params, scope, now, retention)
    if not projects:
        return SeriesRequest(_nothing(scope, window, retention))

    axes = parameters.texts(params, "yAxis") or (DEFAULT_AXIS,)
    _at_most(len(axes), MAX_AXES, "yAxis")
    fields = _fields(params, "field")
    top = _top_events(params, fields, needs="field")
    asking = _asking(params, scope, now, window, projects, retention, axes + fields, top=top)
    functions = tuple(LEGACY_AXES.get(axis, axis) for axis in axes)
    return SeriesRequest(
        asking,
        axes=axes,
        functions=functions,
        interval_s=_interval(params, window, top),
        top=top,
        comparison_s=_comparison(params, window, functions, now - retention, top),
        partial=parameters.is_on(params, "partial"),
        zerofill=not parameters.is_on(params, "withoutZerofill"),
        names_as_typed=parameters.is_on(params, "transformAliasToInputFormat"),
    )


def parse_timeseries(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> SeriesRequest:
    """Read the parameters of `events-timeseries`: groups come in `groupBy`, buckets are all kept.

    Raises as `parse_series`.
    """
    window, projects = _common(params, scope, now, retention)
    if not projects:
        return SeriesRequest(_nothing(scope, window, retention))

    axes = parameters.texts(params, "yAxis") or (DEFAULT_AXIS,)
    _at_most(len(axes), MAX_AXES, "yAxis")
    groups = _fields(params, "groupBy")
    sort = parameters.sorting(params)
    if any(name == "timestamp" for name in groups):
        raise UserError("groupBy cannot be timestamp", code="group_by_time", field="groupBy")

    if any(name.lstrip("-") == "timestamp" for name in sort):
        raise UserError("sort cannot be timestamp", code="sort_by_time", field="sort")

    top = _top_events(params, groups, needs="groupBy")
    label = parameters.first(params, "dataset")
    if top is not None and label in SOURCES and not SOURCES[label].top_events:
        raise UserError(
            f"dataset {label} does not support topEvents", code="no_top_events", field="dataset"
        )

    asking = _asking(params, scope, now, window, projects, retention, axes + groups, top=top)
    functions = tuple(LEGACY_AXES.get(axis, axis) for axis in axes)
    return SeriesRequest(
        asking,
        axes=axes,
        functions=functions,
        interval_s=_interval(params, window, top),
        top=top,
        comparison_s=_comparison(params, window, functions, now - retention, top),
        to_the_end=True,
        names_as_typed=True,
    )


def parse_table(
    params: Params,
    scope: Scope,
    now: datetime,
    retention: timedelta,
    *,
    max_rows: int = parameters.DEFAULT_PER_PAGE,
) -> TableRequest:
    """Read the parameters of `events`.

    max_rows: the largest `per_page`. Raises as `parse_series`.
    """
    window, projects = _common(params, scope, now, retention)
    if not projects:
        return TableRequest(_nothing(scope, window, retention))

    page = parameters.page(params, maximum=max_rows)
    fields = _fields(params, "field")
    if not fields:
        raise UserError(
            "No columns selected: at least one field is needed", code="no_field", field="field"
        )

    return TableRequest(
        _asking(params, scope, now, window, projects, retention, fields),
        fields=fields,
        sort=parameters.sorting(params),
        page=page,
        paginate=parameters.first(params, "noPagination") is None,
        aggregate_conditions=parameters.first(params, "allowAggregateConditions") != "0",
    )


def parse_count(params: Params, scope: Scope, now: datetime, retention: timedelta) -> TableRequest:
    """Read the parameters of `events-meta`: how many events are there? Raises as `parse_series`."""
    window, projects = _common(params, scope, now, retention)
    if not projects:
        return TableRequest(_nothing(scope, window, retention))

    asking = _asking(params, scope, now, window, projects, retention, (DEFAULT_AXIS,))
    return TableRequest(asking, fields=(DEFAULT_AXIS,), page=Page(1, 0))


def _common(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> tuple[TimeRange, tuple[Project, ...]]:
    window = parse_range(params, now=now, retention=retention)
    return window, parameters.projects(params, scope)


def _nothing(scope: Scope, window: TimeRange, retention: timedelta) -> Asking:
    return Asking(scope, SOURCES["discover"], window, (), retention=retention)


def _asking(
    params: Params,
    scope: Scope,
    now: datetime,
    window: TimeRange,
    projects: tuple[Project, ...],
    retention: timedelta,
    columns: tuple[str, ...],
    *,
    top: TopEvents | None = None,
) -> Asking:
    search = parameters.first(params, "query") or ""
    source = source_of(parameters.first(params, "dataset"), search, columns)
    if top is not None and not source.top_events:
        source = Source(source.label, Dataset.DISCOVER)
    _check_on_demand(params)
    return Asking(
        scope,
        source,
        window,
        projects,
        environments=parameters.environments(params),
        search=source.narrowed(search),
        retention=retention,
        extrapolate=parameters.is_on(params, "extrapolate"),
        now=now,
    )


def _check_on_demand(params: Params) -> None:
    kind = parameters.first(params, "onDemandType")
    is_read = parameters.first(params, "useOnDemandMetrics") == "true" and kind is not None
    if is_read and kind not in ON_DEMAND_TYPES:
        raise UserError(
            f"onDemandType must be one of {', '.join(ON_DEMAND_TYPES)}; got {kind!r}",
            code="unknown_on_demand_type",
            field="onDemandType",
        )


def _fields(params: Params, name: str) -> tuple[str, ...]:
    _at_most(len(params.get(name, ())), MAX_FIELDS, name)
    return parameters.texts(params, name)


def _at_most(count: int, maximum: int, name: str) -> None:
    if count > maximum:
        raise UserError(
            f"At most {maximum} {name} parameters (fields and equations) are allowed, got {count}",
            code="too_many_fields",
            field=name,
        )


def _top_events(params: Params, fields: tuple[str, ...], *, needs: str) -> TopEvents | None:
    allowed = f"a whole number between 1 and {MAX_TOP_EVENTS}"
    limit = parameters.whole(params, "topEvents", allowed)
    if limit is None:
        return None

    if not 1 <= limit <= MAX_TOP_EVENTS:
        raise UserError(
            f"topEvents must be {allowed}, got {limit}", code="top_events_range", field="topEvents"
        )

    if not fields:
        raise UserError(
            f"No columns selected: topEvents needs at least one {needs} to group by",
            code="no_field",
            field=needs,
        )

    return TopEvents(
        limit,
        fields,
        sort=parameters.sorting(params),
        with_other=not parameters.is_on(params, "excludeOther"),
    )


def _interval(params: Params, window: TimeRange, top: TopEvents | None) -> int:
    """Choose the width by the period that was asked for, not by what rounding made of it."""
    requested = parameters.first(params, "interval")
    period_s = parse_period(parameters.first(params, "statsPeriod") or "")
    if period_s and period_s < window.seconds:
        window = TimeRange(window.end - timedelta(seconds=period_s), window.end)
    return choose_interval(window, requested, series=top.limit if top else 1)


def _comparison(
    params: Params,
    window: TimeRange,
    functions: tuple[str, ...],
    retained_since: datetime,
    top: TopEvents | None,
) -> int | None:
    """Read `comparisonDelta`; top events are never compared."""
    allowed = "a positive whole number of seconds"
    delta_s = parameters.whole(params, "comparisonDelta", allowed)
    if delta_s is None:
        return None

    if delta_s <= 0:
        raise UserError(
            f"comparisonDelta must be {allowed}, got {delta_s}",
            code="comparison_range",
            field="comparisonDelta",
        )

    if top is not None:
        return None

    if len(functions) > 1:
        raise UserError(
            "comparisonDelta allows only one yAxis (one column), "
            f"got {len(functions)}: {', '.join(functions)}",
            code="comparison_axes",
            field="comparisonDelta",
        )

    if delta_s > (window.start - retained_since).total_seconds():
        raise UserError(
            f"comparisonDelta of {delta_s} seconds reaches outside the retention: "
            f"events are kept since {retained_since.isoformat(timespec='seconds')}",
            code="outside_retention",
            field="comparisonDelta",
        )

    return delta_s
