"""What both engines share: readers in a bounded pool, and one writer behind a lock."""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from groundswell.errors import StoreError
from groundswell.store.engine.arrow import stream_names, write_stream
from groundswell.store.engine.failures import translate
from groundswell.store.engine.limits import INSERT_TIMEOUT_S, reader_settings, writer_settings
from groundswell.store.engine.protocol import InsertData, Lane, Params, Result
from groundswell.store.engine.readers import Limits, Readers
from groundswell.store.engine.session import Session

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


class ClientEngine(ABC):
    """`Engine` on clients of clickhouse-connect; how they connect is left to the subclass."""

    _renews: bool
    # Where tables wait in files while they are inserted; None: where the system keeps such files.
    _scratch: Path | None = None

    def __init__(self, limits: Limits, readers: int) -> None:
        self._limits = limits
        self._writing = threading.Lock()
        self._closed = False
        self._writer = self._session(writer_settings())
        self._readers = Readers(lambda: self._session(reader_settings(limits)), readers, limits)

    async def query(
        self,
        sql: str,
        params: Params | None = None,
        *,
        lane: Lane = Lane.HEAVY,
        timeout_s: float | None = None,
    ) -> Result:
        return await self._readers.query(sql, params, lane, timeout_s)

    async def ping(self) -> None:
        await self._readers.query("SELECT 1", None, Lane.LIGHT, None)

    async def explain(self, sql: str, params: Params | None = None) -> str:
        answer = await self.query(f"EXPLAIN indexes = 1 {sql}", params, lane=Lane.LIGHT)
        return "\n".join(answer.columns[0])

    def insert(self, table: str, data: InsertData, token: str) -> None:
        if isinstance(data, pa.Table):
            with tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".arrow") as file:
                write_stream(data, file)
                self._insert_file(table, data.schema.names, Path(file.name), token)
            return

        self._insert_file(table, stream_names(data), data, token)

    def execute(self, sql: str, params: Params | None = None) -> Result:
        with self._writing:
            try:
                return self._writer.run(sql, params)
            except Exception as error:
                raise self._translated(error) from error

    def close(self) -> None:
        if self._closed:
            return

        self._closed = True
        self._readers.close()
        with self._writing:
            self._writer.close()

    @abstractmethod
    def _connect(self, settings: dict[str, str | int]) -> Client: ...

    @abstractmethod
    def _insert_file(self, table: str, names: list[str], path: Path, token: str) -> None: ...

    def _session(self, settings: dict[str, str | int]) -> Session:
        return Session(lambda: self._connect(settings), renew=self._renews)

    def _translated(self, error: Exception) -> StoreError:
        return translate(error, timeout_s=INSERT_TIMEOUT_S, memory_mb=self._limits.memory_mb)
