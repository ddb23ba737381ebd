"""Two weeks at an accelerated clock: steps, spikes, flapping, gaps, restarts, Slack down.

Rows 27 and 40 of the list of faults. Everything is real but the clock: events in the engine, rules
and incidents in the metadata, and a channel that is down for a night.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from groundswell.alerts.evaluator import Evaluator
from groundswell.errors import UpstreamError
from groundswell.notify.queue import Notices
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.notify import Delivery
from tests.alerting import Watch, open_watch
from tests.rows import insert
from tests.unit.alerts.builders import rule

HOUR = 60
DAY = 24 * HOUR
DAYS = 14
STEP_S = 1800


class Channel:
    """A Slack that is down for a while, and remembers what arrived."""

    def __init__(self, watch: Watch, down: tuple[int, int]) -> None:
        self.watch = watch
        self.down = down
        self.arrived: list[tuple[str, str, int]] = []

    async def send(self, delivery: Delivery) -> str:
        if self.watch.at(self.down[0]) <= self.watch.now < self.watch.at(self.down[1]):
            raise UpstreamError("Slack is down", retryable=True)

        told = delivery.body
        when = moment(delivery.created_at, self.watch)
        self.arrived.append((when, str(told["status"]), round(told["value"])))
        return "ok"


def moment(at: datetime, watch: Watch) -> str:
    hours = int((at - watch.start).total_seconds()) // 3600
    minutes = int((at - watch.start).total_seconds()) // 60 % 60
    return f"{hours // 24}d{hours % 24:02}:{minutes:02}"


def traffic() -> list[int]:
    """Events of every hour: 10 is normal, above 60 critical, above 30 a warning."""
    hours = [10] * (DAYS * 24)
    # A step on day 1: twelve hours of 100.
    hours[24 + 6 : 24 + 18] = [100] * 12
    # A spike of one hour on day 3.
    hours[3 * 24 + 10] = 200
    # Flapping around the threshold on day 4: held open by the resolve threshold of 15.
    hours[4 * 24 : 4 * 24 + 12] = [70, 20] * 6
    # A warning on day 6 that grows.
    hours[6 * 24 : 6 * 24 + 4] = [40, 40, 90, 40]
    # Day 8: nothing runs from 8 to 14 o'clock; something comes and goes from 9 to 11.
    hours[8 * 24 + 9 : 8 * 24 + 11] = [150, 150]
    # Day 9: nothing runs from 8 to 12 o'clock; what begins at 10 is still there at 15.
    hours[9 * 24 + 10 : 9 * 24 + 15] = [150] * 5
    # Day 11: Slack is down from 0 to 8 o'clock; an incident from 2 to 4.
    hours[11 * 24 + 2 : 11 * 24 + 4] = [150, 150]
    # Day 12: the store is away from 3 to 6 o'clock, in the middle of an incident from 1 to 8.
    hours[12 * 24 + 1 : 12 * 24 + 8] = [150] * 7
    return hours


# What people must hear, worked out by hand from the hours above, before the program was asked. A
# look at minute m judges the hour that ended at m - 1; of an hour of n events spread evenly it sees
# the part inside. Columns: when, what, the number of that hour, and why it is so.
EXPECTED = (
    ("1d06:30", "Warning", 54, "29 minutes at 100 and 31 at 10"),
    ("1d07:00", "Critical", 99, "59 minutes at 100"),
    ("1d18:30", "Warning", 56, "31 minutes at 100 are left, 29 at 10: below critical"),
    ("1d19:00", "Resolved", 11, "one minute at 100 is left: below 15"),
    ("3d10:30", "Critical", 102, "29 minutes of the spike: no warning on the way"),
    ("3d12:00", "Resolved", 13, "its last minute and 59 at 10"),
    # Flapping between 70 and 20. At the full hour after a 20 the number is 21: neither bad
    # enough to open nor good enough to end, so the incident goes on without a word.
    ("4d00:30", "Warning", 39, "29 minutes at 70, 31 at 10"),
    ("4d01:00", "Critical", 69, "59 minutes at 70"),
    ("4d01:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d03:00", "Critical", 69, "59 minutes at 70, again"),
    ("4d03:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d05:00", "Critical", 69, "59 minutes at 70, again"),
    ("4d05:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d07:00", "Critical", 69, "59 minutes at 70, again"),
    ("4d07:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d09:00", "Critical", 69, "59 minutes at 70, again"),
    ("4d09:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d11:00", "Critical", 69, "59 minutes at 70, the last time"),
    ("4d11:30", "Warning", 46, "31 minutes at 70, 29 at 20"),
    ("4d12:30", "Resolved", 15, "ten events of the last 20, five at 10: 15 is not above 15"),
    ("6d01:00", "Warning", 40, "59 minutes at 40; at 00:30 it was 25, not above 30"),
    ("6d02:30", "Critical", 64, "29 minutes at 90, 31 at 40"),
    ("6d04:00", "Warning", 41, "the last minute at 90, 59 at 40; at 03:30 it was still 66"),
    ("6d05:00", "Resolved", 10, "the last minute at 40 had no event; at 04:30 it was 25: held"),
    # Day 8: nothing ran from 08:00 to 14:00, so what came at 9 and went at 11 is old news.
    # Day 9: nothing ran from 08:00 to 12:00; what began at 10 was news then.
    ("9d12:00", "Critical", 150, "the first look after the stop, in the middle of it"),
    ("9d16:00", "Resolved", 12, "the last minute at 150, 59 at 10"),
    # Day 11: the channel is down; both are taken at their time and arrive after 8, in order.
    ("11d02:30", "Critical", 78, "29 minutes at 150, 31 at 10"),
    ("11d05:00", "Resolved", 12, "the last minute at 150, 59 at 10; at 04:30 it was 82"),
    # Day 12: the store is away from 03:00 to 06:00: silence is no recovery.
    ("12d01:30", "Critical", 78, "29 minutes at 150, 31 at 10"),
    ("12d09:00", "Resolved", 12, "the last minute at 150, 59 at 10"),
)


def counted(when: str) -> int:
    """Count the events of the hour that a look at `when` judges, from the plan alone."""
    day, _, clock = when.partition("d")
    last = (int(day) * 24 + int(clock[:2])) * 3600 + int(clock[3:]) * 60 - 60
    seconds = (hour * 3600 + 3600 / n * k for hour, n in enumerate(traffic()) for k in range(n))
    return sum(last - 3600 <= second < last for second in seconds)


@pytest.fixture
def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    opened = open_watch(engine, sqlite_metadata)
    opened.start -= timedelta(days=20)
    opened.now = opened.start
    return opened


def test_40_the_numbers_of_the_table_are_those_of_the_plan() -> None:
    assert [counted(when) for when, *_ in EXPECTED] == [number for _, _, number, _ in EXPECTED]


async def test_40_a_fortnight_is_told_exactly(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for hour, count in enumerate(traffic()):
        first = watch.at(hour * HOUR)
        rows += [
            {"timestamp": first + timedelta(seconds=3600 / count * n), "title": "x"}
            for n in range(count)
        ]
    insert(watch.engine, "errors", int(watch.project), rows)
    watch.rule(rule(60, 30, resolve=15.0, window_min=60))
    channel = Channel(watch, (11 * DAY, 11 * DAY + 8 * HOUR))
    notices = Notices(watch.metadata, {"slack": channel.send}, clock=lambda: watch.now)
    query = watch.engine.query

    async def away(*args: object, **named: object) -> object:
        if watch.at(12 * DAY + 3 * HOUR) <= watch.now < watch.at(12 * DAY + 6 * HOUR):
            raise UpstreamError("The store is away")
        return await query(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(watch.engine, "query", away)
    stops = ((8 * DAY + 8 * HOUR, 8 * DAY + 14 * HOUR), (9 * DAY + 8 * HOUR, 9 * DAY + 12 * HOUR))
    restarted = 0
    while watch.now < watch.at(DAYS * DAY):
        watch.now += timedelta(seconds=STEP_S)
        minutes = (watch.now - watch.start).total_seconds() / 60
        if any(first <= minutes < last for first, last in stops):
            # A process that comes back remembers nothing but the database.
            watch.evaluator = Evaluator(watch.metadata, watch.statistics, delay_s=60, max_phase_s=0)
            restarted += 1
            continue
        await watch.evaluator.evaluate(watch.now)
        await notices.deliver()

    assert restarted
    assert channel.arrived == [(when, what, number) for when, what, number, _ in EXPECTED]
    found = watch.incidents()
    assert not any(one.is_open for one in found)
    assert [moment(one.started_at, watch) for one in found] == [
        "1d05:29", "3d09:29", "3d23:29", "5d23:59", "8d09:00", "9d10:00", "11d01:29", "12d00:29"
    ]  # fmt: skip
