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
        self.arrived: list[str] = []

    async def send(self, delivery: Delivery) -> str:
        if self.watch.at(self.down[0]) <= self.watch.now < self.watch.at(self.down[1]):
            raise UpstreamError("Slack is down", retryable=True)

        self.arrived.append(f"{moment(delivery.created_at, self.watch)} "
                            f"{delivery.body['status']}")  # fmt: skip
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


EXPECTED = [
    "1d06:30 Warning", "1d07:00 Critical", "1d18:30 Warning", "1d19:00 Resolved",
    "3d10:30 Critical", "3d12:00 Resolved",
    # One incident, although the value falls below both thresholds again and again.
    "4d00:30 Warning", "4d01:00 Critical", "4d01:30 Warning", "4d03:00 Critical",
    "4d03:30 Warning", "4d05:00 Critical", "4d05:30 Warning", "4d07:00 Critical",
    "4d07:30 Warning", "4d09:00 Critical", "4d09:30 Warning", "4d11:00 Critical",
    "4d11:30 Warning", "4d12:30 Resolved",
    "6d01:00 Warning", "6d02:30 Critical", "6d04:00 Warning", "6d05:00 Resolved",
    # Nothing of day 8: it came and went while nobody looked. Day 9 was still news.
    "9d12:00 Critical", "9d16:00 Resolved",
    # Taken while the channel was down, and delivered in this order afterwards.
    "11d02:30 Critical", "11d05:00 Resolved",
    # The store was away for three hours: no recovery is told.
    "12d01:30 Critical", "12d09:00 Resolved",
]  # fmt: skip


@pytest.fixture
def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    opened = open_watch(engine, sqlite_metadata)
    opened.start -= timedelta(days=20)
    opened.now = opened.start
    return opened


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
    assert channel.arrived == EXPECTED
    found = watch.incidents()
    assert not any(one.is_open for one in found)
    assert [moment(one.started_at, watch) for one in found] == [
        "1d05:29", "3d09:29", "3d23:29", "5d23:59", "8d09:00", "9d10:00", "11d01:29", "12d00:29"
    ]  # fmt: skip
