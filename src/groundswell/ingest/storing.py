"""Digested batches → the store, one after the other, then the checkpoint. Runs on one thread.

A table that the store refuses for its rows is stored in halves, and halves again, until the rows
at fault are alone; those go to quarantine. Tokens name the halves, so a replay does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa

from groundswell.errors import StoreError, StoreUnavailable
from groundswell.ingest.batches import RETRY_FIRST_S, RETRY_LAST_S, is_data_fault, token_of
from groundswell.ingest.messages import Done
from groundswell.ingest.recovery import Batch, Checkpoint
from groundswell.ingest.spool import write_durably
from groundswell.store.engine import Engine
from groundswell.telemetry import counter, logger

log = logger("ingest.storing")
REFUSED_ROWS = counter("ingest_refused_rows", "Rows that the store refused.", ("table",))
T = TypeVar("T")
# Outcomes last: they say what is in the other tables.
ORDER = ("errors", "transactions", "spans", "functions", "profiles", "outcomes")


OnRefused = Callable[[str, str, str, bytes], None]
"""Called on the writer's thread with the table, the name of the row, the reason, and an
ArrowStream of that one row."""


class Storer:
    """The only writer of event tables in this process."""

    def __init__(self, engine: Engine, directory: Path, checkpoint: Checkpoint) -> None:
        self._engine = engine
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
        self._is_halfway = True
        for table in sorted(done.files, key=ORDER.index):
            path = Path(done.files[table][0])
            token = token_of(self.checkpoint.spool_id, batch, table)
            try:
                self._engine.insert(table, path, token)
            except StoreError as error:
                if not is_data_fault(error):
                    raise

                log.error("rows_refused", table=table, cut=batch.cut.number, error=str(error))
                self._insert_halves(table, _read(path), token, on_refused)
        following = msgspec.structs.replace(
            self.checkpoint,
            cut=batch.cut.number,
            seq=batch.cut.last,
            stored=self.checkpoint.stored + done.stored,
            dropped=self.checkpoint.dropped + done.dropped,
            restored=False,
        )
        write_durably(self._directory / "checkpoint.json", msgspec.json.encode(following))
        self.checkpoint = following
        self._is_halfway = False
        for name, _ in done.files.values():
            Path(name).unlink(missing_ok=True)

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
        with pa.ipc.open_stream(stream) as reader:
            self._engine.insert(table, reader.read_all(), f"{name}:again")

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
