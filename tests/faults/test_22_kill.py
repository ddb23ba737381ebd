"""kill -9 at random moments: what was acknowledged is there, once; the balance holds."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.ingesting import Senders, ingesting

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}


def _survive(data: Path, kills: int, seed: int) -> None:
    moments = random.Random(seed)
    acknowledged: list[str] = []
    sent: set[str] = set()
    for number in range(kills):
        with ingesting(data, **FAST) as process:
            senders = Senders(process)
            # Every second life is long enough for batches to be under way.
            time.sleep(moments.uniform(0.05, 0.6) + 2.0 * (number % 2))
            process.kill()
            senders.stop()
        acknowledged += senders.acknowledged
        sent |= set(senders.sent)
    with ingesting(data, **FAST) as process:
        state = process.settled()
        balance = state["balance"]
        times = Counter(event_id for _, event_id in state["ids"])
        assert [one for one in acknowledged if one not in times] == []
        assert [one for one, count in times.items() if count > 1] == []
        assert set(times) <= sent
        assert balance["waiting"] == 0
        assert balance["accepted"] == balance["stored"] + balance["dropped"]
        assert balance["stored"] == len(times)
        accepted = {row[0]: row[3] for row in state["outcomes"] if row[1] == "accepted"}
        assert accepted["error"] == state["counts"]["errors"]
        assert accepted["transaction"] == state["counts"]["transactions"]
        assert state["counts"]["spans"] == 3 * state["counts"]["transactions"]
        assert process.terminate() == 0
    assert acknowledged


def test_acknowledged_events_are_there_exactly_once_after_kills(tmp_path: Path) -> None:
    _survive(tmp_path / "data", kills=4, seed=random.randrange(10**6))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path: Path) -> None:
    _survive(tmp_path / "data", kills=200, seed=random.randrange(10**6))
