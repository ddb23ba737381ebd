"""What is selected, as typed → fields, functions and equations with their names and types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from groundswell.errors import UserError
from groundswell.query.question import Dataset
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import FIELDS, FUNCTIONS, Field
from groundswell.query.registry.functions import PRIVATE, Function, Resolved, decode_of, resolve
from groundswell.query.registry.totals import total_field
from groundswell.query.search.calls import FunctionCall, alias_of, parse_call
from groundswell.query.search.equations import (
    Equation,
    Literal,
    Operation,
    Reference,
    inputs_of,
    is_equation,
    parse_equation,
    wrong,
)
from groundswell.query.search.suggest import did_you_mean
from groundswell.query.sql.expression import Expression, Null, Number, call

FindField: TypeAlias = Callable[[str], Field | None]
_NUMBERS = frozenset(
    {"integer", "number", "duration", "percentage", "rate", "size", "percent_change"}
)
_COMPARISON = "compare_numeric_aggregate"
_LEGACY = {"user_count": "count_unique(user)", "event_count": "count()"}
_GROUPED_APART = frozenset(
    {"min", "max", "avg", "sum", "any", "p50", "p75", "p90", "p95", "p99", "p100", "percentile"}
)


@dataclass(frozen=True, slots=True)
class Compared:
    """1 where an aggregate of the selection compares so with a number, else 0."""

    condition: str
    value: float


@dataclass(frozen=True, slots=True)
class Item:
    """One selected thing. key: equal for two ways to write the same. meaning: a field, a function
    with its arguments, an equation over `inputs`, or a comparison of the one input."""

    name: str
    alias: str
    key: str
    type: str
    unit: str | None
    decode: str
    meaning: Field | Resolved | Equation | Compared
    inputs: tuple[Item, ...] = ()
    position: int | None = None

    @property
    def is_equation(self) -> bool:
        return self.position is not None

    @property
    def is_aggregate(self) -> bool:
        if self.inputs:
            return any(part.is_aggregate for part in self.inputs)

        if isinstance(self.meaning, Field):
            return self.meaning.role == "total"

        return isinstance(self.meaning, Resolved) and self.meaning.function.is_aggregate

    def fields(self) -> tuple[Field, ...]:
        """Every field that it reads by name."""
        if self.inputs:
            return tuple(found for part in self.inputs for found in part.fields())

        if isinstance(self.meaning, Field):
            return (self.meaning,)

        assert isinstance(self.meaning, Resolved)
        return self.meaning.fields

    def about(self) -> tuple[str, ...]:
        """The tables that its functions are about."""
        if self.inputs:
            return tuple(table for part in self.inputs for table in part.about())

        return (self.meaning.function.about,) if isinstance(self.meaning, Resolved) else ()


class Selector:
    """Understands selected texts of one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        registry: Mapping[str, Function],
        find: FindField,
        default_column: str,
    ) -> None:
        self.dataset = dataset
        self.registry = registry
        self.find = find
        self.default_column = default_column
        self._by_alias: dict[str, str] = {}

    def items(self, texts: tuple[str, ...]) -> list[Item]:
        """Understand all; the same thing twice is selected once."""
        found: dict[str, Item] = {}
        self._by_alias = {alias_of(typed): typed for typed in texts if parse_call(typed)}
        equations = 0
        for typed in texts:
            item = self.item(typed, equations)
            equations += item.is_equation
            found.setdefault(item.name, item)
        items = list(found.values())
        _check_apart(items)
        return items

    def item(self, typed: str, position: int = 0) -> Item:
        if is_equation(typed):
            return self._equation(typed, position)

        text = _LEGACY.get(typed.strip(), typed.strip())
        function = parse_call(text)
        if function is not None:
            return self.function(function, typed)

        found = self.find(text)
        if found is None or not text:
            raise UserError(
                f"field {typed!r}: invalid characters in a field, or no such field here."
                f"{did_you_mean(text, self._known())}",
                code="invalid_field",
                field="field",
            )

        if found.name == "function.duration" or found.role == "ignored":
            raise UserError(
                f"field {typed!r} can only be used inside a function",
                code="invalid_field",
                field="field",
            )

        if not found.selectable:
            raise UserError(
                f"field {typed!r} can only be searched for; select release",
                code="invalid_field",
                field="field",
            )

        return Item(typed, found.alias, found.name, found.type, found.unit, decode_of(found), found)

    def function(self, function: FunctionCall, typed: str) -> Item:
        meant = resolve(function, self.registry, self.find, self.default_column)
        if function.name == _COMPARISON:
            return self._comparison(function, meant, typed)

        return Item(
            typed,
            alias_of(_LEGACY.get(typed, typed)),
            function.text,
            meant.type,
            meant.unit,
            meant.decode,
            meant,
        )

    def _comparison(self, function: FunctionCall, meant: Resolved, typed: str) -> Item:
        alias, condition, value = meant.arguments
        named = self._by_alias.get(alias, f"{alias}()")
        aggregate = parse_call(named)
        if aggregate is None or aggregate.name in {_COMPARISON, *PRIVATE}:
            raise UserError(
                f"{function.text}: {alias} is not the alias of a selected function."
                f"{did_you_mean(alias, self._by_alias)}",
                code="invalid_function",
                field="field",
            )

        inputs = (self.function(aggregate, aggregate.text),)
        name = alias_of(typed)
        return Item(
            typed,
            name,
            function.text,
            "number",
            None,
            "plain",
            Compared(condition, value),
            inputs,
        )

    def _known(self) -> list[str]:
        if self.dataset is Dataset.FUNCTIONS:
            return [name for name, row in FIELDS.items() if FUNCTIONS in row.sources]

        return list(FIELDS)

    def _equation(self, typed: str, position: int) -> Item:
        tree = parse_equation(typed)
        inputs = []
        for part in inputs_of(tree):
            item = (
                self.function(part, part.text)
                if isinstance(part, FunctionCall)
                else self._equation_field(typed, part)
            )
            if item.type not in _NUMBERS:
                raise wrong(typed, f"cannot calculate with {item.name}, which is no number")

            inputs.append(item)
        alias = f"equation[{position}]"
        return Item(typed, alias, typed, "number", None, "plain", tree, tuple(inputs), position)

    def _equation_field(self, typed: str, part: Reference) -> Item:
        found = self.find(part.name)
        if found is None or not (found.numeric or found.role == "total"):
            numeric = [name for name, row in FIELDS.items() if row.numeric]
            raise wrong(
                typed, f"cannot use {part.name} as a number.{did_you_mean(part.name, numeric)}"
            )

        return self.item(part.name)


