"""Untrusted JSON → the shape a field promises, or nothing. Nothing here raises."""

from __future__ import annotations

import math
from typing import Any

MAX_TEXT = 8192


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """A string as it is, cut to `limit` with an ellipsis; anything else is absent ('')."""
    if type(value) is str:
        return value if len(value) <= limit else value[: limit - 3] + "..."
    return ""


def lenient_text(value: Any, limit: int = MAX_TEXT) -> str:
    """As `text`, but numbers and booleans become text as SDKs mean them (`user.id` as an int)."""
    if type(value) is str:
        return value if len(value) <= limit else value[: limit - 3] + "..."
    if value is True:
        return "True"
    if value is False:
        return "False"
    if isinstance(value, int):
        # Python refuses to print integers of more than 4,300 digits.
        return str(value)[:limit] if value.bit_length() < 512 else ""
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)[:limit]
    return ""


def mapping(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def sequence(value: Any) -> list[Any]:
    return value if type(value) is list else []


def values_of(value: Any) -> list[Any]:
    """The list of an interface that comes as `{"values": [...]}`, as a list, or as one object."""
    if type(value) is list:
        return value
    if type(value) is dict:
        inner = value.get("values")
        if type(inner) is list:
            return inner
        return [value] if value and "values" not in value else []
    return []


def number(value: Any) -> float | None:
    """A finite number; numeric text counts, booleans and the rest do not."""
    if value is None or value is True or value is False:
        return None
    if isinstance(value, (int, float, str)):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            return None
        return found if math.isfinite(found) else None
    return None


def unsigned(value: Any, bits: int) -> int:
    """A whole number clamped into an unsigned column; 0 where there is none."""
    if type(value) is not int:
        found = number(value)
        if found is None:
            return 0
        value = int(found)
    clamped: int = min(max(value, 0), (1 << bits) - 1)
    return clamped


def flag(value: Any) -> int:
    """True → 1, False → 0, anything else → -1 (unknown)."""
    if value is True:
        return 1
    if value is False:
        return 0
    return -1
