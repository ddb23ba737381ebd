"""Ingest as a whole: the door, the spool, batches on their way to the store, and the balance."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from groundswell.config import Settings
from groundswell.errors import GroundswellError, NotFound, StoreError, UserError
from groundswell.ingest import frames
from groundswell.ingest.admission import Admission
from groundswell.ingest.batches import Digester
from groundswell.ingest.dedupe import SeenEvents
from groundswell.ingest.door import Door, Overloaded, Spooling
from groundswell.ingest.frames import Counts, Cut, FrameKind, Meta
from groundswell.ingest.messages import Done
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.quarantine import Quarantine
from groundswell.ingest.records import Poisoned, Verdict
from groundswell.ingest.recovery import (
    Batch,
    Checkpoint,
    Entry,
    Recovered,
    batch_of,
    drop_stored_segments,
    read_checkpoint,
    recover,
)
from groundswell.ingest.spool import (
    Position,
    Spool,
    SpoolFull,
    segment_path,
    write_durably,
)
from groundswell.ingest.storing import Storer
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.admission import KeyRow
from groundswell.telemetry import counter, gauge, logger

T = TypeVar("T")
log = logger("ingest")
ITEMS = counter("ingest_items", "What became of items.", ("category", "outcome", "reason"))
ACCEPTED = counter("ingest_accepted_items", "Items that were answered with 200.")
BALANCE = gauge("ingest_balance_total", "Items: accepted = stored + dropped + waiting.", ("part",))
DAMAGED = counter("spool_damaged_places", "Places in the spool that could not be read.")
BATCH_RECORDS = 2_500
BATCH_BYTES = 32 * 1024 * 1024
DISK_CHECK_S = 1.0
MEBIBYTE = 1024 * 1024


class Balance(NamedTuple):
    """Items: accepted = stored + dropped + waiting."""

    accepted: int
    stored: int
    dropped: int
    waiting: int


class Ingest:
    """Start it, give requests to `door`, stop it. One per data directory."""

    def __init__(self, settings: Settings, engine: Engine, metadata: Metadata) -> None:
        self._settings = settings
        self._engine = engine
        self._directory = settings.data / "spool"
        self._scratch = self._directory / "digest"
        self._window_s = settings.integer("DIGEST_WINDOW_MS") / 1000
        self._ahead = settings.integer("DIGEST_WORKERS") + 1
        self._limit_bytes = settings.integer("SPOOL_LIMIT_MB") * MEBIBYTE
        self._metadata = metadata
        self._admission = Admission(metadata, settings.integer("RETENTION_DAYS"))
        self._door = Door(
            self._admission,
            Spooling(self._refusal, self._keep, self._count, time.time),
            Proxies.parse(settings.text("TRUSTED_PROXIES")),
        )
        self._entries: deque[Entry] = deque()
        self._counts: dict[tuple[int, int, int, str, str, str], int] = {}
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._begun: asyncio.Queue[tuple[Batch, asyncio.Task[Done]]] = asyncio.Queue()
        self._room = asyncio.Semaphore(self._ahead)
        self._more = asyncio.Event()
        self._full = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._accepted = 0
        self._lost = 0
        self._waiting_bytes = 0
        self._is_disk_full = False
        self._is_broken = False
        self._unfinished = 0
        self._are_counts_on_their_way = False

    @property
    def door(self) -> Door:
        """The ASGI application of the SDKs' endpoints."""
        return self._door

    def matches(self, path: str) -> bool:
        """Whether a path belongs to `door`."""
        return self._door.matches(path)

    def close_door(self) -> None:
        """Answer 503 from now on, to half-sent requests too."""
        self._door.close()

    def waiting(self) -> int:
        """Items that were accepted and cannot be queried yet."""
        return self.balance().waiting

    def is_settled(self) -> bool:
        """Whether all that was accepted, and every count of what was not, is in the store."""
        counting = bool(self._counts) or self._are_counts_on_their_way
        return not (self._entries or counting or self._unfinished)

    def balance(self) -> Balance:
        """Count items since the spool began."""
        done = self._storer.checkpoint
        dropped = done.dropped + self._lost
        waiting = self._accepted - done.stored - dropped
        return Balance(self._accepted, done.stored, dropped, waiting)

    def refusal(self) -> str | None:
        """Why nothing is accepted now, None when it is."""
        reason = self._refusal()
        return str(reason) if reason else None

    async def between_batches(self, work: Callable[[], T]) -> T:
        """Do something on the writer's thread while nothing is stored; more is accepted meanwhile.

        Raises StoreUnavailable while a batch cannot be stored.
        """
        return await self._storer.run(work)

    async def start(self) -> None:
        """Put what the spool still holds on its way, then open the door.

        Raises StoreUnavailable when the metadata cannot be read.
        """
        await self._admission.start()
        state, checkpoint = await asyncio.to_thread(self._recover)
        in_doubt = state.batches[0].cut.number if state.batches else None
        self._storer = Storer(self._engine, self._directory, checkpoint, in_doubt)
        if in_doubt is None:
            await self._storer.run(self._storer.note_blocks)
        self._quarantine = Quarantine(self._directory)
        self._seen = SeenEvents(self._directory / "seen", self._engine)
        self._digester = Digester(
            self._settings.integer("DIGEST_WORKERS"),
            self._directory,
            self._scratch,
            checkpoint.spool_id,
            self._metadata,
            lambda: self._admission.context,
        )
        self._accepted, self._lost = state.accepted, state.lost_items
        self._next_cut, self._cut_through = state.next_cut, state.cut_through
        for batch in state.batches:
            self._waiting_bytes += _size(batch)
            self._unfinished += 1
            self._batches.put_nowait(batch)
        self._entries.extend(state.entries)
        self._waiting_bytes += sum(_bytes(entry) for entry in state.entries)
        await self._seen.open(
            state.named, ask_through=state.next_seq - 1 if checkpoint.restored else 0
        )
        self._spool = Spool(self._directory, sync=self._settings.text("DURABILITY") == "fsync")
        self._spool.open(
            segment=state.next_segment, next_seq=state.next_seq, accepted=state.accepted
        )
        if self._entries:
            self._more.set()
        await self._digester.warm()
        self._tasks = [
            asyncio.create_task(self._cut_forever(), name="ingest-cutter"),
            asyncio.create_task(self._digest_forever(), name="ingest-digester"),
            asyncio.create_task(self._store_forever(), name="ingest-storer"),
            asyncio.create_task(self._watch_disk(), name="ingest-disk"),
            asyncio.create_task(self._admission.keep_fresh(), name="ingest-admission"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        log.info(
            "ingest_started", waiting=self.waiting(), batches=len(state.batches), lost=self._lost
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part of the line that ends by itself is a bug: refuse, so that senders keep theirs."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._is_broken = True
            log.error("ingest_broken", part=task.get_name(), exc_info=error)

    def _recover(self) -> tuple[Recovered, Checkpoint]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Files of an earlier life are rebuilt from the spool; a late worker of it may still write.
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch = self._directory / "digest" / secrets.token_hex(4)
        self._scratch.mkdir(parents=True)
        checkpoint = read_checkpoint(self._directory)
        if checkpoint is None:
            # A new id, so that the tokens of another spool's batches are never met again.
            checkpoint = Checkpoint(secrets.token_hex(6))
            encoded = msgspec.json.encode(checkpoint)
            write_durably(self._directory / "checkpoint.json", encoded)
        state = recover(self._directory, checkpoint)
        DAMAGED.inc(state.damaged_places)
        if state.torn_tail is not None:
            path, length = state.torn_tail
            with path.open("r+b") as file:
                file.truncate(length)
        return state, checkpoint

    async def stop(self, deadline_s: float) -> None:
        """Store what waits as far as the deadline allows; the spool keeps the rest."""
        self.close_door()
        self._stopping = True
        self._full.set()
        self._more.set()
        try:
            async with asyncio.timeout(deadline_s):
                while not self.is_settled():
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            log.info("stopped_with_waiting", waiting=self.waiting())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._digester.stop()
        await asyncio.to_thread(self._spool.close)
        await asyncio.to_thread(self._storer.close)
        await asyncio.to_thread(self._seen.close)
        await asyncio.to_thread(shutil.rmtree, self._scratch, True)

    def _refusal(self) -> UserError | None:
        if self._is_broken:
            return Overloaded("A part of the service has failed; it must be restarted.", 60)

        if self._is_disk_full:
            return Overloaded("The disk is full.", 10)

        if self._waiting_bytes > self._limit_bytes:
            return Overloaded("Too many events wait to be stored.", 60, status=429)

        return None

    async def _keep(self, meta: Meta, body: bytes) -> None:
        """Return once a record is durable. Raises Overloaded."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(result: Position | GroundswellError) -> None:
            if isinstance(result, GroundswellError):
                self._is_disk_full = self._is_disk_full or isinstance(result, SpoolFull)
                if not kept.done():
                    kept.set_exception(Overloaded(str(result), 10))
                return

            self._accepted += meta.items
            ACCEPTED.inc(meta.items)
            identity = meta.event_id if meta.is_event else meta.content
            self._add(Entry(result, meta.project_id, identity, meta.is_event, meta.items))
            _settle(kept, None)

        self._spool.append(FrameKind.RECORD, frames.record_parts(meta, body), meta.items, done)
        await kept

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._waiting_bytes += _bytes(entry)
        self._more.set()
        if len(self._entries) >= BATCH_RECORDS:
            self._full.set()

    def _count(
        self, key: KeyRow, category: str, verdict: Verdict, reason: str, quantity: int
    ) -> None:
        """Count what the door refused; kept in the spool within one window."""
        minute = int(time.time()) // 60 * 60
        row = (key.project_id, key.key_id, minute, category, verdict.value, reason)
        self._counts[row] = self._counts.get(row, 0) + quantity
        self._more.set()

    async def _cut_forever(self) -> None:
        while True:
            await self._more.wait()
            await self._window()
            # While the store is behind, few large batches are better than many small ones.
            while self._unfinished >= self._ahead and not self._is_full():
                await self._window()
            self._more.clear()
            if self._counts:
                await self._spool_counts()
            while self._entries:
                await self._cut()
                if not self._is_full():
                    break
            if self._entries:
                self._more.set()
            self._idle.set()

    async def _window(self) -> None:
        """Wait for more entries, until a batch is full."""
        self._full.clear()
        if not self._is_full():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._window_s):
                    await self._full.wait()

    def _is_full(self) -> bool:
        return self._stopping or len(self._entries) >= BATCH_RECORDS

    async def _spool_counts(self) -> None:
        counted, self._counts = self._counts, {}
        self._are_counts_on_their_way = True
        rows = tuple((*row, quantity) for row, quantity in counted.items())
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(result: Position | GroundswellError) -> None:
            self._are_counts_on_their_way = False
            # Added here, in the order of the spool: behind a later record it would end the cut
            # before that record, and nothing would ever read it.
            if isinstance(result, GroundswellError):
                for row, quantity in counted.items():
                    self._counts[row] = self._counts.get(row, 0) + quantity
            else:
                self._add(Entry(result, 0, "", False, 0))
            _settle(kept, None)

        self._spool.append(FrameKind.COUNTS, (frames.encode(Counts(rows)),), 0, done)
        await kept

    async def _append(self, kind: FrameKind, payload: bytes) -> Position | GroundswellError:
        kept: asyncio.Future[Position | GroundswellError]
        kept = asyncio.get_running_loop().create_future()
        self._spool.append(kind, (payload,), 0, partial(_settle, kept))
        return await kept

    async def _cut(self) -> None:
        """Name a batch: from here on it is what it is."""
        taken: list[Entry] = []
        size = 0
        for entry in self._entries:
            size += _bytes(entry)
            if taken and (len(taken) >= BATCH_RECORDS or size > BATCH_BYTES):
                break

            taken.append(entry)
        duplicates = await self._duplicates(taken)
        cut = Cut(self._next_cut, self._cut_through + 1, taken[-1].position.seq, duplicates)
        sequence = [entry.position.seq for entry in taken]
        assert cut.first <= sequence[0], cut
        assert sequence == sorted(sequence), cut
        while isinstance(
            problem := await self._append(FrameKind.CUT, frames.encode(cut)), GroundswellError
        ):
            log.warning("cut_waits", error=str(problem))
            await asyncio.sleep(DISK_CHECK_S)
        self._next_cut, self._cut_through = cut.number + 1, cut.last
        for _ in taken:
            self._entries.popleft()
        self._unfinished += 1
        self._batches.put_nowait(batch_of(cut, taken))

    async def _duplicates(self, taken: list[Entry]) -> tuple[int, ...]:
        while True:
            try:
                return await self._seen.duplicates(taken)
            except StoreError as error:
                log.warning("duplicates_wait", error=str(error))
                await asyncio.sleep(DISK_CHECK_S)

    async def _digest_forever(self) -> None:
        """Digest ahead as far as there are workers, also while a batch is being stored."""
        while True:
            await self._room.acquire()
            batch = await self._batches.get()
            self._begun.put_nowait((batch, self._digester.expect(batch)))

    async def _store_forever(self) -> None:
        """Store what is digested in the order of the cuts."""
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
                await asyncio.sleep(DISK_CHECK_S)
        await self._storer.store(batch, done, self._quarantine.keep_rows)
        self._digester.forget(batch.cut.number)
        self._seen.stored(batch)
        for category, outcome, reason, quantity in done.outcomes:
            ITEMS.labels(category, outcome, reason).inc(quantity)
        self._waiting_bytes -= _size(batch)
        self._unfinished -= 1
        self._idle.set()

    def _set_aside(self, batch: Batch, poisoned: tuple[Poisoned, ...]) -> None:
        reasons = {row.seq: row.reason for row in poisoned}
        for chunk in batch.chunks:
            path = segment_path(self._directory, chunk.segment)
            with path.open("rb") as file:
                file.seek(chunk.begin)
                data = memoryview(file.read(chunk.end - chunk.begin))
            for frame in frames.scan(data, 0):
                if isinstance(frame, frames.Frame) and frame.seq in reasons:
                    self._quarantine.keep_record(frame, reasons[frame.seq])

    async def _watch_disk(self) -> None:
        while True:
            try:
                await self._look_after_disk()
            except OSError as error:
                log.warning("disk_watch_failed", error=str(error))
            await asyncio.sleep(DISK_CHECK_S)

    async def _look_after_disk(self) -> None:
        reserve = self._settings.integer("DISK_RESERVE_MB") * MEBIBYTE
        usage = await asyncio.to_thread(shutil.disk_usage, self._directory)
        self._is_disk_full = usage.free < reserve
        for part, items in self.balance()._asdict().items():
            BALANCE.labels(part).set(items)
        seq, writing = self._storer.checkpoint.seq, self._spool.segment
        await asyncio.to_thread(drop_stored_segments, self._directory, seq, writing, time.time())
        await self._retry_quarantined()

    async def _retry_quarantined(self) -> None:
        """Take up again what somebody asked for; an event that did arrive counts once."""
        for note, data in await asyncio.to_thread(self._quarantine.to_retry):
            try:
                if note.kind == "rows":
                    await self._storer.run(
                        partial(self._storer.again, note.table, note.token, data)
                    )
                else:
                    meta, body = frames.split_record(memoryview(data))
                    await self._keep(meta, bytes(body))
            except (UserError, StoreError) as error:
                log.warning("retry_waits", id=note.id, error=str(error))
                continue

            with contextlib.suppress(NotFound):
                await asyncio.to_thread(self._quarantine.drop, note.id)


def _settle(future: asyncio.Future[T], result: T) -> None:
    """Give a waiter his result, unless he has gone."""
    if not future.done():
        future.set_result(result)


def _size(batch: Batch) -> int:
    return sum(chunk.end - chunk.begin for chunk in batch.chunks)


def _bytes(entry: Entry) -> int:
    return entry.position.end - entry.position.offset
