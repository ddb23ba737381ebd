"""What was set aside is looked after while the service runs: listed, shown, retried, dropped."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.ingest import frames
from groundswell.ingest.frames import FrameKind, Meta
from groundswell.ingest.quarantine import Quarantine
from tests.commands import Failed, run
from tests.faults.ingesting import error_envelope
from tests.serving import eventually


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    settings = {"DIGEST_WINDOW_MS": "30", "DISK_RESERVE_MB": "0"}
    with ServiceProcess(tmp_path / "data", settings=settings) as running:
        yield running


def on(service: ServiceProcess, *arguments: str) -> Any:
    return msgspec.json.decode(run(*arguments, "--data", str(service.data), "--json"))


def listed(service: ServiceProcess) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = on(service, "spool", "list")
    return rows


def set_aside(service: ServiceProcess, project_id: int, seq: int, body: bytes) -> str:
    """Leave a record in quarantine as the service does it; give its id there."""
    event_id = json.loads(body.split(b"\n")[0])["event_id"]
    meta = Meta(time.time(), project_id, 1, "", "", "", event_id, 1, True)
    packed = b"".join(frames.pack_frame(FrameKind.RECORD, seq, frames.record_parts(meta, body)))
    (frame,) = frames.scan(memoryview(packed), 0)
    assert isinstance(frame, frames.Frame)
    Quarantine(service.data / "spool").keep_record(frame, "it broke an earlier version")
    return f"r{seq}"


def ids(service: ServiceProcess) -> list[str]:
    text = run(
        "export", "--org", "acme", "--dataset", "errors", "--field", "id",
        "--data", str(service.data),
    )  # fmt: skip
    return sorted(json.loads(line)["id"] for line in text.splitlines())


@pytest.mark.timeout(300)
def test_a_record_is_taken_up_again_and_counts_once(service: ServiceProcess) -> None:
    on(service, "org", "create", "acme")
    made = on(service, "project", "create", "acme", "web")
    key = made["dsn"].split("//")[1].split("@")[0]
    url = f"{service.url}/api/{made['id']}/envelope/?sentry_key={key}"
    good, given_up, there = (error_envelope(uuid.uuid4().hex) for _ in range(3))
    assert httpx.post(url, content=there).status_code == 200
    names = [
        set_aside(service, int(made["id"]), 10_001 + number, body)
        for number, body in enumerate((good, given_up, there, b'{"event_id":"%032x"}\nbroken' % 7))
    ]

    assert [row["id"] for row in listed(service)] == names
    assert {row["reason"] for row in listed(service)} == {"it broke an earlier version"}
    assert on(service, "spool", "show", names[0])["project"] == int(made["id"])
    with pytest.raises(Failed, match="Nothing in quarantine"):
        on(service, "spool", "retry", "r0")

    on(service, "spool", "drop", names[1])
    for name in (names[0], names[2], names[3]):
        assert on(service, "spool", "retry", name)["retry"]
    # The broken one comes back, under the number that it had this time.
    assert eventually(lambda: [row["id"] in names for row in listed(service)] == [False])
    assert [row["event"] for row in listed(service)] == [f"{7:032x}"]
    service.wait_until_queryable()
    expected = sorted(json.loads(body.split(b"\n")[0])["event_id"] for body in (good, there))
    assert eventually(lambda: len(ids(service)) == 2)
    assert ids(service) == expected
    metrics = httpx.get(f"{service.url}/metrics").text
    assert '{category="default",outcome="invalid",reason="poison"} 1.0' in metrics
    assert '{category="error",outcome="invalid",reason="duplicate"} 1.0' in metrics
