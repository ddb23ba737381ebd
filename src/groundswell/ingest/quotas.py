"""Rate limits: how much of a category a key, project or organization may send in a window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_REPORTED_S = 300


@dataclass(frozen=True, slots=True)
class Limit:
    """`quantity` per `window_s`. `category` "" means everything; `scope` is who is limited."""

    scope: str
    owner_id: int
    category: str
    quantity: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit that is reached, for so many more whole seconds."""

    category: str
    scope: str
    retry_after_s: int


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int


class Limiter:
    """Counts in windows that begin with their first event. The time is an argument."""

    def __init__(self) -> None:
        self._windows: dict[Limit, _Window] = {}

    def take(
        self, limits: Iterable[Limit], wanted: Mapping[str, int], now: float
    ) -> dict[str, Refusal]:
        """Count what is wanted by category; give the refused categories. They take nothing."""
        limits = tuple(limits)
        refused: dict[str, Refusal] = {}
        for category, quantity in wanted.items():
            mine = [limit for limit in limits if limit.category in {"", category}]
            over = [limit for limit in mine if self._is_over(limit, now)]
            if over:
                worst = max(over, key=lambda limit: self._windows[limit].ends_at)
                refused[category] = Refusal(category, worst.scope, self._left(worst, now))
                continue

            for limit in mine:
                self._windows[limit].used += quantity
        return refused

    def _is_over(self, limit: Limit, now: float) -> bool:
        window = self._windows.get(limit)
        # A clock that jumped back must not make a window endless.
        if window is None or now >= window.ends_at or window.ends_at - now > limit.window_s:
            window = self._windows[limit] = _Window(now + limit.window_s, 0)
        return window.used >= limit.quantity

    def _left(self, limit: Limit, now: float) -> int:
        return min(MAX_REPORTED_S, max(1, math.ceil(self._windows[limit].ends_at - now)))

    def forget(self, limits: Iterable[Limit]) -> None:
        """Drop the windows of limits that no longer exist; `limits` are those that do."""
        kept = set(limits)
        self._windows = {limit: row for limit, row in self._windows.items() if limit in kept}


def header_of(refusals: Iterable[Refusal]) -> str:
    """Refusals → the value of X-Sentry-Rate-Limits."""
    return ", ".join(
        f"{row.retry_after_s}:{row.category}:{row.scope}:rate_limit" for row in refusals
    )
