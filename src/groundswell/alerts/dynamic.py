"""What is likely at this time of day and week, from the last four weeks: median and spread.

A window is compared with the windows at the same time of the days before (and their neighbours),
workdays with workdays and weekends with weekends. Their median, and the median of the distances
from it, give a range; a value outside it is unlikely. Medians, because incidents of the past must
not make the incidents of today look normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.alerts.rules import Limits
from groundswell.model.alerts import Level, Rule, Side

DAYS = 28
DAY_S = 86_400
MIN_KNOWN = 6
# Distances in spreads at which a window is unlikely; docs/alerts.md names them to people.
SPREADS = {"low": 9.0, "medium": 6.5, "high": 5.0}
WARNING_SHARE, RESOLVE_SHARE = 0.75, 0.6
# A series that never moves still moves by this share of its level.
LEAST_SHARE = 0.05
_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class History:
    """The values of the last weeks on one grid; nan where there is none."""

    first: int
    width_s: int
    values: NDArray[np.float64]

    @classmethod
    def of(
        cls, values: Mapping[int, float | None], first: int, end: int, width_s: int, empty: float
    ) -> History:
        """Lay values by their starts on a grid. empty: the value of a window without events."""
        count = max(0, (end - first) // width_s)
        grid = np.full(count, empty)
        # Before the first event there is no history, rather than a history of zeros.
        known = [start for start, value in values.items() if value is not None]
        if known:
            grid[: max(0, (min(known) - first) // width_s)] = np.nan
        for start, value in values.items():
            place = (start - first) // width_s
            if 0 <= place < count:
                grid[place] = np.nan if value is None else value
        return cls(first, width_s, grid if known else np.full(count, np.nan))


def likely(history: History, start: int, *, is_count: bool) -> tuple[float, float] | None:
    """Give the middle and the spread of what is likely for the window that begins at `start`."""
    found = _alike(history, start)
    if len(found) < MIN_KNOWN:
        return None

    middle = float(np.median(found))
    spread = float(np.median(np.abs(found - middle))) * _TO_DEVIATION
    floor = abs(middle) * LEAST_SHARE
    if is_count:
        # Counts of independent events scatter by the root of their number.
        floor = max(floor, float(np.sqrt(max(middle, 1.0))))
    return middle, max(spread, floor, 1e-9)


def limits_at(rule: Rule, history: History, start: int) -> Limits | None:
    """Give the limits of a window; None while too little is known to judge it."""
    found = likely(history, start, is_count=rule.is_additive)
    if found is None:
        return None

    middle, spread = found
    reach = SPREADS[rule.sensitivity] * spread

    def side(sign: int) -> tuple[float | None, float | None, float | None]:
        warning = None
        if rule.trigger(Level.WARNING) is not None:
            warning = middle + sign * reach * WARNING_SHARE
        return warning, middle + sign * reach, middle + sign * reach * RESOLVE_SHARE

    nothing = (None, None, None)
    return Limits(
        high=nothing if rule.side is Side.BELOW else side(1),
        low=nothing if rule.side is Side.ABOVE else side(-1),
    )


def _alike(history: History, start: int) -> NDArray[np.float64]:
    days = np.arange(1, DAYS + 1)
    weekend = _is_weekend(start - days * DAY_S) == _is_weekend(np.array(start))
    alike = start - days[weekend] * DAY_S
    if len(alike) < 8:
        # On a weekend: four of them are eight days, fewer are known at first.
        alike = (
            start - days * DAY_S if history.values.size * history.width_s < 14 * DAY_S else alike
        )
    shifts = np.array([-1, 0, 1]) * history.width_s if history.width_s < DAY_S else np.array([0])
    places = ((alike[:, None] + shifts[None, :]).ravel() - history.first) // history.width_s
    places = places[(places >= 0) & (places < history.values.size)]
    found: NDArray[np.float64] = history.values[places]
    return found[~np.isnan(found)]


def _is_weekend(starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    # The epoch was a Thursday.
    weekend: NDArray[np.bool_] = (starts // DAY_S + 3) % 7 >= 5
    return weekend
