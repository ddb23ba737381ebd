"""The functions about functions of profiles. One row holds the calls of one function in one
profile; a call counts when it had time of its own."""

# ruff: noqa: E501 - one function is one row

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.common import ANY, MINUTE, NUMERIC_OR_DEFAULT, by_name, common, side
from groundswell.query.registry.functions import Arg, Arguments, Function
from groundswell.query.sql.expression import Call, Column, Each, Expression, Number, Word, call
from groundswell.query.sql.instants import instant

_NO_ID = call("CAST", Word("00000000-0000-0000-0000-000000000000"), Word("UUID"))
_NS = "nanosecond"
_EXAMPLES = 5


def _profile() -> Expression:
    """The profile of a row, or the continuous profiler that recorded it."""
    profile = Column("profile_id")
    return call("if", call("equals", profile, _NO_ID), Column("profiler_id"), profile)


def _worst(a: Aggregates) -> Expression:
    or_null = "OrNull" if a.frame.ungrouped else ""
    longest = call("arrayMax", Column("self_times"))
    return call("nullIf", call(f"argMax{or_null}", _profile(), longest), _NO_ID)


def _some(a: Aggregates) -> Expression:
    return Call("groupUniqArray", (_profile(),), (_EXAMPLES,))


def _known(ids: Expression) -> Expression:
    return call("arrayFilter", Each(call("notEquals", Column("x"), _NO_ID)), ids)


def _examples(a: Aggregates, args: Arguments) -> Expression:
    longest = call("arrayMax", Column("self_times"))
    worst = call("array", call("argMax", _profile(), longest))
    return _known(call("arrayDistinct", call("arrayConcat", worst, _some(a))))


def _all_examples(a: Aggregates, args: Arguments) -> Expression:
    example = call(
        "tuple",
        call("toString", _profile()),
        Column("thread_id"),
        call("divide", call("toUnixTimestamp64Milli", Column("start_timestamp")), Number(1000)),
        call("divide", call("toUnixTimestamp64Milli", Column("end_timestamp")), Number(1000)),
    )
    return Call("groupUniqArray", (example,), (_EXAMPLES,))


def _minutes(a: Aggregates) -> float:
    return a.seconds() / MINUTE


def _cpm(a: Aggregates, args: Arguments) -> Expression:
    return call("divide", a.count_calls(), Number(_minutes(a)))


def _cpm_side(a: Aggregates, at: datetime, condition: str) -> Expression:
    window = a.frame.window
    seconds = (
        (at - window.start).total_seconds()
        if condition == "less"
        else (window.end - at).total_seconds()
    )
    counted = a.count_calls(side(a, condition, at))
    return call("divide", counted, Number(max(seconds, 1) / MINUTE))


def _cpm_delta(a: Aggregates, at: datetime) -> Expression:
    return call("minus", _cpm_side(a, at, "greater"), _cpm_side(a, at, "less"))


def _quantile_side(a: Aggregates, args: Arguments, condition: str) -> Expression:
    return a.quantile(args[1], args[0], side(a, condition, args[2]))


def _delta(a: Aggregates, args: Arguments) -> Expression:
    return call("minus", _quantile_side(a, args, "greater"), _quantile_side(a, args, "less"))


def _regression(a: Aggregates, args: Arguments) -> Expression:
    after = call("multiply", _cpm_side(a, args[2], "greater"), _quantile_side(a, args, "greater"))
    before = call("multiply", _cpm_side(a, args[2], "less"), _quantile_side(a, args, "less"))
    return call("minus", after, before)


def _rows() -> list[Function]:
    f = Function
    at = Arg("timestamp", "date")
    p = Arg("p", "number", low=0, high=1)
    column = NUMERIC_OR_DEFAULT
    kept = {
        "avg",
        "sum",
        "min",
        "max",
        "p50",
        "p75",
        "p90",
        "p95",
        "p99",
        "p100",
        "percentile",
        "count_unique",
        "any",
        "last_seen",
        "first_seen",
    }
    return [
        *(row for row in common() if row.name in kept),
        f("count", (Arg("column", "text", None),), "integer", "Number of calls.", lambda a, args: a.count_calls()),
        f("cpm", (), "number", "Calls per minute, over the whole range.", _cpm),
        f("cpm_before", (at,), "number", "Calls per minute before an instant.", lambda a, args: _cpm_side(a, args[0], "less")),
        f("cpm_after", (at,), "number", "Calls per minute after an instant.", lambda a, args: _cpm_side(a, args[0], "greater")),
        f("cpm_delta", (at,), "number", "Difference of calls per minute after and before.", lambda a, args: _cpm_delta(a, args[0])),
        f("worst", (), "string", "Profile with the longest call.", lambda a, args: _worst(a)),
        f("examples", (), "array", "Up to six profiles, the one with the longest call first.", _examples),
        f("unique_examples", (), "array", "Up to five profiles.", lambda a, args: _known(_some(a))),
        f("all_examples", (), "array", "Up to five profiles with thread, start and end.", _all_examples),
        f("percentile_before", (column, p, at), "duration", "A percentile before an instant.", lambda a, args: _quantile_side(a, args, "less"), _NS),
        f("percentile_after", (column, p, at), "duration", "A percentile after an instant.", lambda a, args: _quantile_side(a, args, "greater"), _NS),
        f("percentile_delta", (column, p, at), "duration", "Difference of a percentile after and before.", _delta, _NS),
        f("regression_score", (column, p, at), "number", "Calls times percentile, after minus before.", _regression),
    ]  # fmt: skip


PROFILES: Mapping[str, Function] = by_name(_rows())
__all__ = ["ANY", "PROFILES", "instant"]
