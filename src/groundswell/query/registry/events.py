"""The functions of errors and transactions."""

# ruff: noqa: E501 - one function is one row

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from groundswell.model.statuses import NOT_FAILED
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.common import ANY, INTERVAL, MINUTE, NUMERIC, by_name, common, side
from groundswell.query.registry.comparing import compare
from groundswell.query.registry.fields import Field
from groundswell.query.registry.functions import Arg, Arguments, Function, wrong
from groundswell.query.registry.reader import TableReader
from groundswell.query.registry.totals import total_of
from groundswell.query.search.calls import unquote
from groundswell.query.sql.expression import Expression, Number, Value, all_of, call, strings

_MS = "millisecond"
_CONDITION = Arg("condition", "condition")
_MIDDLE = Arg("middle", "date")
_THRESHOLD = Arg("satisfaction", "number", None, low=0)
_LIMITS = {"lcp": (2500, 4000), "fp": (1000, 3000), "fcp": (1000, 3000), "fid": (100, 300),
           "cls": (0.1, 0.25), "ttfb": (800, 1800), "inp": (200, 500)}  # fmt: skip
_SCORE_WEIGHTS = {"lcp": 0.30, "fcp": 0.15, "cls": 0.15, "ttfb": 0.10, "inp": 0.30}
_SCORED = ("lcp", "fcp", "fid", "cls", "ttfb", "inp", "total")
_ALPHA, _BETA = 5.8875, 111.8625


def failed(a: Aggregates) -> Expression:
    """The rows whose status is a failure; an unknown one is none."""
    status = a.field("transaction.status")
    if isinstance(a.reader, TableReader) and a.reader.has(status):
        return call("notIn", a.reader.raw(status), strings((*NOT_FAILED, "")))

    return call("notIn", a.value(status), strings(NOT_FAILED))


def failure_rate(a: Aggregates, args: Arguments) -> Expression:
    return a.share(a.count(failed(a)))


def _duration(a: Aggregates) -> Expression:
    return a.value_of("transaction.duration")


def _limit(a: Aggregates, given: float | None) -> Expression:
    return Number(int(given)) if given else a.threshold()


def apdex(a: Aggregates, args: Arguments) -> Expression:
    limit, took = _limit(a, args[0]), _duration(a)
    satisfied = a.count(call("lessOrEquals", took, limit))
    tolerated = a.count(
        call(
            "and",
            call("greater", took, limit),
            call("lessOrEquals", took, call("multiply", limit, Number(4))),
        )
    )
    good = call("plus", satisfied, call("divide", tolerated, Number(2)))
    return a.share(good, a.count(call("greaterOrEquals", took, Number(0))))


def _miserable(a: Aggregates, column: Field, given: float | None) -> Expression:
    limit = call("multiply", _limit(a, given), Number(4))
    return a.uniq(column, call("greater", _duration(a), limit))


def user_misery(a: Aggregates, args: Arguments) -> Expression:
    alpha, beta = args[1], args[2]
    user = a.field("user")
    everyone = a.uniq(user, call("greater", _duration(a), Number(0)))
    miserable = call("plus", _miserable(a, user, args[0]), Number(alpha))
    whole = call("plus", call("nullIf", everyone, Number(0)), Number(alpha + beta))
    return call("ifNull", call("divide", miserable, whole), Number(0))


def count_if(a: Aggregates, args: Arguments) -> Expression:
    return a.count(compare(a, args[0], args[1], args[2]))


def floored_epm(a: Aggregates, args: Arguments) -> Expression:
    minutes = (args[0] or a.seconds()) / MINUTE
    per_minute = call("divide", a.count(), Number(minutes))
    return call("pow", Number(10), call("floor", call("log10", per_minute)))


def count_web_vitals(a: Aggregates, args: Arguments) -> Expression:
    column, quality = args
    vital = column.name.removeprefix("measurements.")
    if vital not in _LIMITS or vital == column.name:
        raise wrong(
            f"count_web_vitals: {column.name} is not a web vital; use measurements."
            + ", measurements.".join(_LIMITS)
        )

    meh, poor = _LIMITS[vital]
    value = a.value(column)
    bounds = {"good": (None, meh), "meh": (meh, poor), "poor": (poor, None), "any": (0, None)}
    low, high = bounds[quality]
    parts = []
    if low is not None:
        parts.append(call("greaterOrEquals", value, Number(low)))
    if high is not None:
        parts.append(call("less", value, Number(high)))
    return a.count(all_of(tuple(parts)))


