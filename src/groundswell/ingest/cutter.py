"""Entries in the order of the spool → batches: a cut in the spool says what a batch is."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from groundswell.errors import GroundswellError, StoreError
from groundswell.ingest import frames
from groundswell.ingest.dedupe import SeenEvents
from groundswell.ingest.frames import Cut, FrameKind
from groundswell.ingest.recovery import Batch, Entry, batch_of
from groundswell.ingest.refused import RefusedCounts
from groundswell.ingest.spool import Position, Spool
from groundswell.telemetry import logger

T = TypeVar("T")
log = logger("ingest.cutter")
BATCH_RECORDS = 2_500
BATCH_BYTES = 32 * 1024 * 1024
RETRY_S = 1.0


class Cutter:
    """Takes entries with `add`, and gives batches to `on_batch`.

    window_s: how long a batch waits for more. is_behind: whether the line behind has enough to do.
    on_pause: called when there was nothing left to cut. size: bytes that are not cut yet.
    """

    def __init__(
        self,
        window_s: float,
        is_behind: Callable[[], bool],
        on_batch: Callable[[Batch], None],
        on_pause: Callable[[], None],
    ) -> None:
        self._window_s = window_s
        self._is_behind = is_behind
        self._on_batch = on_batch
        self._on_pause = on_pause
        self._entries: deque[Entry] = deque()
        self._more = asyncio.Event()
        self._full = asyncio.Event()
        self._stopping = False
        self.size = 0
        self.refused = RefusedCounts(self._more.set)

    @property
    def is_idle(self) -> bool:
        """Whether everything is cut, and every count of what was refused is in the spool."""
        return not self._entries and self.refused.are_kept

    def open(
        self,
        spool: Spool,
        seen: SeenEvents,
        entries: Iterable[Entry],
        *,
        next_cut: int,
        cut_through: int,
    ) -> None:
        """Begin with the entries that an earlier life left uncut."""
        self._spool, self._seen = spool, seen
        self._next_cut, self._cut_through = next_cut, cut_through
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take an entry that is durable. Call in the order of the spool."""
        self._entries.append(entry)
        self.size += entry.size
        self._more.set()
        if len(self._entries) >= BATCH_RECORDS:
            self._full.set()

    def hurry(self) -> None:
        """Wait for nothing any more: the service stops."""
        self._stopping = True
        self._full.set()
        self._more.set()

    async def run(self) -> None:
        """Cut until cancelled."""
        while True:
            await self._more.wait()
            await self._window()
            # While the store is behind, few large batches are better than many small ones.
            while self._is_behind() and not self._is_full():
                await self._window()
            self._more.clear()
            if self.refused:
                await self._spool_refused()
            while self._entries:
                await self._cut()
                if not self._is_full():
                    break
            if self._entries:
                self._more.set()
            self._on_pause()

    async def _window(self) -> None:
        """Wait for more entries, until a batch is full."""
        self._full.clear()
        if not self._is_full():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._window_s):
                    await self._full.wait()

    def _is_full(self) -> bool:
        return self._stopping or len(self._entries) >= BATCH_RECORDS

    async def _spool_refused(self) -> None:
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(result: Position | GroundswellError) -> None:
            # Added here, in the order of the spool: behind a later record it would end the cut
            # before that record, and nothing would ever read it.
            if not isinstance(result, GroundswellError):
                self.add(Entry(result, 0, "", False, 0))
            settle(kept, None)

        self.refused.spool(self._spool, done)
        await kept

    async def _cut(self) -> None:
        """Name a batch: from here on it is what it is."""
        taken = self._take()
        duplicates = await self._duplicates(taken)
        cut = Cut(self._next_cut, self._cut_through + 1, taken[-1].position.seq, duplicates)
        sequence = [entry.position.seq for entry in taken]
        assert cut.first <= sequence[0], cut
        assert sequence == sorted(sequence), cut
        while isinstance(problem := await self._append(cut), GroundswellError):
            log.warning("cut_waits", error=str(problem))
            await asyncio.sleep(RETRY_S)
        self._next_cut, self._cut_through = cut.number + 1, cut.last
        for _ in taken:
            self._entries.popleft()
        batch = batch_of(cut, taken)
        self.size -= batch.size
        self._on_batch(batch)

    def _take(self) -> list[Entry]:
        """Choose what goes into the next batch; it stays here until the batch is named."""
        taken: list[Entry] = []
        size = 0
        for entry in self._entries:
            size += entry.size
            if taken and (len(taken) >= BATCH_RECORDS or size > BATCH_BYTES):
                break

            taken.append(entry)
        return taken

    async def _duplicates(self, taken: list[Entry]) -> tuple[int, ...]:
        while True:
            try:
                return await self._seen.duplicates(taken)
            except StoreError as error:
                log.warning("duplicates_wait", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _append(self, cut: Cut) -> Position | GroundswellError:
        kept: asyncio.Future[Position | GroundswellError]
        kept = asyncio.get_running_loop().create_future()
        self._spool.append(FrameKind.CUT, (frames.encode(cut),), 0, partial(settle, kept))
        return await kept


def settle(future: asyncio.Future[T], result: T) -> None:
    """Give a waiter his result, unless he has gone."""
    if not future.done():
        future.set_result(result)
