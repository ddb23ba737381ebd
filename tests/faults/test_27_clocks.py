"""Clocks that jump, time zones that are odd, days of 23 and 25 hours: time is UTC seconds here."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, alerts
from tests.alerting import Watch, open_watch
from tests.serving import Tenant, eventually
from tests.unit.alerts.builders import BODY, rule


@pytest.fixture
def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    return open_watch(engine, sqlite_metadata)


@pytest.mark.parametrize("jump_min", [-15, 30])
async def test_27_a_clock_that_jumps_tells_nothing_twice(watch: Watch, jump_min: int) -> None:
    made = watch.rule(rule(100))
    watch.events(10, 300, step_s=0.1)
    await watch.until(13)
    ends = [_judged_until(watch, made.id)]
    watch.now += timedelta(minutes=jump_min)
    for _ in range(22):
        watch.now += timedelta(minutes=1)
        await watch.evaluator.evaluate(watch.now)
        ends.append(_judged_until(watch, made.id))
    assert ends == sorted(ends), "windows only move forward"
    told = [one.partition(" ")[2] for one in watch.notices()]
    assert told == ["Critical", "Resolved"]


async def test_27_every_minute_is_judged_once_though_the_clock_stutters(watch: Watch) -> None:
    """Back by a minute after each, as with a leap second that is smeared by hand."""
    watch.rule(rule(100))
    watch.events(10, 300, step_s=0.1)
    for minute, back in itertools.product(range(11, 19), (0, -60, 0)):
        await watch.evaluator.evaluate(watch.at(minute) + timedelta(seconds=back))
    assert watch.notices() == ["12 Critical", "17 Resolved"]


def _zone() -> str:
    """Make a zone that no database knows, in which summer time began at the last midnight."""
    local = datetime.now(UTC) - timedelta(hours=5)
    is_long = local.year % 4 == 0 and local.timetuple().tm_yday > 60
    day = local.timetuple().tm_yday - is_long
    return f"AAA5BBB,J{day}/0,J{(day + 180) % 360 + 1}/0"


def test_27_a_day_before_is_86_400_seconds_before_in_any_zone(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", _zone())
        service = ServiceProcess(tmp_path / "data", settings={"ALERT_DELAY_S": "1"})
        service.start()
    try:
        _compares_with_yesterday(service)
    finally:
        service.stop()


def _compares_with_yesterday(service: ServiceProcess) -> None:
    service.cli("org", "create", "acme")
    token = msgspec.json.decode(service.cli("token", "create", "acme"))["token"]
    made = msgspec.json.decode(service.cli("project", "create", "acme", "web"))
    tenant = Tenant(service, "acme", "web", made["id"], made["dsn"], token)
    now = datetime.now(UTC)
    # A rule about the last hour, compared with that of the day before: twice as many. An hour
    # beside it there are so many that a comparison that is off by one would not fire.
    for minutes, count in ((1440 + 30, 10), (1440 + 90, 40), (1440 - 30, 40), (30, 20)):
        _send(service, made["dsn"], now - timedelta(minutes=minutes), count)
    service.wait_until_queryable()
    body = BODY | {
        "projects": ["web"], "query": "", "timeWindow": 60, "comparisonDelta": 1440,
        "triggers": [{"label": "critical", "alertThreshold": 50}],
    }  # fmt: skip
    answer = httpx.post(
        f"{service.url}/api/0/organizations/acme/alert-rules/",
        json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    (incident,) = eventually(lambda: tenant.get("incidents/").json(), timeout_s=60)
    assert incident["value"] == 200
    began = datetime.fromisoformat(incident["dateStarted"])
    assert timedelta() < now - began < timedelta(hours=2)
    buckets = tenant.get("events-stats/", interval="1h", statsPeriod="48h", yAxis="count()").json()
    counts = {at: found[0]["count"] for at, found in buckets["data"]}
    assert all(at % 3600 == 0 for at in counts)
    hour = int((now - timedelta(minutes=1440 + 30)).timestamp()) // 3600 * 3600
    assert counts[hour] >= 10


def _send(service: ServiceProcess, dsn: str, at: datetime, count: int) -> None:
    key, project = dsn.split("//")[1].split("@")[0], dsn.rpartition("/")[2]
    address = f"{service.url}/api/{project}/store/?sentry_key={key}&sentry_version=7"
    with httpx.Client(timeout=30) as client:
        for _ in range(count):
            event = {"exception": {"values": [{"type": "E"}]}, "timestamp": at.timestamp()}
            answer = client.post(address, json=event)
            assert answer.status_code == 200, answer.text


def _judged_until(watch: Watch, rule_id: int) -> int:
    found = watch.run(alerts.find_rule, watch.org_id, rule_id)
    return int(found.last_end)
