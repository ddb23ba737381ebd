"""Requests that are refused, in between those that are accepted, take none of them along."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.faults.ingesting import IngestProcess, Senders, ingesting

FAST = {"DIGEST_WINDOW_MS": 10, "DISK_RESERVE_MB": 0}
SECONDS = 3.0


def _refuse(process: IngestProcess, until: threading.Event, statuses: list[int]) -> None:
    with httpx.Client(timeout=5) as client:
        while not until.is_set():
            answer = client.post(process.envelope_url(), content=b"this is no envelope")
            statuses.append(answer.status_code)


def test_every_accepted_event_is_stored_among_refused_requests(tmp_path: Path) -> None:
    with ingesting(tmp_path / "data", **FAST) as process:
        done, statuses = threading.Event(), list[int]()
        nuisance = threading.Thread(target=_refuse, args=(process, done, statuses))
        nuisance.start()
        senders = Senders(process)
        time.sleep(SECONDS)
        senders.stop()
        done.set()
        nuisance.join()
        state = process.settled(timeout_s=10)
    times = Counter(event_id for _, event_id in state["ids"])
    assert [one for one in senders.acknowledged if times[one] != 1] == []
    assert state["balance"]["waiting"] == 0
    assert set(statuses) == {400}
    refused = [row[3] for row in state["outcomes"] if row[1] == "invalid"]
    assert sum(refused) == len(statuses)
