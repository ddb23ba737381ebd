"""What a function measures: which noise its values have, and whether less is better."""

from __future__ import annotations

import re
from dataclasses import dataclass

from groundswell.trends.breakpoints import Kind

_NAME = re.compile(r"\s*(?:equation\|)?\s*([a-z_0-9]+)\s*\(")
_COUNTS = frozenset(
    {"count", "count_if", "count_unique", "count_miserable", "failure_count", "count_web_vitals"}
)
_PER_SECOND = frozenset({"eps", "tps", "sps"})
_PER_MINUTE = frozenset({"epm", "tpm", "spm"})
_SHARES = frozenset({"apdex"})  # beside all that ends in `_rate`
_MORE_IS_BETTER = frozenset({"apdex"}) | _PER_SECOND | _PER_MINUTE


@dataclass(frozen=True, slots=True)
class Metric:
    """kind: of the noise. per_s: seconds a rate is per (0 where it is none)."""

    kind: Kind
    lower_is_better: bool = True
    per_s: int = 0


def metric_of(function: str) -> Metric:
    """Tell by the name of a function what it measures."""
    match = _NAME.match(function)
    name = match[1] if match else ""
    lower = name not in _MORE_IS_BETTER
    if name in _COUNTS:
        return Metric("count", lower)

    if name in _PER_SECOND or name in _PER_MINUTE:
        return Metric("count", lower, per_s=1 if name in _PER_SECOND else 60)

    return Metric("rate" if name in _SHARES or name.endswith("_rate") else "latency", lower)
