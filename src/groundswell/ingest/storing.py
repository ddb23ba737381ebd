"""Digested batches → the store, one after the other, then the checkpoint. Runs on one thread.

A table that the store refuses for its rows is stored in halves, and halves again, until the rows
at fault are alone; those go to quarantine. Tokens name the halves, so a replay does the same.

Of one batch nobody knows, after a crash, how much is in: the first one behind the checkpoint. The
checkpoint says which blocks the store held, so those that came since are this batch.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from groundswell.errors import StoreError, StoreUnavailable
from groundswell.ingest.batches import RETRY_FIRST_S, RETRY_LAST_S, is_data_fault, token_of
from groundswell.ingest.messages import Done
from groundswell.ingest.recovery import Batch, Checkpoint
from groundswell.ingest.spool import write_durably
from groundswell.store.blocks import grown, is_one_block, newest_blocks, without
from groundswell.store.engine import Engine
from groundswell.telemetry import counter, logger

log = logger("ingest.storing")
REFUSED_ROWS = counter("ingest_refused_rows", "Rows that the store refused.", ("table",))
BUSY = counter("ingest_store_seconds", "Seconds in which the thread that stores was at work.")
T = TypeVar("T")
# Outcomes last: they say what is in the other tables.
ORDER = ("errors", "transactions", "spans", "functions", "profiles", "outcomes")


OnRefused = Callable[[str, str, str, bytes], None]
"""Called on the writer's thread with the table, the name of the row, the reason, and an
ArrowStream of that one row."""


class Storer:
    """The only writer of event tables in this process.

    in_doubt: the batch that an earlier life may have inserted, wholly or in part.
    """

    def __init__(
        self,
        engine: Engine,
        directory: Path,
        checkpoint: Checkpoint,
        in_doubt: int | None = None,
    ) -> None:
        self._engine = engine
        self._in_doubt = in_doubt
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self.checkpoint = checkpoint
        self.problem: str | None = None
        self._is_halfway = False

    async def store(self, batch: Batch, done: Done, on_refused: OnRefused) -> None:
        """Insert every table of a batch and move the checkpoint; come back when that is durable."""
        wait_s = RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._thread, self._store, batch, done, on_refused)
            except (StoreError, OSError) as error:
                self.problem = str(error)
                log.warning("store_waits", cut=batch.cut.number, error=str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(RETRY_LAST_S, wait_s * 2)
                continue

            self.problem = None
            return

    async def run(self, work: Callable[[], T]) -> T:
        """Do something between two batches: nothing is stored meanwhile.

        Raises StoreUnavailable while a batch cannot be stored: half of it may be there.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._alone, work)

    def _alone(self, work: Callable[[], T]) -> T:
        if self._is_halfway:
            raise StoreUnavailable("A batch cannot be stored at the moment; it is tried again.")

        return work()

    def _store(self, batch: Batch, done: Done, on_refused: OnRefused) -> None:
        begun = time.perf_counter()
        try:
            self._store_tables(batch, done, on_refused)
        finally:
            BUSY.inc(time.perf_counter() - begun)

    def _store_tables(self, batch: Batch, done: Done, on_refused: OnRefused) -> None:
        self._is_halfway = True
        there = self._already_there(batch)
        for table in sorted(done.files, key=ORDER.index):
            path = Path(done.files[table][0])
            token = token_of(self.checkpoint.spool_id, batch, table)
            try:
                if there is None:
                    self._engine.insert(table, path, token)
                else:
                    self._insert_rest(table, _read(path), token, there[table])
            except StoreError as error:
                if not is_data_fault(error):
                    raise

                log.error("rows_refused", table=table, cut=batch.cut.number, error=str(error))
                self._distrust_blocks()
                self._insert_halves(table, _read(path), token, on_refused)
        self._move(
            cut=batch.cut.number,
            seq=batch.cut.last,
            stored=self.checkpoint.stored + done.stored,
            dropped=self.checkpoint.dropped + done.dropped,
            blocks=newest_blocks(self._engine),
            restored=False,
        )
        self._is_halfway = False
        self._in_doubt = None
        for name, _ in done.files.values():
            Path(name).unlink(missing_ok=True)

    def _already_there(self, batch: Batch) -> Mapping[str, Collection[str]] | None:
        """Name the partitions that hold the batch already; None where only its tokens can tell."""
        before = self.checkpoint.blocks
        if batch.cut.number != self._in_doubt or before is None:
            return None

        now = newest_blocks(self._engine)
        return None if now is None else {table: grown(table, before, now) for table in ORDER}

    def _insert_rest(self, table: str, rows: pa.Table, token: str, there: Collection[str]) -> None:
        if not is_one_block(rows):
            self._engine.insert(table, rows, token)
            return

        rest = without(table, rows, there)
        log.info("batch_resumed", table=table, rows=rows.num_rows, missing=rest.num_rows)
        if rest.num_rows:
            # The engine notes a token before the rows are in: what it noted may be of no rows.
            self._engine.insert(table, rest, f"{token}:{secrets.token_hex(4)}")

    def note_blocks(self) -> None:
        """Remember which blocks the store holds, when no batch is in doubt. Blocks."""
        self._move(blocks=newest_blocks(self._engine))

    def give_up(self, items: int) -> None:
        """Count items as dropped that are neither in the spool nor in the store. Blocks."""
        self._move(dropped=self.checkpoint.dropped + items)

    def _distrust_blocks(self) -> None:
        """What is inserted next is no whole batch: until one is stored, only tokens tell."""
        self._move(blocks=None)

    def _move(self, **changes: Any) -> None:
        following = msgspec.structs.replace(self.checkpoint, **changes)
        write_durably(self._directory / "checkpoint.json", msgspec.json.encode(following))
        self.checkpoint = following

    def _insert_halves(self, table: str, rows: pa.Table, token: str, on_refused: OnRefused) -> None:
        todo = [(0, rows.num_rows)]
        while todo:
            begin, end = todo.pop()
            part = rows.slice(begin, end - begin)
            try:
                self._engine.insert(table, part, f"{token}:{begin}-{end}")
            except StoreError as error:
                if not is_data_fault(error):
                    raise

                if end - begin > 1:
                    half = (begin + end) // 2
                    todo += [(begin, half), (half, end)]
                    continue

                REFUSED_ROWS.labels(table).inc()
                on_refused(table, f"{token}:{begin}", str(error), _stream(part))

    def again(self, table: str, name: str, stream: bytes) -> None:
        """Insert a row that was refused once. Blocks. Raises StoreError."""
        self._distrust_blocks()
        with pa.ipc.open_stream(stream) as reader:
            self._engine.insert(table, reader.read_all(), f"{name}:again")
        if self._in_doubt is None:
            self.note_blocks()

    def close(self) -> None:
        """Wait for what is being written."""
        self._thread.shutdown(wait=True)


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
        return reader.read_all()


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue())
