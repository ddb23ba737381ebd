"""The functions that all datasets share, and which functions each dataset has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import Field
from groundswell.query.registry.functions import Arg, Arguments, Body, Function
from groundswell.query.sql.expression import Expression, Number, Word, call
from groundswell.query.sql.instants import instant

NUMERIC = Arg("column", "numeric")
NUMERIC_OR_DEFAULT = Arg("column", "numeric", "COLUMN")
ANY = Arg("column", "column")
INTERVAL = Arg("interval", "interval", None, low=1)
MINUTE = 60


def overall(name: str) -> Body:
    """Make the body of an aggregate of one numeric column."""

    def body(a: Aggregates, args: Arguments) -> Expression:
        found: Field = args[0]
        if found.role == "timestamp":
            return moment(a, name, found)
        return a.over(name, found)

    return body


def moment(a: Aggregates, name: str, found: Field) -> Expression:
    """Aggregate instants; without rows there is none."""
    or_null = "OrNull" if a.frame.ungrouped else ""
    return call(f"{name}{or_null}", a.value(found))


def level(p: float) -> Body:
    """Make the body of a fixed percentile."""
    return lambda a, args: a.quantile(p, args[0])


def seconds_of(a: Aggregates, args: Arguments) -> float:
    """The time that a rate is over: the bucket in a series, else the argument or the range."""
    if a.frame.interval_s is not None:
        return a.frame.interval_s

    return args[0] if args and args[0] else a.seconds()


def per_second(a: Aggregates, args: Arguments) -> Expression:
    return call("divide", a.count(), Number(_whole(seconds_of(a, args))))


def per_minute(a: Aggregates, args: Arguments) -> Expression:
    return call("divide", a.count(), Number(_whole(seconds_of(a, args)) / MINUTE))


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def lowest(a: Aggregates, args: Arguments) -> Expression:
    column: Field = args[0]
    # An array cannot be NULL in the engine; of no rows it is the empty one.
    plain = a.reader.nullable(column) or column.type == "array"
    or_null = "OrNull" if a.frame.ungrouped and not plain else ""
    return call(f"min{or_null}", a.value(column))


def side(a: Aggregates, condition: str, at: datetime) -> Expression:
    """The rows on one side of an instant."""
    return call(condition, a.value_of("timestamp"), instant(at))


def rates() -> list[Function]:
    rows = []
    for name in ("eps", "tps", "sps"):
        rows.append(
            Function(name, (INTERVAL,), "rate", "Events per second.", per_second, "1/second")
        )
    for name in ("epm", "tpm", "spm"):
        rows.append(
            Function(name, (INTERVAL,), "rate", "Events per minute.", per_minute, "1/minute")
        )
    return rows


def common() -> list[Function]:
    """The functions that every dataset of events and spans has."""
    f, reflect = Function, "reflect"
    p = Arg("p", "number", low=0, high=1)
    fixed = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    return [
        f(
            "count",
            (Arg("column", "text", None),),
            "integer",
            "Number of events.",
            lambda a, args: a.count(),
        ),
        f(
            "count_unique",
            (ANY,),
            "integer",
            "Number of distinct values, about 0.5 % exact.",
            lambda a, args: call("ifNull", a.uniq(args[0]), Number(0)),
        ),
        *(
            f(
                name,
                (NUMERIC_OR_DEFAULT,),
                reflect,
                doc,
                overall(name),
            )
            for name, doc in (
                ("avg", "Mean of a column."),
                ("sum", "Sum of a column."),
                ("min", "Smallest value of a column."),
                ("max", "Largest value of a column."),
            )
        ),
        *(
            f(
                name,
                (NUMERIC_OR_DEFAULT,),
                reflect,
                f"{p_:.0%} of the values are at most this.",
                level(p_),
            )
            for name, p_ in fixed.items()
        ),
        f("p100", (NUMERIC_OR_DEFAULT,), reflect, "Largest value of a column.", overall("max")),
        f(
            "percentile",
            (NUMERIC, p),
            reflect,
            "The value that a share p of the values reaches.",
            lambda a, args: a.quantile(args[1], args[0]),
        ),
        f("any", (ANY,), reflect, "Some value of a column, always the same one.", lowest),
        f(
            "last_seen",
            (),
            "date",
            "When the newest event happened.",
            lambda a, args: moment(a, "max", a.field("timestamp")),
        ),
        f(
            "first_seen",
            (),
            "date",
            "When the oldest event happened.",
            lambda a, args: moment(a, "min", a.field("timestamp")),
        ),
        f("latest_event", (), "string", "Id of the newest event.", _latest),
        *rates(),
    ]


def _latest(a: Aggregates, args: Arguments) -> Expression:
    or_null = "OrNull" if a.frame.ungrouped else ""
    return call(f"argMax{or_null}", a.value_of("id"), a.value_of("timestamp"))


def by_name(rows: list[Function]) -> Mapping[str, Function]:
    return {row.name: row for row in rows}


__all__ = ["Word", "by_name", "common"]