def _score(a: Aggregates, column: Field) -> tuple[str, Expression, Expression]:
    vital = column.name.removeprefix("measurements.score.")
    if vital not in _SCORED:
        raise wrong(
            f"{column.name} is not a score; use measurements.score.{{{', '.join(_SCORED)}}}"
        )

    return vital, a.value(column), a.value_of(f"measurements.score.weight.{vital}")


def performance_score(a: Aggregates, args: Arguments) -> Expression:
    vital, score, weight = _score(a, args[0])
    if vital != "total":
        return _clamped(_score_of(a, score, weight))

    parts = []
    for name, share in _SCORE_WEIGHTS.items():
        part_score = a.value_of(f"measurements.score.{name}")
        part_weight = a.value_of(f"measurements.score.weight.{name}")
        part = call("ifNull", _score_of(a, part_score, part_weight), Number(0))
        parts.append(call("multiply", Number(share), part))
    return _clamped(call("plus", *parts))


def _score_of(a: Aggregates, score: Expression, weight: Expression) -> Expression:
    return call("divide", call("sum", score), call("nullIf", call("sum", weight), Number(0)))


def _clamped(value: Expression) -> Expression:
    return call("greatest", call("least", call("ifNull", value, Number(0)), Number(1)), Number(0))


def opportunity_score(a: Aggregates, args: Arguments) -> Expression:
    vital, score, weight = _score(a, args[0])
    whole = Number(1) if vital == "total" else weight
    lost = call("minus", whole, call("least", Number(1), score))
    return call("sumOrNull" if a.frame.ungrouped else "sum", lost)


def total_opportunity_score(a: Aggregates, args: Arguments) -> Expression:
    """How much of the score of everything the pages of this group hold back."""
    parts = []
    for name, share in _SCORE_WEIGHTS.items():
        score = a.value_of(f"measurements.score.{name}")
        weight = a.value_of(f"measurements.score.weight.{name}")
        lost = call("minus", call("sum", weight), call("sum", score))
        whole = call("nullIf", total_of(weight, filtered=False), Number(0))
        part = call("ifNull", call("divide", lost, whole), Number(0))
        parts.append(call("multiply", Number(share), part))
    return call("plus", *parts)


def _of_a_selection(a: Aggregates, args: Arguments) -> Expression:
    raise AssertionError("an aggregate is found among those that are selected")


def _before(condition: str) -> str:
    """The condition of a range reads `cond(middle, timestamp)`: turn it round."""
    turned = {"greater": "less", "less": "greater", "greaterOrEquals": "lessOrEquals"}
    return turned.get(condition, {"lessOrEquals": "greaterOrEquals"}.get(condition, condition))


def _in_range(a: Aggregates, condition: str, middle: datetime) -> Expression:
    return side(a, _before(condition), middle)


def to_other(a: Aggregates, args: Arguments) -> Expression:
    column, value, rest, this = args
    chosen = compare(a, column, "equals", value)
    return call("if", chosen, Value(unquote(this)), Value(unquote(rest)))


