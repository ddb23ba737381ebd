"""What a spool still has to give after every kind of end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from groundswell.ingest import frames
from groundswell.ingest.frames import Cut, FrameKind, Meta
from groundswell.ingest.recovery import Checkpoint, mark_restored, read_checkpoint, recover
from groundswell.ingest.spool import Position, Spool, segment_numbers, segment_path, write_durably

CHECKPOINT = Checkpoint("spool")


def _meta(event_id: str) -> Meta:
    return Meta(1.0, 1, 1, "", "", "", event_id, 2, True)


async def _append(spool: Spool, kind: FrameKind, parts: tuple[bytes, ...], items: int) -> Position:
    kept: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    spool.append(kind, parts, items, kept.set_result)
    result = await kept
    assert isinstance(result, Position), result
    return result


async def _write(directory: Path, plan: str, *, segment_bytes: int = 10**6) -> None:
    """Write a spool: "r" is a record of two items, "c" a cut of all records since the last one."""
    spool = Spool(directory, sync=True, segment_bytes=segment_bytes)
    spool.open(segment=1, next_seq=1, accepted=0)
    first, last, cut = 1, 0, 0
    for step in plan:
        if step == "r":
            parts = frames.record_parts(_meta(f"{last + 1:032x}"), b"body" * 10)
            last = (await _append(spool, FrameKind.RECORD, parts, 2)).seq
        else:
            cut += 1
            await _append(spool, FrameKind.CUT, (frames.encode(Cut(cut, first, last)),), 0)
            first = last + 1
    spool.close()


def _cuts(directory: Path, checkpoint: Checkpoint = CHECKPOINT) -> list[tuple[int, int, int]]:
    state = recover(directory, checkpoint)
    return [(row.cut.number, row.cut.first, row.cut.last) for row in state.batches]


@pytest.mark.parametrize("segment_bytes", [10**6, 300])
async def test_cuts_and_loose_records_come_back_in_order(
    tmp_path: Path, segment_bytes: int
) -> None:
    await _write(tmp_path, "rrcrrrcrr", segment_bytes=segment_bytes)
    state = recover(tmp_path, CHECKPOINT)
    assert _cuts(tmp_path) == [(1, 1, 2), (2, 3, 5)]
    assert [entry.position.seq for entry in state.entries] == [6, 7]
    assert (state.next_seq, state.next_cut, state.accepted, state.lost.total()) == (8, 3, 14, 0)
    assert [batch.items for batch in state.batches] == [4, 6]


async def test_what_is_finished_does_not_come_back(tmp_path: Path) -> None:
    await _write(tmp_path, "rrcrrrcrr", segment_bytes=300)
    done = Checkpoint("spool", cut=1, seq=2, stored=4)
    state = recover(tmp_path, done)
    assert _cuts(tmp_path, done) == [(2, 3, 5)]
    assert state.accepted == 14


async def test_records_of_an_unreadable_cut_get_its_number_again(tmp_path: Path) -> None:
    await _write(tmp_path, "rrcrrrcr")
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    first_cut = next(
        frame
        for frame in frames.scan(memoryview(bytes(data)))
        if isinstance(frame, frames.Frame) and frame.kind is FrameKind.CUT
    )
    data[first_cut.end - 1] ^= 0xFF
    path.write_bytes(data)
    assert _cuts(tmp_path) == [(1, 1, 2), (2, 3, 5)]


async def test_a_torn_tail_is_told_from_damage_inside(tmp_path: Path) -> None:
    await _write(tmp_path, "rrr")
    path = segment_path(tmp_path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    state = recover(tmp_path, CHECKPOINT)
    assert state.torn_tail is not None
    assert [entry.position.seq for entry in state.entries] == [1, 2]
    assert state.accepted == 4


@pytest.mark.parametrize(
    ("at", "size", "lost"),
    [(100, 1, {1: 2}), (100, 40, {0: 2, 1: 2}), (2, 1, {0: 2})],
    ids=["inside of a record", "over the end of one", "where one begins"],
)
@pytest.mark.parametrize("segment_bytes", [10**6, 400])
async def test_items_lost_to_damage_are_counted_by_project(
    tmp_path: Path, at: int, size: int, lost: dict[int, int], segment_bytes: int
) -> None:
    """Whose they were stands at the beginning of a record; 0 stands for nobody knows."""
    await _write(tmp_path, "rrrrrrrr", segment_bytes=segment_bytes)
    is_last = len(segment_numbers(tmp_path)) == 1
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    begin = frames.SEGMENT_OVERHEAD + at
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    state = recover(tmp_path, CHECKPOINT)
    # Nothing after the last segment says how many items were accepted in it.
    known = {project: items for project, items in lost.items() if project or not is_last}
    assert {project: items for project, items in state.lost.items() if items} == known
    assert state.accepted == 2 * len(state.entries) + sum(known.values())


async def test_after_a_restore_batches_are_cut_anew_under_another_spool_id(tmp_path: Path) -> None:
    await _write(tmp_path, "rrcr")
    write_durably(tmp_path / "checkpoint.json", b'{"spool_id":"old","cut":0,"seq":0}')
    mark_restored(tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.spool_id != "old"
    state = recover(tmp_path, checkpoint)
    assert state.batches == []
    assert [entry.position.seq for entry in state.entries] == [1, 2, 3]
    assert state.next_cut == 2
