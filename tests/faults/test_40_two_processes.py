"""Two processes share a PostgreSQL and a ClickHouse: one of them evaluates, and when it is killed
the other takes over. Row 40 of the list of faults, with processes that are really killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from groundswell.config import Settings
from groundswell.demo.service import ServiceProcess
from groundswell.store.engine import Engine
from tests.clickhouse_front import serve_clickhouse
from tests.postgresql import PostgresServer
from tests.serving import eventually
from tests.unit.alerts.builders import BODY

TAKES_OVER_S = 90.0
JUDGED = re.compile(r'^groundswell_alert_windows_total\{result="judged"\} (\S+)', re.MULTILINE)


@pytest.fixture
def pair(
    engine: Engine, settings: Settings, postgres: PostgresServer, tmp_path: Path
) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    with ExitStack() as stack:
        store = str((settings.data / "store").resolve())
        shared = {
            "DATABASE_URL": postgres.new_database(),
            "CLICKHOUSE_URL": stack.enter_context(serve_clickhouse(store)),
            "SECRET_KEY": "k" * 40,
            "ALERT_DELAY_S": "1",
        }
        made = []
        for name in ("a", "b"):
            service = ServiceProcess(tmp_path / name, settings=shared)
            stack.callback(service.stop)
            service.start()
            made.append(service)
        yield made[0], made[1]


def test_40_one_of_two_processes_evaluates_and_the_other_takes_over(
    pair: tuple[ServiceProcess, ServiceProcess],
) -> None:
    pair[0].cli("org", "create", "acme")
    pair[0].cli("project", "create", "acme", "web")
    token = msgspec.json.decode(pair[0].cli("token", "create", "acme"))["token"]
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        first = _make(client, pair[0])
        assert eventually(lambda: _incidents(client, pair[1], first), timeout_s=60)
        judged = [_judged(client, service) for service in pair]
        assert sorted(count > 0 for count in judged) == [False, True], judged
        place = judged.index(max(judged))
        pair[place].kill()
        other = pair[1 - place]
        second = _make(client, other)
        assert eventually(lambda: _incidents(client, other, second), timeout_s=TAKES_OVER_S)
        assert _judged(client, other) > 0
        # Nothing was lost and nothing was told a second time by the one who took over.
        for rule in (first, second):
            (incident,) = _incidents(client, other, rule)
            assert [one["type"] for one in incident["activities"]] == [4, 2]
    assert "job_failed" not in other.log.read_text()


def _make(client: httpx.Client, service: ServiceProcess) -> str:
    """Make a rule that silence breaks."""
    body = BODY | {"timeWindow": 1, "thresholdType": 1, "query": "level:fatal"}
    answer = client.post(f"{service.url}/api/0/organizations/acme/alert-rules/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _incidents(client: httpx.Client, service: ServiceProcess, rule: str) -> list[Any]:
    path = "/api/0/organizations/acme/incidents/?expand=activities"
    answer = client.get(f"{service.url}{path}&alertRule={rule}")
    found: list[Any] = answer.json()
    return found


def _judged(client: httpx.Client, service: ServiceProcess) -> float:
    found = JUDGED.search(client.get(f"{service.url}/metrics").text)
    return float(found[1]) if found else 0.0
