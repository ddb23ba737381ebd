"""The functions of spans."""

# ruff: noqa: E501 - one function is one row

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from groundswell.model.statuses import NOT_FAILED
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.common import (
    ANY,
    MINUTE,
    NUMERIC,
    NUMERIC_OR_DEFAULT,
    by_name,
    common,
    side,
)
from groundswell.query.registry.comparing import compare
from groundswell.query.registry.functions import Arg, Arguments, Body, Function
from groundswell.query.registry.totals import total_of
from groundswell.query.sql.expression import (
    Expression,
    Number,
    Value,
    Word,
    any_of,
    call,
    strings,
)

_ERRORS = tuple(str(code) for code in (*range(500, 509), 510, 511))
_CODE = Arg("code", "text")
_VALUE = Arg("value", "text")


def _equals(a: Aggregates, field: str, value: str) -> Expression:
    return call("equals", a.value_of(field), Value(value))


def _ops(a: Aggregates, names: tuple[str, ...]) -> Expression:
    return call("in", a.value_of("span.op"), strings(names))


def _publish(a: Aggregates) -> Expression:
    return any_of(
        (
            _ops(a, ("queue.publish",)),
            _equals(a, "messaging.operation.name", "publish"),
            _equals(a, "messaging.operation.type", "create"),
        )
    )


def _process(a: Aggregates) -> Expression:
    return any_of(
        (
            _ops(a, ("queue.process",)),
            _equals(a, "messaging.operation.name", "process"),
            _equals(a, "messaging.operation.type", "process"),
        )
    )


def _code(a: Aggregates, prefix: str) -> Expression:
    return call("startsWith", a.value_of("span.status_code"), Value(prefix))


def _server_error(a: Aggregates) -> Expression:
    return call("in", a.value_of("span.status_code"), strings(_ERRORS))


def _cache(a: Aggregates, hit: str) -> Expression:
    part = a.count(_equals(a, "cache.hit", hit))
    known = a.count(call("in", a.value_of("cache.hit"), strings(("true", "false"))))
    return call("divide", part, call("nullIf", known, Number(0)))


def _trace_error(a: Aggregates, args: Arguments) -> Expression:
    return a.share(a.count(call("notIn", a.value_of("trace.status"), strings(NOT_FAILED))))


def _ratio(part: Expression, whole: Expression) -> Expression:
    positive = call(
        "if", call("greater", whole, Number(0)), whole, call("nullIf", Number(0), Number(0))
    )
    return call("divide", part, positive)


def _avg_compare(a: Aggregates, args: Arguments) -> Expression:
    column, by, first, second = args
    before = a.over("avg", column, compare(a, by, "equals", first))
    after = a.over("avg", column, compare(a, by, "equals", second))
    change = call("minus", after, before)
    return call("divide", change, call("nullIf", call("abs", before), Number(0)))


def _avg_by_time(a: Aggregates, args: Arguments) -> Expression:
    column, condition, at = args
    return call("ifNull", a.over("avg", column, side(a, condition, at)), Number(0))


def _epm_by_time(a: Aggregates, condition: str, at: datetime) -> Expression:
    window = a.frame.window
    after = condition.startswith("greater")
    seconds = (window.end - at if after else at - window.start).total_seconds()
    return call("divide", a.count(side(a, condition, at)), Number(max(seconds, 1) / MINUTE))


def _regression(a: Aggregates, args: Arguments) -> Expression:
    column, at = args
    after = call(
        "multiply", _avg_by_time(a, (column, "greater", at)), _epm_by_time(a, "greater", at)
    )
    before = call("multiply", _avg_by_time(a, (column, "less", at)), _epm_by_time(a, "less", at))
    return call("minus", after, before)


def _time_spent(a: Aggregates, args: Arguments) -> Expression:
    scope, column = args
    total = total_of(a.value(column), filtered=scope == "local")
    return _ratio(a.over("sum", column), total)


