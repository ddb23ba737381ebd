"""Values for people: the same rules for the labels of an axis and for words in a sentence.

Durations are told in ms, s, min or h, sizes in binary units, shares in percent, counts with SI
letters. Chart data is scaled to the base unit of its kind first (milliseconds, bytes, 0..1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from groundswell.model.units import UNIT_BYTES, UNIT_MS

_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_COUNT_EXPR = "abs(datum.value) < 1 ? format(datum.value, '.2~f') : format(datum.value, '.3~s')"


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of value: `factor` scales to the base unit, `axis_expr` is a Vega expression."""

    kind: str
    factor: float
    axis_expr: str
    suffix: str = ""
    whole: bool = False

    def text(self, value: float | int | None) -> str:
        """Tell one value, given in the unit of the answer."""
        if value is None or not math.isfinite(value):
            return "no value"

        scaled = value * self.factor
        match self.kind:
            case "duration":
                return _duration(scaled)
            case "size":
                return _size(scaled)
            case "percentage":
                return f"{_trim(scaled * 100, 2)}%"
            case _:
                return _count(scaled) + self.suffix


def measure(value_type: str, unit: str | None) -> Measure:
    """Choose how values of a meta type and unit are told."""
    if value_type == "duration":
        return Measure("duration", UNIT_MS.get(unit or "millisecond", 1.0), _DURATION_EXPR)

    if value_type == "size":
        return Measure("size", UNIT_BYTES.get(unit or "byte", 1.0), _SIZE_EXPR)

    if value_type == "percentage":
        return Measure("percentage", 1.0, "format(datum.value, '.1~%')")

    if value_type == "rate":
        suffix = "/s" if unit == "1/second" else "/min"
        return Measure("rate", 1.0, f"({_COUNT_EXPR}) + '{suffix}'", suffix)

    return Measure("count", 1.0, _COUNT_EXPR, whole=value_type == "integer")


_DURATION_EXPR = (
    "datum.value == 0 ? '0' : "
    "datum.value >= 3600000 ? format(datum.value / 3600000, '.2~f') + 'h' : "
    "datum.value >= 60000 ? format(datum.value / 60000, '.2~f') + 'min' : "
    "datum.value >= 1000 ? format(datum.value / 1000, '.3~f') + 's' : "
    "format(datum.value, '.3~f') + 'ms'"
)
_SIZE_EXPR = (
    "abs(datum.value) >= 1073741824 ? format(datum.value / 1073741824, '.2~f') + ' GiB' : "
    "abs(datum.value) >= 1048576 ? format(datum.value / 1048576, '.2~f') + ' MiB' : "
    "abs(datum.value) >= 1024 ? format(datum.value / 1024, '.2~f') + ' KiB' : "
    "format(datum.value, '.3~f') + ' B'"
)


def _duration(ms: float) -> str:
    for size, name in ((8.64e7, "d"), (3.6e6, "h"), (6e4, "min"), (1e3, "s")):
        if abs(ms) >= size:
            return f"{_trim(ms / size, 2)} {name}"

    return f"{_trim(ms, 1 if abs(ms) >= 10 else 2)} ms"


def _size(count: float) -> str:
    for exponent, name in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if abs(count) >= 1024.0**exponent:
            return f"{_trim(count / 1024.0**exponent, 2)} {name}"

    return f"{_trim(count, 0)} B"


def _count(value: float) -> str:
    if abs(value) < 10_000:
        return f"{value:,.0f}" if float(value).is_integer() else _trim(value, 2)

    size, letter = next(row for row in _SI if abs(value) >= row[0])
    return f"{_trim(value / size, 2)}{letter}"


def _trim(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
