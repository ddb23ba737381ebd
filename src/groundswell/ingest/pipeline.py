"""Ingest as a whole: the door, the spool, batches on their way to the store, and the balance."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from groundswell.config import Settings
from groundswell.errors import GroundswellError, NotFound, StoreError, UserError
from groundswell.ingest import frames
from groundswell.ingest.admission import Admission
from groundswell.ingest.answers import Overloaded
from groundswell.ingest.batches import Digester
from groundswell.ingest.cutter import Cutter, settle
from groundswell.ingest.dedupe import SeenEvents
from groundswell.ingest.disk import MEBIBYTE, DiskWatch
from groundswell.ingest.door import Door, Spooling
from groundswell.ingest.frames import FrameKind, Meta
from groundswell.ingest.line import Line
from groundswell.ingest.messages import Done
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.quarantine import Quarantine
from groundswell.ingest.records import Verdict
from groundswell.ingest.recovery import (
    Checkpoint,
    Entry,
    Recovered,
    drop_stored_segments,
    read_checkpoint,
    recover,
)
from groundswell.ingest.spool import Position, Spool, SpoolFull, write_durably
from groundswell.ingest.storing import Storer
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
from groundswell.telemetry import counter, gauge, logger

T = TypeVar("T")
log = logger("ingest")
ACCEPTED = counter("ingest_accepted_items", "Items that were answered with 200.")
BALANCE = gauge("ingest_balance_total", "Items: accepted = stored + dropped + waiting.", ("part",))
DAMAGED = counter("spool_damaged_places", "Places in the spool that could not be read.")
UPKEEP_S = 1.0
UNREADABLE = "unreadable"


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
        self._limit_bytes = settings.integer("SPOOL_LIMIT_MB") * MEBIBYTE
        self._metadata = metadata
        self._admission = Admission(metadata, settings.integer("RETENTION_DAYS"))
        self._idle = asyncio.Event()
        self._line = Line(settings.integer("DIGEST_WORKERS") + 1, self._stored)
        self._cutter = Cutter(
            settings.integer("DIGEST_WINDOW_MS") / 1000,
            self._line.is_behind,
            self._line.put,
            self._idle.set,
        )
        self._disk = DiskWatch(
            (self._directory, settings.data / "store"), settings.integer("DISK_RESERVE_MB")
        )
        self._door = Door(
            self._admission,
            Spooling(self._refusal, self._keep, self._cutter.refused.of_request, time.time),
            Proxies.parse(settings.text("TRUSTED_PROXIES")),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._accepted = 0
        self._is_broken = False

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
        return self._cutter.is_idle and self._line.is_empty

    def balance(self) -> Balance:
        """Count items since the spool began."""
        done = self._storer.checkpoint
        waiting = self._accepted - done.stored - done.dropped
        return Balance(self._accepted, done.stored, done.dropped, waiting)

    def refusal(self) -> str | None:
        """Why nothing is accepted now, None when it is."""
        reason = self._refusal()
        return str(reason) if reason else None

    def warning(self) -> str | None:
        """What will refuse events soon if nobody acts, None when nothing will."""
        return self._disk.warning

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
        self._line.open(self._digester, self._storer, self._quarantine, self._seen)
        self._accepted = state.accepted
        for batch in state.batches:
            self._line.put(batch)
        await self._seen.open(
            state.named, ask_through=state.next_seq - 1 if checkpoint.restored else 0
        )
        self._spool = Spool(self._directory, sync=self._settings.text("DURABILITY") == "fsync")
        self._spool.open(
            segment=state.next_segment, next_seq=state.next_seq, accepted=state.accepted
        )
        self._cutter.open(
            self._spool,
            self._seen,
            state.entries,
            next_cut=state.next_cut,
            cut_through=state.cut_through,
        )
        await self._count_lost(state.lost)
        await self._digester.warm()
        self._begin()
        log.info(
            "ingest_started",
            waiting=self.waiting(),
            batches=len(state.batches),
            lost=state.lost.total(),
        )

    def _begin(self) -> None:
        self._tasks = [
            asyncio.create_task(self._cutter.run(), name="ingest-cutter"),
            asyncio.create_task(self._line.digest(), name="ingest-digester"),
            asyncio.create_task(self._line.store(), name="ingest-storer"),
            asyncio.create_task(self._upkeep(), name="ingest-upkeep"),
            asyncio.create_task(self._admission.keep_fresh(), name="ingest-admission"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

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

    async def _count_lost(self, lost: Mapping[int, int]) -> None:
        """What the spool no longer gives back is dropped, and told like everything dropped."""
        items = sum(lost.values())
        if not items:
            return

        log.error("items_unreadable", items=items)
        await self._storer.run(partial(self._storer.give_up, items))
        self._count_unreadable(lost.items())

    def _count_unreadable(self, rows: Iterable[tuple[int, int]]) -> None:
        for project_id, items in rows:
            if items:
                self._cutter.refused.add(
                    project_id, 0, "default", Verdict.INVALID, UNREADABLE, items
                )

    async def stop(self, deadline_s: float) -> None:
        """Store what waits as far as the deadline allows; the spool keeps the rest."""
        self.close_door()
        self._cutter.hurry()
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

        if self._disk.is_full:
            return Overloaded("The disk is full.", 10)

        if self._cutter.size + self._line.size > self._limit_bytes:
            return Overloaded("Too many events wait to be stored.", 60, status=429)

        return None

    async def _keep(self, meta: Meta, body: bytes) -> None:
        """Return once a record is durable. Raises Overloaded."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(result: Position | GroundswellError) -> None:
            if isinstance(result, GroundswellError):
                if isinstance(result, SpoolFull):
                    self._disk.fill()
                if not kept.done():
                    kept.set_exception(Overloaded(str(result), 10))
                return

            self._accepted += meta.items
            ACCEPTED.inc(meta.items)
            identity = meta.event_id if meta.is_event else meta.content
            entry = Entry(result, meta.project_id, identity, meta.is_event, meta.items)
            self._cutter.add(entry)
            settle(kept, None)

        self._spool.append(FrameKind.RECORD, frames.record_parts(meta, body), meta.items, done)
        await kept

    def _stored(self, done: Done) -> None:
        self._count_unreadable(done.unreadable)
        self._idle.set()

    async def _upkeep(self) -> None:
        while True:
            try:
                await self._look_after_disk()
            except OSError as error:
                log.warning("disk_watch_failed", error=str(error))
            await asyncio.sleep(UPKEEP_S)

    async def _look_after_disk(self) -> None:
        await asyncio.to_thread(self._disk.look, time.monotonic())
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