def _rows() -> list[Function]:
    f = Function
    m = NUMERIC_OR_DEFAULT
    side_ = Arg(
        "condition", "choice", choices=("greater", "less", "greaterOrEquals", "lessOrEquals")
    )
    at = Arg("timestamp", "date")
    scope = Arg("scope", "choice", "app", choices=("app", "local"))

    def tag(field: str, value: str) -> Body:
        return lambda a, args: a.count(_equals(a, field, value))

    def tag_rate(field: str, value: str) -> Body:
        return lambda a, args: a.share(a.count(_equals(a, field, value)))

    return [
        *common(),
        f("count_if", (ANY, Arg("condition_or_value", "text"), Arg("value", "text", None)), "integer", "Number of spans whose column compares so with a value.", _count_if),
        f("count_op", (Arg("op", "text"),), "integer", "Number of spans with an operation.", lambda a, args: a.count(_equals(a, "span.op", args[0]))),
        f("count_publish", (), "integer", "Number of published messages.", lambda a, args: a.count(_publish(a))),
        f("count_process", (), "integer", "Number of processed messages.", lambda a, args: a.count(_process(a))),
        f("avg_if", (m, ANY, _VALUE), "reflect", "Mean over the spans whose column equals a value.", lambda a, args: a.over("avg", args[0], compare(a, args[1], "equals", args[2]))),
        f("avg_if_publish", (m,), "reflect", "Mean over the published messages.", lambda a, args: a.over("avg", args[0], _publish(a))),
        f("avg_if_process", (m,), "reflect", "Mean over the processed messages.", lambda a, args: a.over("avg", args[0], _process(a))),
        f("http_response_count", (_CODE,), "integer", "Number of responses whose status starts so.", lambda a, args: a.count(_code(a, args[0]))),
        f("http_response_rate", (_CODE,), "percentage", "Share of responses whose status starts so.", lambda a, args: a.share(a.count(_code(a, args[0])))),
        f("http_error_count", (), "integer", "Number of responses with a server error.", lambda a, args: a.count(_server_error(a))),
        f("http_error_rate", (), "percentage", "Share of responses with a server error.", lambda a, args: a.share(a.count(_server_error(a)))),
        f("cache_hit_rate", (), "percentage", "Share of cache look-ups that hit.", lambda a, args: _cache(a, "true")),
        f("cache_miss_rate", (), "percentage", "Share of cache look-ups that missed.", lambda a, args: _cache(a, "false")),
        f("ttid_count", (), "integer", "Number of spans before the initial display.", tag("ttid", "ttid")),
        f("ttfd_count", (), "integer", "Number of spans before the full display.", tag("ttfd", "ttfd")),
        f("main_thread_count", (), "integer", "Number of spans on the main thread.", tag("span.main_thread", "true")),
        f("ttid_contribution_rate", (), "percentage", "Share of spans before the initial display.", tag_rate("ttid", "ttid")),
        f("ttfd_contribution_rate", (), "percentage", "Share of spans before the full display.", tag_rate("ttfd", "ttfd")),
        f("trace_status_rate", (Arg("status", "text"),), "percentage", "Share of spans whose transaction has a status.", lambda a, args: a.share(a.count(_equals(a, "trace.status", args[0])))),
        f("trace_error_rate", (), "percentage", "Share of spans whose transaction failed.", _trace_error),
        f("division", (NUMERIC, NUMERIC), "percentage", "Sum of one column by the sum of another.", lambda a, args: _ratio(a.over("sum", args[0]), a.over("sum", args[1]))),
        f("division_if", (NUMERIC, NUMERIC, ANY, _VALUE), "percentage", "The same over the spans whose column equals a value.", _division_if),
        f("avg_compare", (NUMERIC, ANY, Arg("first", "text"), Arg("second", "text")), "percent_change", "Change of the mean from one value of a column to another.", _avg_compare),
        f("avg_by_timestamp", (NUMERIC, side_, at), "duration", "Mean before or after an instant.", _avg_by_time),
        f("epm_by_timestamp", (side_, at), "rate", "Spans per minute before or after an instant.", lambda a, args: _epm_by_time(a, args[0], args[1])),
        f("regression_score", (NUMERIC, at), "number", "Mean times rate, after minus before an instant.", _regression),
        f("time_spent_percentage", (scope, m), "percentage", "Share of the time of all spans.", _time_spent),
    ]  # fmt: skip


def _count_if(a: Aggregates, args: Arguments) -> Expression:
    column, condition, value = args
    if value is None:
        condition, value = "equals", condition
    return a.count(compare(a, column, condition, value))


def _division_if(a: Aggregates, args: Arguments) -> Expression:
    chosen = compare(a, args[2], "equals", args[3])
    return _ratio(a.over("sum", args[0], chosen), a.over("sum", args[1], chosen))


SPANS: Mapping[str, Function] = by_name(_rows())
__all__ = ["SPANS", "Word"]
