"""Timestamps of payloads → microseconds since the epoch, and the rules for clocks that lie.

Numbers are rounded to the nearest microsecond (a float of today's seconds is exact to about
0.2 µs); digits of text below a microsecond are cut.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Micros = npt.NDArray[np.int64]

ABSENT = np.iinfo(np.int64).min
"""Stands for a missing or unreadable timestamp."""

DRIFT_US = 55 * 60 * 1_000_000
AHEAD_US = 60 * 1_000_000
DAY_US = 86_400 * 1_000_000
_MAX_SECONDS = 9e12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(value: Any) -> int:
    """One timestamp: RFC 3339 text, or seconds as a number or text. ABSENT when unreadable."""
    if value is None or value is True or value is False:
        return ABSENT
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, (int, float)):
        return _from_seconds(value)
    return ABSENT


def micros_of(values: list[Any]) -> Micros:
    """Many timestamps at once: texts in one cast, numbers in one multiplication."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return _from_texts(values)
    if kinds == {float}:
        return _from_numbers(values)
    result = np.empty(len(values), dtype=np.int64)
    for kind, convert in ((str, _from_texts), (float, _from_numbers)):
        if kind in kinds:
            places = [i for i, v in enumerate(values) if type(v) is kind]
            result[places] = convert([values[i] for i in places])
    if kinds - {str, float}:
        for i, value in enumerate(values):
            if type(value) is not str and type(value) is not float:
                result[i] = micros(value)
    return result


def clock_shift(received_us: int, sent_us: int | None) -> int:
    """What to add to every time of a payload: the sender's drift, if it is 55 minutes or more."""
    if sent_us is None:
        return 0
    drift = received_us - sent_us
    return drift if abs(drift) >= DRIFT_US else 0


def _from_seconds(value: float) -> int:
    try:
        seconds = float(value)
    except OverflowError:
        return ABSENT
    if not math.isfinite(seconds) or abs(seconds) > _MAX_SECONDS:
        return ABSENT
    return round(value * 1_000_000)


def _from_numbers(values: list[Any]) -> Micros:
    seconds = np.array(values, dtype=np.float64)
    usable = np.isfinite(seconds) & (np.abs(seconds) <= _MAX_SECONDS)
    scaled = np.rint(np.where(usable, seconds, 0.0) * 1e6).astype(np.int64)
    return np.where(usable, scaled, ABSENT)


def _from_texts(values: list[Any]) -> Micros:
    for unit, divisor in (("us", 1), ("ns", 1000)):
        try:
            instants = pa.array(values, pa.string()).cast(pa.timestamp(unit, "UTC"))
        except (pa.ArrowInvalid, UnicodeEncodeError):
            continue
        found: Micros = instants.cast(pa.int64()).to_numpy(zero_copy_only=False) // divisor
        return found
    return np.array([_from_text(v) for v in values], dtype=np.int64)


def _from_text(value: str) -> int:
    try:
        instant = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            return _from_seconds(float(value))
        except ValueError:
            return ABSENT
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
