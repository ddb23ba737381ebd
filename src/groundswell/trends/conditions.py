"""Filters on a comparison (`trend_percentage():>10%`), which no row of the store can be asked for.

They are taken out of a search and held against the rows of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from groundswell.errors import UserError

_NAMES = "trend_percentage|trend_difference|confidence|count_percentage|t_test"
_FILTER = re.compile(rf"(?<!\S)({_NAMES})\(\):(>=|<=|>|<|=)?(-?\d+(?:\.\d+)?)(%|ms|s)?(?!\S)")
_QUOTED = re.compile(r'"(?:\\"|[^"])*"')
_LEFT_OVER = re.compile(rf"(?<![\w.])({_NAMES})\(\)")
_FACTORS = {"%": 0.01, "s": 1000.0, "ms": 1.0, None: 1.0}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter as it was written: a larger value asks for a larger change."""

    name: str
    operator: str
    value: float

    def holds(self, row: Mapping[str, Any], *, falling: bool) -> bool:
        """Hold it against a row whose wanted change goes up, or down with `falling`."""
        column, operator, value = self.name, self.operator, self.value
        if column == "trend_percentage":
            value = 1 - value if falling else 1 + value
            operator = _TURNED[operator] if falling else operator
        elif column == "trend_difference" and falling:
            value, operator = -value, _TURNED[operator]
        elif column == "confidence":
            # Of the first mean less the second: a rise is negative.
            value, operator = (value, operator) if falling else (-value, _TURNED[operator])
        found = row["t_test" if column == "confidence" else column]
        return found is not None and _COMPARE[operator](found, value)


def taken_out(search: str) -> tuple[str, tuple[Condition, ...]]:
    """Take the filters on the comparison out of a search → the rest of it, and they.

    Raises UserError for one that is not a plain number beside other filters.
    """
    found = tuple(
        Condition(name, operator or "=", float(number) * _FACTORS[unit or None])
        for name, operator, number, unit in _FILTER.findall(search)
    )
    rest = _FILTER.sub("", search).strip()
    if left := _LEFT_OVER.search(_QUOTED.sub('""', rest)):
        raise UserError(
            f"{left[1]}() compares two halves: it takes a number, as in {left[1]}():>10%, and "
            "stands beside other filters, without brackets, ! or OR",
            code="bad_comparison",
            field="query",
        )

    return rest, found
