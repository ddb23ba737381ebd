"""What an incident may come from: found beside the message, in it when in time, else edited in."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from groundswell.alerts.charts import chart_of, span_of_incident
from groundswell.alerts.explaining import sharpest
from groundswell.alerts.scopes import scope_of
from groundswell.alerts.suspects import Suspects
from groundswell.errors import StoreUnavailable
from groundswell.notify.queue import Notices
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, notify
from groundswell.store.metadata.notify import Delivery
from tests.alerting import Watch, open_watch
from tests.unit.alerts.builders import rule

OPENS_AT = 202


class Channel:
    def __init__(self) -> None:
        self.arrived: list[Delivery] = []

    async def send(self, delivery: Delivery) -> str:
        self.arrived.append(delivery)
        return "ok"


@pytest.fixture
async def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    """A quiet service until a release breaks its checkout at minute 200."""
    opened = open_watch(engine, sqlite_metadata)
    opened.rule(rule(100))
    opened.events(0, 400, step_s=30, release="shop@1.0", transaction="/home")
    opened.events(200, 300, step_s=0.4, release="shop@1.1", transaction="/checkout")
    opened.now = opened.at(199)
    await opened.until(OPENS_AT)
    return opened


def queue(watch: Watch, channel: Channel) -> Notices:
    return Notices(watch.metadata, {"slack": channel.send}, clock=lambda: watch.now)


async def test_a_suspect_is_in_the_first_message_when_it_is_found_in_time(watch: Watch) -> None:
    channel = Channel()
    notices = queue(watch, channel)
    assert await notices.deliver() == 0, "the first message leaves a moment to find a suspect"
    suspects = Suspects(watch.metadata, watch.statistics)
    assert await suspects.look(watch.now) == 1
    assert await suspects.look(watch.now) == 0
    assert await notices.deliver() == 1
    (incident,) = watch.incidents()
    suspect = incident.suspect
    assert suspect is not None
    changed = int(watch.at(200).timestamp())
    assert (suspect["release"], suspect["breakpoint"]) == ("shop@1.1", changed)
    assert "release shop@1.1" in suspect["explanation"]
    assert {"kind": "transaction", "value": "/checkout"} in [
        {"kind": one["kind"], "value": one["value"]} for one in suspect["causes"]
    ]
    assert channel.arrived[0].body["suspect"] == suspect


async def test_a_message_does_not_wait_for_a_late_suspect_and_is_edited(watch: Watch) -> None:
    channel = Channel()
    notices = queue(watch, channel)
    watch.now += timedelta(seconds=3)
    assert await notices.deliver() == 1
    assert channel.arrived[0].body["suspect"] is None
    await Suspects(watch.metadata, watch.statistics).look(watch.now)
    assert await notices.deliver() == 1
    edit = channel.arrived[1].body
    assert (edit["edits"], edit["suspect"]["release"]) == (True, "shop@1.1")
    assert [one.body["status"] for one in channel.arrived] == ["Critical", "Critical"]


async def test_a_search_that_fails_leaves_the_message_as_it_is(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: object, **named: object) -> None:
        raise StoreUnavailable("away")

    channel = Channel()
    with monkeypatch.context() as broken:
        broken.setattr(watch.engine, "query", fail)
        assert await Suspects(watch.metadata, watch.statistics).look(watch.now) == 1
    assert await queue(watch, channel).deliver() == 1
    assert channel.arrived[0].body["suspect"] is None
    assert watch.incidents()[0].suspect == {}
    assert len(watch.run(notify.waiting)) == 0


async def test_the_chart_of_an_incident_marks_the_change(watch: Watch) -> None:
    await Suspects(watch.metadata, watch.statistics).look(watch.now)
    (incident,) = watch.incidents()
    scope = watch.run(scope_of, watch.org_id)
    made = rule(100, org_id=watch.org_id, projects=(watch.project,))
    span = span_of_incident(made, incident, watch.now)
    chart = await chart_of(watch.statistics, made, scope, span, [incident])
    change = int(watch.at(200).timestamp())
    assert [(m.role, m.at) for m in chart.markers][-2:] == [
        ("release", change), ("breakpoint", change)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "sign", "place"),
    [
        ([1, 1, 1, 1, 1, 9, 9, 9], 1, 5),
        ([1, 1, 1, 1, 1, 9, 9, 1, 1, 1], 1, 5),
        ([9, 9, 9, 9, 9, 9, 1, 1], -1, 6),
        ([9, 9, 9, 9, 9, 9, 1, 1], 0, 6),
        ([2, 2, 2, 2, 2, 2], 1, None),
    ],
)
def test_the_moment_is_where_a_short_level_begins(
    values: list[float], sign: int, place: int | None
) -> None:
    assert sharpest(np.array(values, float), 4, sign) == place
