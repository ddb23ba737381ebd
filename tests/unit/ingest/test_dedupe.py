"""Which events came before: exact per project, across restarts, and forgotten after a day."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa

from groundswell.ingest.contents import Contents
from groundswell.ingest.dedupe import WINDOW_S, SeenEvents
from groundswell.ingest.filterfile import FilterFile
from groundswell.ingest.frames import Cut
from groundswell.ingest.recovery import Batch, Entry
from groundswell.ingest.spool import Position
from groundswell.store.engine import Engine

_numbers = itertools.count(1)
NOW = 1_790_000_000.0


def _entry(project: int, identity: str, *, is_event: bool = True) -> Entry:
    return Entry(Position(next(_numbers), 1, 0, 1), project, identity, is_event, 1)


def _store(engine: Engine, project: int, *event_ids: str) -> None:
    rows = {
        "project_id": pa.array([project] * len(event_ids), pa.uint64()),
        "event_id": pa.array([bytes.fromhex(one) for one in event_ids], pa.binary(16)),
        "timestamp": pa.array([int(NOW)] * len(event_ids)).cast(pa.timestamp("s", "UTC")),
        "received": pa.array([int(NOW)] * len(event_ids)).cast(pa.timestamp("s", "UTC")),
    }
    engine.insert("errors", pa.table(rows), uuid.uuid4().hex)


def _filters(directory: Path) -> int:
    return len(list(directory.glob("*.seen")))


async def test_an_event_counts_once_per_project(engine: Engine, tmp_path: Path) -> None:
    seen = SeenEvents(tmp_path, engine, lambda: NOW)
    await seen.open([])
    event_id = uuid.uuid4().hex
    first, again, other = _entry(7001, event_id), _entry(7001, event_id), _entry(7002, event_id)
    assert await seen.duplicates([first, again, other]) == (again.position.seq,)
    third = _entry(7001, event_id)
    assert await seen.duplicates([third]) == (third.position.seq,)
    seen.close()


async def test_the_store_decides_once_a_batch_is_stored(engine: Engine, tmp_path: Path) -> None:
    seen = SeenEvents(tmp_path, engine, lambda: NOW)
    await seen.open([])
    stored, rejected = uuid.uuid4().hex, uuid.uuid4().hex
    batch = [_entry(7003, stored), _entry(7003, rejected)]
    assert await seen.duplicates(batch) == ()
    _store(engine, 7003, stored)
    seen.stored(Batch(Cut(1, 1, batch[-1].position.seq), (), 2))
    again = [_entry(7003, stored), _entry(7003, rejected)]
    assert await seen.duplicates(again) == (again[0].position.seq,)
    seen.close()


async def test_a_restart_remembers(engine: Engine, tmp_path: Path) -> None:
    event_id = uuid.uuid4().hex
    seen = SeenEvents(tmp_path, engine, lambda: NOW)
    await seen.open([])
    await seen.duplicates([_entry(7004, event_id)])
    seen.close()
    _store(engine, 7004, event_id)
    again = SeenEvents(tmp_path, engine, lambda: NOW + 3600)
    await again.open([])
    repeated = _entry(7004, event_id)
    assert await again.duplicates([repeated]) == (repeated.position.seq,)


async def test_lost_filters_are_filled_from_the_store(engine: Engine, tmp_path: Path) -> None:
    event_id = uuid.uuid4().hex
    _store(engine, 7005, event_id)
    seen = SeenEvents(tmp_path, engine, lambda: NOW + 60)
    await seen.open([])
    repeated = _entry(7005, event_id)
    assert await seen.duplicates([repeated]) == (repeated.position.seq,)


async def test_filters_are_dropped_after_the_window(engine: Engine, tmp_path: Path) -> None:
    now = NOW
    seen = SeenEvents(tmp_path, engine, lambda: now)
    await seen.open([])
    for hour in range(40):
        now = NOW + hour * 3600
        await seen.duplicates([_entry(7006, uuid.uuid4().hex)])
    assert _filters(tmp_path) in {WINDOW_S // 3600 + 1, WINDOW_S // 3600 + 2}


async def test_contents_without_an_event_are_compared_too(engine: Engine, tmp_path: Path) -> None:
    seen = SeenEvents(tmp_path, engine, lambda: NOW)
    await seen.open([])
    first, again, other = (
        _entry(project, "content", is_event=False) for project in (7007, 7007, 7008)
    )
    assert await seen.duplicates([first]) == ()
    assert await seen.duplicates([again, other]) == (again.position.seq,)
    restarted = SeenEvents(tmp_path, engine, lambda: NOW)
    await restarted.open([])
    later = _entry(7007, "content", is_event=False)
    assert await restarted.duplicates([first, later]) == (later.position.seq,), (
        "an entry that was not cut before the crash is no copy of itself"
    )


def test_contents_forget_the_oldest_and_survive_a_torn_row(tmp_path: Path) -> None:
    path = tmp_path / "contents"
    contents = Contents(path, kept=10)
    for number in range(1, 30):
        contents.add([(1, str(number), number)])
    with path.open("ab") as file:
        file.write(b"torn")
    again = Contents(path, kept=10)
    again.open()
    assert [n for n in range(1, 30) if again.came_before(1, str(n), 99)] == list(range(20, 30))
    assert not again.came_before(2, "29", 99)


def test_a_filter_knows_what_was_added_and_hardly_anything_else(tmp_path: Path) -> None:
    hashes = np.random.default_rng(1).integers(0, 2**63, (60_000, 2), dtype=np.uint64)
    added, others = hashes[:30_000], hashes[30_000:]
    FilterFile(tmp_path / "1.seen", NOW).add(added)
    reopened = FilterFile(tmp_path / "1.seen", 0.0)
    assert (reopened.count, reopened.begun_at) == (30_000, NOW)
    assert reopened.may_hold(added).all()
    assert reopened.may_hold(others).sum() < 5
