"""What the search bar and the pickers offer: the registries of the query language."""

from __future__ import annotations

import functools
from types import MappingProxyType

from groundswell.query.question import Dataset
from groundswell.query.registry.datasets import DATASETS, functions_of
from groundswell.query.registry.fields import FIELDS
from groundswell.query.registry.functions import PRIVATE, REQUIRED, Arg, Function

_COLUMNS = MappingProxyType(
    {Dataset.SPANS: "span.duration", Dataset.FUNCTIONS: "function.duration"}
)
# What stands in an offered call where the language has no default of its own, by kind or name.
_EXAMPLES = MappingProxyType(
    {
        "column": "user",
        "condition": "equals",
        "p": "0.95",
        "number": "300",
        "measurement": "measurements.lcp",
    }
)
_NOT_DRAWN = frozenset({"date", "string", "array"})
# What people ask for most stands first.
_COMMON = ("count", "epm", "failure_rate", "count_unique", "p50", "p75", "p95", "p99", "avg", "max")


@functools.cache
def calls(dataset: str | None = None, *, drawn: bool = True) -> tuple[str, ...]:
    """List calls of the functions of a dataset, ready to ask; `drawn`: those that give numbers."""
    kind = DATASETS.get(dataset or "", Dataset.DISCOVER)
    registry = functions_of(kind)
    order = [*(name for name in _COMMON if name in registry), *sorted(registry)]
    found = (
        call_of(registry[name], _COLUMNS.get(kind, "transaction.duration"))
        for name in dict.fromkeys(order)
        if name not in PRIVATE
        and registry[name].is_aggregate
        and not (drawn and _is_words(registry[name]))
    )
    return tuple(call for call in found if call)


def call_of(function: Function, column: str) -> str:
    """Write a call with a value for each argument that needs one; "" where only people know it."""
    values = []
    for arg in function.args:
        if arg.default is None:
            break

        value = _value(function, arg, column)
        if not value:
            return ""

        values.append(value)
    return f"{function.name}({','.join(values)})"


def _is_words(function: Function) -> bool:
    reflects_any = function.type == "reflect" and function.args[0].kind == "column"
    return reflects_any or function.type in _NOT_DRAWN


def _value(function: Function, arg: Arg, column: str) -> str:
    if arg.kind == "numeric" or arg.default == "COLUMN":
        return column

    if arg.default is not REQUIRED:
        return str(arg.default)

    if arg.choices:
        return arg.choices[0]

    if arg.name == "measurement" and "score" in function.name:
        return "measurements.score.lcp"

    return _EXAMPLES.get(arg.name) or _EXAMPLES.get(arg.kind, "")


@functools.cache
def suggestions(dataset: str | None = None) -> list[dict[str, str]]:
    """List what a search may name, with a sentence on each: fields, then functions."""
    kind = DATASETS.get(dataset or "", Dataset.DISCOVER)
    registry = functions_of(kind)
    fields = [{"name": name, "about": field.doc} for name, field in sorted(FIELDS.items())]
    functions = [
        {"name": call, "about": registry[call.partition("(")[0]].doc}
        for call in calls(dataset, drawn=False)
    ]
    return fields + functions


@functools.cache
def columns(dataset: str | None = None) -> tuple[str, ...]:
    """List what a column of the table may be."""
    names = (row["name"] for row in suggestions(dataset))
    return tuple(name for name in names if name not in FIELDS or FIELDS[name].selectable)
