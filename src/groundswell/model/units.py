"""Units by their names on the wire: how many milliseconds, or bytes, one of them is."""

from __future__ import annotations

from types import MappingProxyType

UNIT_MS = MappingProxyType(
    {
        "nanosecond": 1e-6,
        "microsecond": 1e-3,
        "millisecond": 1.0,
        "second": 1e3,
        "minute": 6e4,
        "hour": 3.6e6,
        "day": 8.64e7,
        "week": 6.048e8,
    }
)
_DECIMAL = ("kilo", "mega", "giga", "tera", "peta", "exa")
_BINARY = ("kibi", "mebi", "gibi", "tebi", "pebi", "exbi")
UNIT_BYTES = MappingProxyType(
    {
        "bit": 1 / 8,
        "byte": 1.0,
        **{f"{prefix}byte": 1000.0**power for power, prefix in enumerate(_DECIMAL, 1)},
        **{f"{prefix}byte": 1024.0**power for power, prefix in enumerate(_BINARY, 1)},
    }
)
