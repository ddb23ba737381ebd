"""Batches on their way: digested ahead by as many workers as there are, stored in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from groundswell.ingest import frames
from groundswell.ingest.batches import Digester
from groundswell.ingest.dedupe import SeenEvents
from groundswell.ingest.messages import Done
from groundswell.ingest.quarantine import Quarantine
from groundswell.ingest.records import Poisoned
from groundswell.ingest.recovery import Batch
from groundswell.ingest.spool import segment_path
from groundswell.ingest.storing import Storer
from groundswell.telemetry import counter, logger

log = logger("ingest.line")
ITEMS = counter("ingest_items", "What became of items.", ("category", "outcome", "reason"))
RETRY_S = 1.0


class Line:
    """Takes batches with `put`. `ahead`: how many may be digested or waiting to be stored.

    on_stored: called with what became of each batch, once it is in the store. size: bytes that
    are on their way.
    """

    def __init__(self, ahead: int, on_stored: Callable[[Done], None]) -> None:
        self._ahead = ahead
        self._on_stored = on_stored
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._begun: asyncio.Queue[tuple[Batch, asyncio.Task[Done]]] = asyncio.Queue()
        self._room = asyncio.Semaphore(ahead)
        self._unfinished = 0
        self.size = 0

    @property
    def is_empty(self) -> bool:
        return not self._unfinished

    def is_behind(self) -> bool:
        """Whether there are as many batches as are worked on at once."""
        return self._unfinished >= self._ahead

    def open(
        self, digester: Digester, storer: Storer, quarantine: Quarantine, seen: SeenEvents
    ) -> None:
        """Say who does the work."""
        self._digester, self._storer = digester, storer
        self._quarantine, self._seen = quarantine, seen

    def put(self, batch: Batch) -> None:
        """Take a batch. Call in the order of the cuts."""
        self._unfinished += 1
        self.size += batch.size
        self._batches.put_nowait(batch)

    async def digest(self) -> None:
        """Digest ahead until cancelled, also while a batch is being stored."""
        while True:
            await self._room.acquire()
            batch = await self._batches.get()
            self._begun.put_nowait((batch, self._digester.expect(batch)))

    async def store(self) -> None:
        """Store what is digested until cancelled."""
        while True:
            batch, digesting = await self._begun.get()
            await self._finish(batch, await digesting)
            self._room.release()

    async def _finish(self, batch: Batch, done: Done) -> None:
        while done.poisoned:
            try:
                await asyncio.to_thread(self._set_aside, batch, done.poisoned)
                break
            except OSError as error:
                log.warning("quarantine_waits", cut=batch.cut.number, error=str(error))
                await asyncio.sleep(RETRY_S)
        await self._storer.store(batch, done, self._quarantine.keep_rows)
        self._digester.forget(batch.cut.number)
        self._seen.stored(batch)
        for category, outcome, reason, quantity in done.outcomes:
            ITEMS.labels(category, outcome, reason).inc(quantity)
        self._unfinished -= 1
        self.size -= batch.size
        self._on_stored(done)

    def _set_aside(self, batch: Batch, poisoned: tuple[Poisoned, ...]) -> None:
        reasons = {row.seq: row.reason for row in poisoned}
        for chunk in batch.chunks:
            path = segment_path(self._quarantine.spool_directory, chunk.segment)
            with path.open("rb") as file:
                file.seek(chunk.begin)
                data = memoryview(file.read(chunk.end - chunk.begin))
            for frame in frames.scan(data, 0):
                if isinstance(frame, frames.Frame) and frame.seq in reasons:
                    self._quarantine.keep_record(frame, reasons[frame.seq])
