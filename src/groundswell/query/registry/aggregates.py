"""The aggregates that functions are made of. Absent values are skipped, no rows give NULL (0 for
counts), and with sampling weights every row counts as often as it stands for."""

from __future__ import annotations

from groundswell.query.registry.fields import ERRORS, SPANS, TRANSACTIONS, Field, Source
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import Reader
from groundswell.query.sql.expression import (
    ELEMENT,
    Call,
    Each,
    Expression,
    Null,
    Number,
    Value,
    call,
)

DEFAULT_THRESHOLD_MS = 300
_ERROR = "within 1 % where a bucket or group has a thousand events or more, less exact below"
ESTIMATED = f"Percentiles are estimated because the range holds more than {{:,}} events: {_ERROR}"
ESTIMATED_BY_WEIGHT = f"Percentiles of weighted events are estimated: {_ERROR}"
_SAMPLE_RATE = Field(
    "sample_rate",
    "number",
    "number",
    "Share of events that the client sent.",
    sources={table: Source("plain", "sample_rate") for table in (ERRORS, TRANSACTIONS, SPANS)},
)


class Aggregates:
    """Makes aggregate expressions over one reader."""

    def __init__(self, frame: Frame, reader: Reader) -> None:
        self.frame = frame
        self.reader = reader

    def field(self, name: str) -> Field:
        found = self.frame.field(name)
        assert found is not None, name
        return found

    def value(self, field: Field) -> Expression:
        return self.reader.value(field)

    def value_of(self, name: str) -> Expression:
        return self.value(self.field(name))

    @property
    def weight(self) -> Expression | None:
        if not self.frame.extrapolate or not self.reader.has(_SAMPLE_RATE):
            return None

        return call("divide", Number(1), self.value(_SAMPLE_RATE))

    def count(self, condition: Expression | None = None) -> Expression:
        weight = self.weight
        if weight is None:
            return Call("count") if condition is None else call("countIf", condition)

        total = (
            call("sum", weight)
            if condition is None
            else call("sumIf", weight, call("ifNull", condition, Number(0)))
        )
        return call("toUInt64", call("round", call("ifNull", total, Number(0))))

    def uniq(self, field: Field, condition: Expression | None = None) -> Expression:
        value = self.value(field)
        if field.role in {"array", "array_number"}:
            return (
                call("uniqArray", value)
                if condition is None
                else call("uniqArrayIf", value, condition)
            )

        return call("uniq", value) if condition is None else call("uniqIf", value, condition)

    def over(self, name: str, field: Field, condition: Expression | None = None) -> Expression:
        """avg, sum, min, max, varSamp, stddevSamp of a numeric field."""
        if field.role == "duration" and field.name == "function.duration":
            return self._of_calls(name, condition)

        value = self.value(field)
        weight = self.weight
        if weight is not None and name in {"avg", "sum"}:
            return self._weighted(name, value, weight, condition)

        or_null = "OrNull" if self._may_be_empty(field, condition) else ""
        if condition is None:
            return call(f"{name}{or_null}", value)

        return call(f"{name}{or_null}If", value, condition)

    def _may_be_empty(self, field: Field, condition: Expression | None) -> bool:
        if condition is not None:
            return True

        return self.frame.ungrouped and not self.reader.nullable(field)

    def _weighted(
        self, name: str, value: Expression, weight: Expression, condition: Expression | None
    ) -> Expression:
        product = call("multiply", value, weight)
        known = call("isNotNull", value)
        if condition is not None:
            known = call("and", known, condition)
        total = call("sumOrNullIf", product, known)
        if name == "sum":
            return total

        return call("divide", total, call("sumOrNullIf", weight, known))

    def _of_calls(self, name: str, condition: Expression | None) -> Expression:
        suffix = "OrNull" if condition is not None or self.frame.ungrouped else ""
        if condition is None:
            return call(f"{name}Array{suffix}", self.calls())

        return call(f"{name}Array{suffix}If", self.calls(), condition)

    def calls(self) -> Expression:
        """The self times of the calls that had some."""
        positive = Each(call("greater", ELEMENT, Number(0)))
        return call("arrayFilter", positive, self.value_of("function.duration"))

    def count_calls(self, condition: Expression | None = None) -> Expression:
        positive = Each(call("greater", ELEMENT, Number(0)))
        counted = call("arrayCount", positive, self.value_of("function.duration"))
        if condition is None:
            return call("sum", counted)

        return call("sumIf", counted, condition)

    def quantile(
        self, level: float, field: Field, condition: Expression | None = None
    ) -> Expression:
        """The quantile with linear interpolation between the two nearest values, or an estimate."""
        if field.name == "function.duration":
            suffix = "OrNull" if condition is not None or self.frame.ungrouped else ""
            name = f"{self._quantile()}Array{suffix}"
            if condition is None:
                return Call(name, (self.calls(),), (level,))

            return Call(f"{name}If", (self.calls(), condition), (level,))

        value = self.value(field)
        weight = self.weight
        if weight is not None:
            self.frame.note(ESTIMATED_BY_WEIGHT)
            whole = call("toUInt64", call("greatest", call("round", weight), Number(1)))
            known = call("isNotNull", value)
            if condition is not None:
                known = call("and", known, condition)
            return Call("quantileTDigestWeightedOrNullIf", (value, whole, known), (level,))

        name = f"{self._quantile()}{'OrNull' if self._may_be_empty(field, condition) else ''}"
        if condition is None:
            return Call(name, (value,), (level,))

        return Call(f"{name}If", (value, condition), (level,))

    def _quantile(self) -> str:
        if self.frame.estimated_above is not None:
            self.frame.note(ESTIMATED.format(self.frame.estimated_above))
            return "quantileTDigest"

        self.frame.keeps_values = True
        return "quantileExactInclusive"

    def pair(self, name: str, first: Field, second: Field) -> Expression:
        or_null = "OrNull" if self.frame.ungrouped else ""
        return call(f"{name}{or_null}", self.value(first), self.value(second))

    def share(self, part: Expression, whole: Expression | None = None) -> Expression:
        """A part of the rows (or of `whole`); 0 of nothing."""
        total = self.count() if whole is None else whole
        return call("divide", part, call("greatest", total, Number(1)))

    def threshold(self) -> Expression:
        """The apdex threshold of each row's project."""
        settings = {
            int(project): threshold
            for project, threshold in self.frame.catalog.thresholds_ms.items()
            if int(project) in self.frame.catalog.projects or not self.frame.catalog.projects
        }
        if not settings:
            return Number(DEFAULT_THRESHOLD_MS)

        return call(
            "transform",
            self.value_of("project.id"),
            Value(tuple(settings), "Array(UInt64)"),
            Value(tuple(settings.values()), "Array(UInt64)"),
            call("toUInt64", Number(DEFAULT_THRESHOLD_MS)),
        )

    def seconds(self) -> float:
        return max(self.frame.window.seconds, 1)

    def nothing(self, type_name: str = "Float64") -> Expression:
        return Null(type_name)
