"""What a spool on disk still has to give: unfinished batches, uncut entries, and the counts.

Reads only. A record that no finished batch covers is always given back; damage is counted.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from groundswell.ingest import frames
from groundswell.ingest.frames import Cut, FrameKind
from groundswell.ingest.spool import Position, segment_numbers, segment_path, write_durably
from groundswell.store.blocks import Blocks
from groundswell.telemetry import logger

log = logger("ingest.recovery")
KEEP_SEGMENTS_S = 900
KEPT_SEGMENTS = 4


class Checkpoint(msgspec.Struct, frozen=True):
    """Everything up to cut `cut` and entry `seq` is in the store; the totals are items."""

    spool_id: str
    cut: int = 0
    seq: int = 0
    stored: int = 0
    dropped: int = 0
    # Set by a restore: tokens are forgotten, so the store is asked for event ids before inserts.
    restored: bool = False
    # What the store held then; None where it does not follow what else is in the store.
    blocks: Blocks | None = None


class Chunk(NamedTuple):
    """Bytes of one segment that hold entries of a batch."""

    segment: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted entry that no batch names yet. `identity` is "" where none is known."""

    position: Position
    project_id: int
    identity: str
    is_event: bool
    items: int

    @property
    def size(self) -> int:
        """How many bytes it has in the spool."""
        return self.position.end - self.position.offset


@dataclass(frozen=True, slots=True)
class Batch:
    """An immutable batch: its cut and where its bytes are.

    items: all that were accepted in it. projects: the same by project. size: bytes of its entries.
    """

    cut: Cut
    chunks: tuple[Chunk, ...]
    items: int
    projects: tuple[tuple[int, int], ...] = ()
    size: int = 0


@dataclass(slots=True)
class Recovered:
    """The state in which a spool was left.

    named: the entries of `batches`. lost: items by project, 0 where nobody knows of which.
    """

    batches: list[Batch] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    named: list[Entry] = field(default_factory=list)
    next_seq: int = 1
    next_cut: int = 1
    cut_through: int = 0
    next_segment: int = 1
    accepted: int = 0
    lost: Counter[int] = field(default_factory=Counter)
    damaged_places: int = 0
    torn_tail: tuple[Path, int] | None = None


def read_checkpoint(directory: Path) -> Checkpoint | None:
    """Read the checkpoint, None when there is none that can be read."""
    try:
        return msgspec.json.decode((directory / "checkpoint.json").read_bytes(), type=Checkpoint)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def recover(directory: Path, checkpoint: Checkpoint) -> Recovered:
    """Scan every segment that may hold something unfinished."""
    state = Recovered(
        next_seq=checkpoint.seq + 1, next_cut=checkpoint.cut + 1, cut_through=checkpoint.seq
    )
    state.accepted = checkpoint.stored + checkpoint.dropped
    numbers = segment_numbers(directory)
    state.next_segment = numbers[-1] + 1 if numbers else 1
    headers = {number: _header_of(directory, number) for number in numbers}
    entries: list[Entry] = []
    cuts: list[Cut] = []
    for index, number in enumerate(numbers):
        later = next((h for n in numbers[index + 1 :] if (h := headers[n]) is not None), None)
        if later is not None and later.first_seq <= checkpoint.seq + 1:
            continue

        # What a failed write left behind has numbers that a later segment gave again.
        below = later.first_seq if later is not None else None
        found = _scan_segment(directory, number, checkpoint, below, state, entries, cuts)
        header = headers[number]
        if header is not None:
            state.accepted = header.accepted_before + found
    _balance(state, checkpoint, sum(entry.items for entry in entries))
    # Without the tokens' memory a batch is no batch: its events are asked for, one by one.
    _assign(state, entries, [] if checkpoint.restored else cuts)
    return state


def _balance(state: Recovered, checkpoint: Checkpoint, waiting: int) -> None:
    """Count as lost what was accepted and is neither in the store nor in the spool.

    Damage at the end of the last segment leaves nobody who knows what was accepted there.
    """
    known = checkpoint.stored + checkpoint.dropped + waiting + state.lost.total()
    state.lost[0] += max(0, state.accepted - known)
    state.accepted = max(state.accepted, known)


