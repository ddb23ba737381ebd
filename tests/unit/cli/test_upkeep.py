"""Commands on a running service: they go through its control door, which nobody else can open."""

from __future__ import annotations

import base64
import gzip
import json
import stat
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.store.data_directory import DataDirectory
from tests.commands import Failed, run
from tests.serving import Tenant, eventually


class Commands:
    """Runs commands on the data directory of the running service."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def __call__(self, *arguments: str) -> str:
        return run(*arguments, "--data", str(self._data), "--json")

    def fail(self, *arguments: str) -> str:
        with pytest.raises(Failed) as caught:
            self(*arguments)
        return str(caught.value)


@pytest.fixture
def command(service: ServiceProcess) -> Commands:
    return Commands(service.data)


def saved(folder: Path, count: int, **fields: object) -> Path:
    """Write a file of envelopes that were sent long ago, one event per minute."""
    lines = []
    for number in range(count):
        event_id = uuid.uuid4().hex
        event = {
            "message": f"m{number % 2}",
            "timestamp": time.time() - 3600 - 60 * number,
            **fields,
        }
        payload = json.dumps(event)
        header = {"event_id": event_id, "sent_at": "2020-01-01T00:00:00Z"}
        item = {"type": "event", "length": len(payload)}
        envelope = "\n".join((json.dumps(header), json.dumps(item), payload)).encode()
        lines.append(json.dumps({"bytes_b64": base64.b64encode(envelope).decode()}))
    path = folder / "saved.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def imported(tenant: Tenant, path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("import", str(path), "--dsn", tenant.dsn, "--json"))
    return told


def stored(tenant: Tenant) -> int:
    answer = tenant.get("events/", dataset="errors", field="count()", statsPeriod="1d")
    return int(answer.json()["data"][0]["count()"])


def test_what_is_imported_can_be_exported_and_deleted(
    command: Commands, tenant: Tenant, tmp_path: Path
) -> None:
    told = imported(tenant, saved(tmp_path, 9, user={"email": "a@example.com"}))
    assert (told["sent"], told["accepted"], told["refused"]) == (9, 9, 0)
    again = imported(tenant, tmp_path / "saved.jsonl.gz")
    assert again["accepted"] == 9
    assert eventually(lambda: stored(tenant) == 9), stored(tenant)

    chosen = ("--org", tenant.org, "--project", tenant.project, "--dataset", "errors")
    out = command(
        "export", *chosen, "--field", "timestamp", "--field", "title", "--query", "message:m1"
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["title"] for row in rows] == ["m1"] * 4
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    assert all(row["timestamp"] < rows[-1]["timestamp"] for row in rows[:-1])
    figures = command("export", *chosen, "--field", "title", "--field", "count()", "--sort=-count")
    assert [json.loads(line) for line in figures.splitlines()] == [
        {"title": "m0", "count()": 5},
        {"title": "m1", "count()": 4},
    ]
    target = tmp_path / "out.csv"
    assert json.loads(command("export", str(target), *chosen))["rows"] == 9
    assert len(target.read_text().splitlines()) == 10
    assert "nonsense(" in command.fail("export", *chosen, "--field", "nonsense(")

    gone = json.loads(
        command("store", "delete-person", tenant.org, "email", "a@example.com", "--yes")
    )
    assert gone["rows"]["errors"] == 9
    assert stored(tenant) == 0


def test_a_deleted_project_is_gone_and_takes_nothing(
    command: Commands, tenant: Tenant, tmp_path: Path
) -> None:
    imported(tenant, saved(tmp_path, 3))
    assert eventually(lambda: stored(tenant) == 3)
    gone = json.loads(command("store", "delete-project", tenant.org, tenant.project, "--yes"))
    assert gone["rows"]["errors"] == 3
    again = json.loads(command("store", "delete-project", tenant.org, tenant.project_id, "--yes"))
    assert again["rows"]["errors"] == 0
    assert "no project" in command.fail("store", "delete-project", tenant.org, "never-was", "--yes")
    key, host = tenant.dsn.split("//")[1].split("@")
    refused = httpx.post(
        f"http://{host.split('/')[0]}/api/{tenant.project_id}/envelope/?sentry_key={key}",
        content=b"{}\n",
    )
    assert refused.status_code == 403


def test_a_whole_store_checks_out_while_it_is_served(command: Commands) -> None:
    findings = json.loads(command("store", "check"))
    assert {row["what"] for row in findings} >= {"errors", "spans", "metadata"}
    assert all(row["ok"] for row in findings)


def test_a_backup_is_refused_where_something_is(command: Commands, tmp_path: Path) -> None:
    assert "exists already" in command.fail("backup", "create", str(tmp_path))
    assert "is running" in command.fail("backup", "restore", str(tmp_path))


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer 00", "Bearer \xff", "Basic eDp5"])
@pytest.mark.parametrize("path", ["/control/work", "/control/export"])
def test_without_the_token_there_is_no_door(
    service: ServiceProcess, path: str, given: str | None
) -> None:
    headers = [] if given is None else [(b"authorization", given.encode("latin-1"))]
    answer = httpx.post(service.url + path, headers=headers, json={"type": "check"})
    assert answer.status_code == 404


def test_the_token_is_private_and_new(service: ServiceProcess, tmp_path: Path) -> None:
    path = service.data / "control"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token, url = path.read_text().split()
    assert len(bytes.fromhex(token)) == 32
    asked = httpx.post(
        f"{url}/control/work", headers={"Authorization": f"Bearer {token}"}, json={"type": "what"}
    )
    assert asked.status_code == 400
    directory = DataDirectory(tmp_path)
    assert directory.open_control("http://x") != directory.open_control("http://x")
    directory.close_control()
    assert directory.control() is None
