"""The clock of the machine jumps by hours: nothing is lost or counted twice, limits recover."""

from __future__ import annotations

import uuid
from collections import Counter
from pathlib import Path

import httpx
import pytest

from groundswell.store.metadata import Metadata
from groundswell.store.metadata.admission import set_rate_limit
from tests.faults.ingesting import IngestProcess, error_envelope, ingesting, transaction_envelope

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}
LIMIT = 5


class Sender:
    """Sends errors, transactions and copies of them, and remembers what was acknowledged."""

    def __init__(self, process: IngestProcess) -> None:
        self.acknowledged: list[str] = []
        self.process = process

    def send(self, count: int = 5) -> None:
        for number in range(count):
            event_id = uuid.uuid4().hex
            make = transaction_envelope if number % 2 else error_envelope
            body = make(event_id)
            for _ in range(2):
                answer = httpx.post(self.process.envelope_url(), content=body, timeout=30)
                assert answer.status_code == 200
            self.acknowledged.append(event_id)

    def check(self) -> None:
        state = self.process.settled()
        times = Counter(event_id for _, event_id in state["ids"])
        assert times == Counter(self.acknowledged)
        balance = state["balance"]
        assert balance["waiting"] == 0
        assert balance["accepted"] == balance["stored"] + balance["dropped"]
        assert balance["stored"] == len(self.acknowledged)


def _limit(data: Path, project_id: int) -> None:
    metadata = Metadata.open(f"sqlite:///{data / 'metadata.db'}")
    with metadata.begin() as connection:
        set_rate_limit(connection, "project", project_id, "error", LIMIT, 60)
    metadata.close()


def _taken_until_refused(process: IngestProcess) -> int:
    """Send to the second project until it says 429; give how many were taken."""
    for taken in range(LIMIT * 3):
        body = error_envelope(uuid.uuid4().hex)
        answer = httpx.post(process.envelope_url(1), content=body, timeout=30)
        if answer.status_code == 429:
            assert 0 < int(answer.headers["retry-after"]) <= 60
            return taken
    return LIMIT * 3


@pytest.mark.parametrize("jumps", [("forward", "back", "back"), ("back", "forward", "forward")])
def test_nothing_is_lost_or_counted_twice(tmp_path: Path, jumps: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    with ingesting(data, **FAST) as process:
        sender = Sender(process)
        sender.send()
        for jump in jumps:
            (process.clock_forward if jump == "forward" else process.clock_back)()
            sender.send()
        sender.check()
        process.kill()
    # The next life begins at the time of the machine, hours beside the last one's.
    with ingesting(data, **FAST) as process:
        sender.process = process
        sender.send()
        sender.check()
        assert process.terminate() == 0


def test_a_limit_begins_anew_after_a_jump(tmp_path: Path) -> None:
    """No window lasts for hours, and none lets more through than its limit."""
    data = tmp_path / "data"
    with ingesting(data, **FAST) as process:
        _limit(data, process.projects[1][0])
        # A limit is in force within a second.
        while _taken_until_refused(process) == LIMIT * 3:
            pass
        assert _taken_until_refused(process) == 0
        for jump in (process.clock_forward, process.clock_back):
            jump()
            assert _taken_until_refused(process) == LIMIT
            assert _taken_until_refused(process) == 0
        assert process.settled()["refusal"] is None