def _rows() -> list[Function]:
    f = Function
    duration_column = Arg("column", "numeric", "COLUMN")
    score = Arg("measurement", "column")
    return [
        *common(),
        f("count_if", (ANY, _CONDITION, Arg("value", "text")), "integer", "Number of events whose column compares so with a value.", count_if),
        f("var", (NUMERIC,), "number", "Sample variance.", lambda a, args: a.over("varSamp", args[0])),
        f("stddev", (NUMERIC,), "number", "Sample standard deviation.", lambda a, args: a.over("stddevSamp", args[0])),
        f("cov", (NUMERIC, NUMERIC), "number", "Sample covariance.", lambda a, args: a.pair("covarSamp", *args)),
        f("corr", (NUMERIC, NUMERIC), "number", "Pearson correlation.", lambda a, args: a.pair("corr", *args)),
        f("linear_regression", (NUMERIC, NUMERIC), "array", "Slope and offset of the line of least squares.", lambda a, args: call("simpleLinearRegression", a.value(args[0]), a.value(args[1]))),
        f("absolute_correlation", (), "number", "How strongly durations follow time, 0 to 1.", lambda a, args: call("abs", call("corr", call("toUnixTimestamp", a.value_of("timestamp")), _duration(a))), about="transactions"),
        f("failure_count", (), "integer", "Number of failed transactions.", lambda a, args: a.count(failed(a)), about="transactions"),
        f("failure_rate", (), "percentage", "Share of failed transactions, 0 to 1.", failure_rate, about="transactions"),
        f("apdex", (_THRESHOLD,), "number", "Satisfaction of users with durations, 0 to 1.", apdex, about="transactions"),
        f("count_miserable", (Arg("column", "column", "user"), _THRESHOLD), "integer", "Number of users who waited longer than four times the threshold.", lambda a, args: call("ifNull", _miserable(a, args[0], args[1]), Number(0)), about="transactions"),
        f("user_misery", (_THRESHOLD, Arg("alpha", "number", str(_ALPHA)), Arg("beta", "number", str(_BETA))), "number", "Likely share of miserable users, 0 to 1.", user_misery, about="transactions"),
        f("floored_epm", (INTERVAL,), "number", "Events per minute, down to a power of ten.", floored_epm),
        f("count_at_least", (NUMERIC, Arg("threshold", "number")), "integer", "Number of events whose column is at least so much.", lambda a, args: a.count(call("greaterOrEquals", a.value(args[0]), Number(args[1])))),
        f("count_web_vitals", (Arg("measurement", "column"), Arg("quality", "choice", choices=("good", "meh", "poor", "any"))), "integer", "Number of events whose web vital is good, meh, poor or any.", count_web_vitals),
        f("performance_score", (score,), "number", "Score of a web vital, 0 to 1.", performance_score),
        f("opportunity_score", (score,), "number", "How much score there is to gain.", opportunity_score),
        f("total_opportunity_score", (), "number", "Share of the score of everything that these events hold back.", total_opportunity_score, about="transactions"),
        f("compare_numeric_aggregate", (Arg("alias", "text"), _CONDITION, Arg("value", "number")), "number", "1 where an aggregate, named by its alias, compares so with a number, else 0.", _of_a_selection),
        f("count_scores", (score,), "integer", "Number of events with a score.", lambda a, args: a.count(call("isNotNull", a.value(args[0])))),
        f("percentile_range", (NUMERIC, Arg("p", "number", low=0, high=1), _CONDITION, _MIDDLE), "duration", "A percentile before or after an instant.", lambda a, args: a.quantile(args[1], args[0], _in_range(a, args[2], args[3])), _MS),
        f("avg_range", (NUMERIC, _CONDITION, _MIDDLE), "duration", "A mean before or after an instant.", lambda a, args: a.over("avg", args[0], _in_range(a, args[1], args[2])), _MS),
        f("variance_range", (NUMERIC, _CONDITION, _MIDDLE), "duration", "A variance before or after an instant.", lambda a, args: a.over("varSamp", args[0], _in_range(a, args[1], args[2])), _MS),
        f("count_range", (_CONDITION, _MIDDLE), "integer", "Number of events before or after an instant.", lambda a, args: a.count(_in_range(a, args[0], args[1]))),
        f("upsampled_count", (), "integer", "Number of events that the stored ones stand for.", lambda a, args: _upsampled(a)),
        f("upsampled_eps", (INTERVAL,), "rate", "Events per second that the stored ones stand for.", lambda a, args: call("divide", _upsampled(a), Number(_seconds(a, args))), "1/second"),
        f("upsampled_epm", (INTERVAL,), "rate", "Events per minute that the stored ones stand for.", lambda a, args: call("divide", _upsampled(a), Number(_seconds(a, args) / MINUTE)), "1/minute"),
        f("count_starts", (Arg("measurement", "column", choices=("measurements.app_start_cold", "measurements.app_start_warm")),), "integer", "Number of cold or warm starts.", lambda a, args: a.count(call("isNotNull", a.value(args[0])))),
        f("to_other", (ANY, Arg("value", "text"), Arg("that", "text", "that"), Arg("this", "text", "this")), "string", "One word for a value, another for all others.", to_other, is_aggregate=False),
        *_percent_if(duration_column),
    ]  # fmt: skip


def _percent_if(column: Arg) -> list[Function]:
    return [
        Function(
            "avg_if",
            (column, ANY, _CONDITION, Arg("value", "text")),
            "reflect",
            "Mean over the events whose column compares so with a value.",
            lambda a, args: a.over("avg", args[0], compare(a, args[1], args[2], args[3])),
        )
    ]


def _seconds(a: Aggregates, args: Arguments) -> float:
    if a.frame.interval_s is not None:
        return a.frame.interval_s

    return args[0] or a.seconds()


def _upsampled(a: Aggregates) -> Expression:
    weighted = Aggregates(a.frame.weighted(), a.reader)
    return weighted.count()


EVENTS: Mapping[str, Function] = by_name(_rows())