def _scan_segment(
    directory: Path,
    number: int,
    checkpoint: Checkpoint,
    below: int | None,
    state: Recovered,
    entries: list[Entry],
    cuts: list[Cut],
) -> int:
    """Read one segment; give how many accepted items are in it."""
    path = segment_path(directory, number)
    data = memoryview(path.read_bytes())
    items = 0
    for frame in frames.scan(data):
        if isinstance(frame, frames.Damage):
            if frame.is_tail:
                state.torn_tail = (path, frame.offset)
            state.damaged_places += 1
            for meta in frames.salvaged(data, frame):
                state.lost[meta.project_id] += meta.items
                items += meta.items
            log.warning("spool_damage", segment=number, offset=frame.offset, end=frame.end)
            continue

        if frame.kind is FrameKind.CUT:
            cut = frames.decode_cut(frame.payload)
            state.next_cut = max(state.next_cut, cut.number + 1)
            if cut.number > checkpoint.cut:
                cuts.append(cut)
            continue

        if below is not None and frame.seq >= below:
            continue

        entry = _entry(number, frame)
        items += entry.items
        state.next_seq = max(state.next_seq, frame.seq + 1)
        if frame.seq > checkpoint.seq:
            entries.append(entry)
    return items


def _entry(segment: int, frame: frames.Frame) -> Entry:
    position = Position(frame.seq, segment, frame.offset, frame.end)
    if frame.kind is FrameKind.COUNTS:
        return Entry(position, 0, "", False, 0)

    meta, _ = frames.split_record(frame.payload)
    identity = meta.event_id if meta.is_event else meta.content
    return Entry(position, meta.project_id, identity, meta.is_event, meta.items)


def _assign(state: Recovered, entries: list[Entry], cuts: list[Cut]) -> None:
    """Give every entry to the cut that names it, or back to be cut."""
    # One whose sync failed was written again: the same number is the same cut.
    cuts = list({cut.number: cut for cut in sorted(cuts, key=lambda cut: cut.number)}.values())
    entries.sort(key=lambda entry: entry.position.seq)
    at = 0
    for cut in cuts:
        begin = at
        while at < len(entries) and entries[at].position.seq < cut.first:
            at += 1
        if at > begin:
            # Its cut cannot be read: numbers are contiguous, so it was the one before this one,
            # and the same number is the same token.
            lost = Cut(cut.number - 1, entries[begin].position.seq, cut.first - 1)
            state.batches.append(batch_of(lost, entries[begin:at]))
        begin = at
        while at < len(entries) and entries[at].position.seq <= cut.last:
            at += 1
        state.batches.append(batch_of(cut, entries[begin:at]))
        state.cut_through = max(state.cut_through, cut.last)
    state.named.extend(entries[:at])
    state.entries.extend(entries[at:])


def batch_of(cut: Cut, entries: list[Entry]) -> Batch:
    """Join the bytes of entries into one chunk per segment."""
    chunks: list[Chunk] = []
    for entry in entries:
        _, segment, offset, end = entry.position
        if chunks and chunks[-1].segment == segment:
            chunks[-1] = Chunk(segment, chunks[-1].begin, end)
        else:
            chunks.append(Chunk(segment, offset, end))
    projects: Counter[int] = Counter()
    for entry in entries:
        projects[entry.project_id] += entry.items
    size = sum(entry.size for entry in entries)
    return Batch(cut, tuple(chunks), projects.total(), tuple(projects.items()), size)


def mark_restored(directory: Path) -> None:
    """Say that the store was restored from a backup: it forgot the tokens of its inserts.

    The next start then asks it for every waiting event before inserting, under a new spool id.
    """
    checkpoint = read_checkpoint(directory)
    if checkpoint is not None:
        marked = msgspec.structs.replace(
            checkpoint, restored=True, spool_id=secrets.token_hex(6), blocks=None
        )
        write_durably(directory / "checkpoint.json", msgspec.json.encode(marked))


def drop_stored_segments(directory: Path, through_seq: int, writing: int, now: float) -> None:
    """Delete segments of which all is stored; the last few stay for a while as a second line."""
    done = stored_segments(directory, through_seq, writing)
    for rank, number in enumerate(reversed(done)):
        path = segment_path(directory, number)
        if rank >= KEPT_SEGMENTS or path.stat().st_mtime < now - KEEP_SEGMENTS_S:
            path.unlink()


def stored_segments(directory: Path, through_seq: int, writing: int) -> list[int]:
    """List the segments before `writing` that hold nothing beyond `through_seq`, oldest first."""
    numbers = [number for number in segment_numbers(directory) if number <= writing]
    headers = [_header_of(directory, number) for number in numbers]
    return [
        number
        for number, following in zip(numbers, headers[1:], strict=False)
        if following is not None and following.first_seq <= through_seq + 1
    ]


def _header_of(directory: Path, number: int) -> frames.SegmentHeader | None:
    with segment_path(directory, number).open("rb") as file:
        return frames.read_segment_header(memoryview(file.read(frames.SEGMENT_OVERHEAD)))
