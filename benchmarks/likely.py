"""Rules that learn what is likely, on the labelled series of the trends: how often do unchanged
ones raise an alarm, and how often is a change noticed?

Every series is judged window by window as a rule with one trigger would be, on both sides, with
no more history than there was at the time. Series of a day are left out: nothing is known of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.trends.score import Labelled, load
from groundswell.alerts.dynamic import SPREADS, Habit, History, habit_of, limits_at
from groundswell.alerts.learning import LASTS_S
from groundswell.alerts.preview import Episode, episodes
from groundswell.alerts.rules import Limits, Window
from groundswell.model.alerts import Detection, Level, Rule, Side, Trigger
from groundswell.model.tenancy import OrgId

SERIES = Path(__file__).parent / "trends" / "labelled.npz"
AGGREGATES = {
    "count": "count()",
    "latency": "p95(transaction.duration)",
    "rate": "failure_rate()",
}
LEAST_S = 7 * 86_400
# An alarm that long after the change is about the new level still.
NOTICED_WITHIN_S = 86_400


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule made of one series. windows: that could be judged."""

    series: Labelled
    windows: int
    alarms: Sequence[Episode]

    @property
    def noticed(self) -> int:
        """How many of the changes were followed by an alarm."""
        starts = [int(self.series.times[n]) for n in self.series.changes]
        width = int(self.series.times[1] - self.series.times[0])
        return sum(
            any(at - width <= one.start < at + NOTICED_WITHIN_S for one in self.alarms)
            for at in starts
        )


def run() -> None:
    """Print the tables."""
    series = [one for one in load(SERIES) if one.times[-1] - one.times[0] >= LEAST_S - 7200]
    for sensitivity in SPREADS:
        found = [judge(one, sensitivity) for one in series]
        print(f"### {sensitivity}\n")
        _print_quiet([one for one in found if not one.series.changes and not one.series.ignored])
        _print_changed([one for one in found if one.series.changes and not one.series.ignored])


def judge(series: Labelled, sensitivity: str) -> Judged:
    """Run one series through a rule."""
    width = int(series.times[1] - series.times[0])
    rule = rule_for(series.kind, width, sensitivity)
    missing = np.isnan(series.values) | (series.weights <= 0)
    empty = 0.0 if rule.is_additive else np.nan
    values = np.where(missing, empty, series.values)
    events = np.where(missing, 0.0, series.weights)
    windows, judged = [], 0
    habit: Habit | None = None
    for n, start in enumerate(series.times):
        # As often as the evaluator learns anew.
        if habit is None or n * width % LASTS_S == 0:
            history = History(int(series.times[0]), width, values[:n], events[:n])
            habit = habit_of(history, rule.aggregate)
        limits = limits_at(rule, habit, int(start), float(events[n]))
        value = None if limits is None or np.isnan(values[n]) else float(values[n])
        judged += value is not None
        windows.append(Window(int(start) + width, value, limits or Limits()))
    return Judged(series, judged, episodes(rule, {"": windows}))


def rule_for(kind: str, width_s: int, sensitivity: str) -> Rule:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rule = Rule(
        id=1, org_id=OrgId(1), name="likely", dataset="transactions",
        aggregate=AGGREGATES[kind], query="", window_min=width_s // 60, side=Side.BOTH,
        triggers=(Trigger(Level.CRITICAL, None),), projects=(), created_at=at, changed_at=at,
        detection=Detection.DYNAMIC,
    )  # fmt: skip
    return replace(rule, sensitivity=sensitivity)


def _print_quiet(found: Sequence[Judged]) -> None:
    print("| without a change | series | windows | alarms | per 1,000 windows | series with one |")
    print("|---|---|---|---|---|---|")
    families = sorted({one.series.family for one in found})
    for family in [*families, "all"]:
        mine = [one for one in found if family in (one.series.family, "all")]
        windows, alarms = sum(o.windows for o in mine), sum(len(o.alarms) for o in mine)
        share = sum(bool(o.alarms) for o in mine) / len(mine)
        rate = 1000 * alarms / max(1, windows)
        print(f"| {family} | {len(mine)} | {windows:,} | {alarms} | {rate:.2f} | {share:.1%} |")
    print()


def _print_changed(found: Sequence[Judged]) -> None:
    print("| with a change | changes | noticed within a day |")
    print("|---|---|---|")
    families = sorted({one.series.family for one in found})
    for family in [*families, "all"]:
        mine = [one for one in found if family in (one.series.family, "all")]
        changes = sum(len(o.series.changes) for o in mine)
        noticed = sum(o.noticed for o in mine)
        print(f"| {family} | {changes} | {noticed / changes:.0%} |")
    print()