def _check_apart(items: list[Item]) -> None:
    bare = {item.key for item in items if isinstance(item.meaning, Field)}
    for item in items:
        if isinstance(item.meaning, Resolved) and item.meaning.function.name in _GROUPED_APART:
            for found in item.meaning.fields:
                if found.name in bare:
                    raise UserError(
                        f"field {found.name} is selected by itself and inside {item.name}; "
                        "grouping by a field makes its aggregate redundant",
                        code="redundant_grouping",
                        field="field",
                    )


def expression_of(item: Item, aggregates: Aggregates) -> Expression:
    """Write what an item stands for."""
    if item.is_equation:
        known = {part.key: part for part in item.inputs}
        return _calculate(item.meaning, known, aggregates)  # type: ignore[arg-type]

    if isinstance(item.meaning, Compared):
        value = expression_of(item.inputs[0], aggregates)
        return call(item.meaning.condition, value, Number(item.meaning.value))

    if isinstance(item.meaning, Resolved):
        return item.meaning.expression(aggregates)

    assert isinstance(item.meaning, Field)
    if item.meaning.role == "total":
        return total_field(item.meaning, aggregates)

    return aggregates.value(item.meaning)


def _calculate(tree: Equation, known: dict[str, Item], aggregates: Aggregates) -> Expression:
    match tree:
        case Literal(value):
            return Number(value)
        case Operation(name, left, right):
            first = _calculate(left, known, aggregates)
            second = _calculate(right, known, aggregates)
            if name == "divide":
                second = call("nullIf", second, Number(0))
            elif name == "minus":  # counts are unsigned
                first, second = call("toFloat64", first), call("toFloat64", second)
            return call(name, first, second)
        case FunctionCall():
            return expression_of(known[tree.text], aggregates)
        case Reference(name):
            return expression_of(known[name], aggregates)


__all__ = ["Item", "Null", "Selector", "expression_of"]
