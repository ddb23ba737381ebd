"""A backup made while events come in: restored, it holds what was acknowledged before, once."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess
from tests.commands import run
from tests.faults.ingesting import error_envelope

SETTINGS = {"DIGEST_WINDOW_MS": "30", "DISK_RESERVE_MB": "0"}


class Sending:
    """A thread that sends without end and remembers what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._stop.is_set():
                event_id = uuid.uuid4().hex
                if client.post(self._url, content=error_envelope(event_id)).status_code == 200:
                    self.acknowledged.append(event_id)

    def wait_for(self, count: int) -> None:
        while len(self.acknowledged) < count:
            assert self._thread.is_alive()
            time.sleep(0.01)

    def __enter__(self) -> Sending:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def on(service: ServiceProcess, *arguments: str) -> str:
    return run(*arguments, "--data", str(service.data), "--json")


def stored_ids(service: ServiceProcess) -> Counter[str]:
    lines = on(service, "export", "--org", "acme", "--dataset", "errors", "--field", "id")
    return Counter(msgspec.json.decode(line)["id"] for line in lines.splitlines())


def envelope_url(service: ServiceProcess) -> str:
    on(service, "org", "create", "acme")
    made = msgspec.json.decode(on(service, "project", "create", "acme", "web"))
    key = made["dsn"].split("//")[1].split("@")[0]
    return f"{service.url}/api/{made['id']}/envelope/?sentry_key={key}"


# Three processes are started one after the other; a busy machine takes its time.
@pytest.mark.timeout(300)
def test_accepted_is_stored_once_after_a_restore(tmp_path: Path) -> None:
    target = tmp_path / "backup"
    with ServiceProcess(tmp_path / "data", settings=SETTINGS) as service:
        with Sending(envelope_url(service)) as sending:
            sending.wait_for(50)
            while '{part="stored"} 0.0' in httpx.get(f"{service.url}/metrics").text:
                time.sleep(0.1)
            before = list(sending.acknowledged)
            made = msgspec.json.decode(on(service, "backup", "create", str(target)))
            during = list(sending.acknowledged)
        assert len(during) > len(before)
        assert made["last_batch"]["cut"] >= 1

    other = ServiceProcess(tmp_path / "restored", settings=SETTINGS)
    restored = msgspec.json.decode(other.cli("backup", "restore", str(target)))
    assert restored["rows"] == made["rows"]
    with other:
        other.wait_until_queryable()
        found = stored_ids(other)
    assert [one for one in before if one not in found] == []
    assert set(found) <= set(sending.acknowledged)
    assert set(found.values()) == {1}
