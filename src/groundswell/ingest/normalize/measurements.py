"""Measurements: lower-case names, known units, and the rates that follow from them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from groundswell.ingest.normalize.shapes import number
from groundswell.model.units import UNIT_MS

MAX_CUSTOM = 100
MAX_MOBILE_MS = 180_000
_NAME = re.compile(r"[a-z0-9_.-]{1,200}\Z")
_DURATIONS = frozenset(
    {
        "fcp",
        "lcp",
        "fid",
        "fp",
        "inp",
        "ttfb",
        "ttfb.requesttime",
        "app_start_cold",
        "app_start_warm",
        "time_to_initial_display",
        "time_to_full_display",
        "stall_total_time",
        "stall_longest_time",
    }
)
_MOBILE = frozenset(
    {"app_start_cold", "app_start_warm", "time_to_initial_display", "time_to_full_display"}
)
_COUNTS = frozenset({"cls", "frames_total", "frames_slow", "frames_frozen", "stall_count"})
_RATES = frozenset({"frames_slow_rate", "frames_frozen_rate", "stall_percentage"})
_MILLISECONDS = {"": 1.0, "none": 1.0, **UNIT_MS}
_ALIASES = {"app.start.cold": "app_start_cold", "app.start.warm": "app_start_warm"}


@lru_cache(4096)
def _name(raw: str) -> str:
    found = raw.strip().lower()
    found = _ALIASES.get(found, found)
    return found if _NAME.match(found) else ""


def measured(raw: Any, duration_ms: float) -> tuple[dict[str, float], dict[str, str]]:
    """A payload's measurements → values and units by name. What has no finite value is dropped."""
    values: dict[str, float] = {}
    units: dict[str, str] = {}
    if type(raw) is not dict or not raw:
        return values, units
    custom = 0
    for raw_name, entry in raw.items():
        name = _name(raw_name)
        value = number(entry.get("value")) if type(entry) is dict else number(entry)
        if not name or value is None:
            continue
        unit = entry.get("unit") if type(entry) is dict else None
        unit = unit.lower() if type(unit) is str and len(unit) <= 64 else ""
        if name in _DURATIONS:
            factor = _MILLISECONDS.get(unit)
            if factor is None or (name in _MOBILE and value * factor > MAX_MOBILE_MS):
                continue
            values[name], units[name] = value * factor, "millisecond"
        elif name in _COUNTS or name in _RATES:
            if unit in ("", "none", "ratio"):
                values[name], units[name] = value, "ratio" if name in _RATES else "none"
        elif custom < MAX_CUSTOM:
            custom += 1
            values[name], units[name] = value, unit or "none"
    _derive(values, units, duration_ms)
    return values, units


def _derive(values: dict[str, float], units: dict[str, str], duration_ms: float) -> None:
    total = values.get("frames_total", 0.0)
    for part, rate in (
        ("frames_slow", "frames_slow_rate"),
        ("frames_frozen", "frames_frozen_rate"),
    ):
        if total > 0 and part in values:
            values[rate], units[rate] = values[part] / total, "ratio"
    if duration_ms > 0 and "stall_total_time" in values:
        values["stall_percentage"] = values["stall_total_time"] / duration_ms
        units["stall_percentage"] = "ratio"
