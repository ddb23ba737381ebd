"""Which entries bring an event that came before? Per project and exact for 24 hours or 20 million.

A filter per hour says "never" for nearly all; only its hits ask the store. Events on their way are
known by name. What has no event id (spans, chunks) is compared by content, among the latest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from groundswell.ingest.contents import Contents
from groundswell.ingest.filterfile import CAPACITY, FilterFile, Hashes
from groundswell.ingest.recovery import Batch, Entry
from groundswell.ingest.spool import write_durably
from groundswell.store.engine import Engine
from groundswell.store.event_ids import known_events, received_since
from groundswell.telemetry import counter, logger

log = logger("ingest.dedupe")
DUPLICATES = counter("ingest_duplicates", "Envelopes whose event came before.")
ASKED = counter("ingest_duplicate_questions", "Event ids that the store was asked for.")
WINDOW_S = 24 * 3600
WINDOW_KEYS = 20_000_000
FILTER_S = 3600
SYNC_S = 10.0
# Rows of the moment of the last sync may have come after it.
SYNC_MARGIN_S = 60.0

Key = tuple[int, str]


class SeenEvents:
    """Remembers events. `open` before use, `close` at the end."""

    def __init__(
        self, directory: Path, engine: Engine, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._engine = engine
        self._clock = clock
        self._filters: list[FilterFile] = []
        self._underway: deque[tuple[int, set[Key]]] = deque()
        self._contents = Contents(directory / "contents")
        self._ask_through = 0
        self._synced_at = 0.0

    async def open(self, entries: Sequence[Entry], *, ask_through: int = 0) -> None:
        """Load the filters, and remember `entries`, which are named by batches on their way.

        ask_through: ask the store for every event up to this number (after a restore).
        """
        self._ask_through = ask_through
        self._directory.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(self._contents.open)
        now = self._clock()
        self._filters = sorted(
            (FilterFile(path, now) for path in self._directory.glob("*.seen")),
            key=lambda one: one.begun_at,
        )
        since = self._read_synced_at() if self._filters else 0.0
        rows = await received_since(self._engine, max(since - SYNC_MARGIN_S, now - WINDOW_S))
        keys = {_key(entry) for entry in entries if entry.is_event}
        await asyncio.to_thread(self._remember, [*rows, *keys])
        if entries:
            self._underway.append((entries[-1].position.seq, keys))

    async def duplicates(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        """Give the numbers of entries that came before, and remember the rest.

        Raises StoreError when the store cannot be asked; nothing is remembered then.
        """
        fresh: dict[Key, int] = {}
        repeated: list[int] = []
        known = [keys for _, keys in self._underway]
        for entry in entries:
            key = _key(entry)
            if not entry.identity:
                continue

            is_known = key in fresh or (
                any(key in keys for keys in known)
                if entry.is_event
                else self._contents.came_before(*key, entry.position.seq)
            )
            if is_known:
                repeated.append(entry.position.seq)
            else:
                fresh[key] = entry.position.seq
        events = {_key(entry): entry.position.seq for entry in entries if entry.is_event}
        candidates = [key for key in fresh if key in events]
        stored = await self._stored(candidates, events)
        repeated += [fresh[key] for key in stored]
        new = [key for key in candidates if key not in stored]
        await asyncio.to_thread(self._remember, new)
        self._underway.append((entries[-1].position.seq, set(new)))
        contents = [(*key, number) for key, number in fresh.items() if key not in events]
        await asyncio.to_thread(self._contents.add, contents)
        DUPLICATES.inc(len(repeated))
        return tuple(sorted(repeated))

    def stored(self, batch: Batch) -> None:
        """The events of a batch are in the store: it can be asked for them from now on."""
        while self._underway and self._underway[0][0] <= batch.cut.last:
            self._underway.popleft()

    def close(self) -> None:
        """Sync the filters. Blocks."""
        self._sync(self._clock())

    async def _stored(self, keys: list[Key], numbers: dict[Key, int]) -> set[Key]:
        if not keys:
            return set()

        perhaps = await asyncio.to_thread(self._may_hold, _hashes(keys))
        asked: dict[int, list[str]] = {}
        for key, hit in zip(keys, perhaps, strict=True):
            if hit or numbers[key] <= self._ask_through:
                asked.setdefault(key[0], []).append(key[1])
        found: set[Key] = set()
        for project_id, event_ids in asked.items():
            ASKED.inc(len(event_ids))
            known = await known_events(self._engine, project_id, event_ids)
            found |= {(project_id, event_id) for event_id in known}
        return found

    def _may_hold(self, hashes: Hashes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        found = np.zeros(len(hashes), np.bool_)
        for one in self._filters:
            found |= one.may_hold(hashes)
        return found

    def _remember(self, keys: Sequence[Key]) -> None:
        now = self._clock()
        rest = _hashes(keys)
        while len(rest):
            current = self._current(now)
            room = CAPACITY - current.count
            current.add(rest[:room])
            rest = rest[room:]
        self._forget_old(now)
        if abs(now - self._synced_at) >= SYNC_S:
            self._sync(now)

    def _current(self, now: float) -> FilterFile:
        newest = self._filters[-1] if self._filters else None
        if newest is None or newest.is_full or now - newest.begun_at >= FILTER_S:
            name = f"{int(now * 1000):015d}-{len(self._filters)}.seen"
            newest = FilterFile(self._directory / name, now)
            self._filters.append(newest)
        return newest

    def _forget_old(self, now: float) -> None:
        """Drop filters that ended before the window, and those beyond the newest keys."""
        ends = [one.begun_at for one in self._filters[1:]] + [now]
        newer = sum(one.count for one in self._filters)
        kept = []
        for one, ended_at in zip(self._filters, ends, strict=False):
            newer -= one.count
            if now - ended_at > WINDOW_S or newer >= WINDOW_KEYS:
                one.delete()
            else:
                kept.append(one)
        self._filters = kept

    def _sync(self, now: float) -> None:
        for one in self._filters[-2:]:
            one.sync()
        write_durably(self._directory / "synced", repr(now).encode())
        self._synced_at = now

    def _read_synced_at(self) -> float:
        try:
            return float((self._directory / "synced").read_text())
        except (OSError, ValueError):
            return 0.0


def _key(entry: Entry) -> Key:
    return entry.project_id, entry.identity


def _hashes(keys: Sequence[Key]) -> Hashes:
    digests = b"".join(
        blake2b(b"%d:%b" % (project, event_id.encode()), digest_size=16).digest()
        for project, event_id in keys
    )
    return np.frombuffer(digests, np.uint64).reshape(-1, 2)
