"""Durations and sizes as people write them → milliseconds and bytes, and names of units."""

from __future__ import annotations

import re

from groundswell.model.units import UNIT_BYTES, UNIT_MS

_NUMBER = r"\d+(?:\.\d*)?"
_DURATION = re.compile(rf"({_NUMBER})(ms|s|min|m|hr|h|day|d|wk|w)", re.ASCII)
_SIZE = re.compile(
    rf"({_NUMBER})(bit|nb|bytes|byte|b|kb|mb|gb|tb|pb|eb|zb|yb|kib|mib|gib|tib|pib|eib|zib|yib)",
    re.IGNORECASE | re.ASCII,
)
_PLAIN = re.compile(rf"(-?{_NUMBER})([kmb]?)", re.IGNORECASE | re.ASCII)
_PERCENT = re.compile(rf"(-?{_NUMBER})%", re.ASCII)

_DURATION_MS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "min": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "w": 604_800_000,
    "wk": 604_800_000,
}
_DECIMAL = {letter: 1000.0**power for power, letter in enumerate("kmgtpezy", 1)}
_BINARY = {letter: 1024.0**power for power, letter in enumerate("kmgtpezy", 1)}
_SUFFIX = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
MAX_DURATION_MS = 999_999_999 * 86_400_000

_SHORT_UNITS = {"ns": "nanosecond", "us": "microsecond", "µs": "microsecond", "ms": "millisecond"}
_SHORT_UNITS |= {"s": "second", "b": "byte", "bytes": "byte", "seconds": "second"}


def parse_number(text: str) -> float | int | None:
    """Read `5`, `-1.5`, `2k`, `1m`, `3b` → a number; None when it is none."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None

    value = float(match[1]) * _SUFFIX[match[2].lower()]
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def parse_duration_ms(text: str) -> float | None:
    """Read `1.5s`, `3h` → milliseconds; None when it is none. May be beyond MAX_DURATION_MS."""
    match = _DURATION.fullmatch(text)
    return None if match is None else float(match[1]) * _DURATION_MS[match[2]]


def parse_size_bytes(text: str) -> float | None:
    """Read `5kb`, `1.5MiB` → bytes; None when it is none."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None

    unit = match[2].lower()
    if unit in {"b", "byte", "bytes"}:
        factor = 1.0
    elif unit in {"bit", "nb"}:
        factor = 1 / 8 if unit == "bit" else 0.5
    else:
        factor = (_BINARY if "i" in unit else _DECIMAL)[unit[0]]
    return float(match[1]) * factor


def parse_percent(text: str) -> float | None:
    """Read `5%` → 0.05."""
    match = _PERCENT.fullmatch(text)
    return None if match is None else float(match[1]) / 100


def normal_unit(unit: str) -> str:
    """Bring the spellings of a unit together: `ms` and `millisecond` are one."""
    unit = unit.strip().lower()
    return _SHORT_UNITS.get(unit, unit)


def is_duration_unit(unit: str) -> bool:
    return unit in UNIT_MS


def is_size_unit(unit: str) -> bool:
    return unit in UNIT_BYTES
