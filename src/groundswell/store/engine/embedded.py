"""The embedded engine: chDB inside this process, its data in DATA/store.

One path per process, one process per path; never fork once it is open: a forked chDB hangs.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import clickhouse_connect
import pyarrow as pa

from groundswell.config import Settings
from groundswell.errors import StartupError
from groundswell.store.engine.arrow import insert_statement, stream_names, write_stream
from groundswell.store.engine.failures import translate
from groundswell.store.engine.limits import (
    INSERT_TIMEOUT_S,
    limits_of,
    reader_settings,
    write_config,
    writer_settings,
)
from groundswell.store.engine.protocol import InsertData, Lane, Params, Result
from groundswell.store.engine.readers import Limits, Readers
from groundswell.store.engine.session import Session
from groundswell.store.lock import DataLock

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


class EmbeddedEngine:
    """`Engine` on chDB through clickhouse-connect's in-process backend."""

    is_embedded = True

    def __init__(self, data: Path, limits: Limits, readers: int, memory_mb: int) -> None:
        self._lock = DataLock.acquire(data)
        self._path = (data / "store").resolve()
        self._scratch = (data / "tmp").resolve()
        for folder in (self._path, self._scratch):
            folder.mkdir(parents=True, exist_ok=True)
        config = (data / "engine.xml").resolve()
        write_config(config, memory_mb)
        self._config = config
        self._limits = limits
        self._writing = threading.Lock()
        self._closed = False
        try:
            self._writer = self._session(writer_settings())
            self._readers = Readers(lambda: self._session(reader_settings(limits)), readers, limits)
        except Exception as error:
            self._lock.release()
            raise StartupError(f"The event store in {self._path} does not open: {error}") from error

    @classmethod
    def open(cls, settings: Settings) -> EmbeddedEngine:
        """Open the engine of the settings. Raises StartupError."""
        settings.data.mkdir(parents=True, exist_ok=True)
        return cls(
            settings.data,
            limits_of(settings),
            settings.integer("QUERY_THREADS"),
            settings.integer("ENGINE_MEMORY_MB"),
        )

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

        self._insert_file(table, stream_names(data), data.resolve(), token)

    def _insert_file(self, table: str, names: list[str], path: Path, token: str) -> None:
        self.execute(insert_statement(table, names, token, source=path))

    def execute(self, sql: str, params: Params | None = None) -> Result:
        with self._writing:
            try:
                return self._writer.run(sql, params)
            except Exception as error:
                raise translate(
                    error, timeout_s=INSERT_TIMEOUT_S, memory_mb=self._limits.memory_mb
                ) from error

    def close(self) -> None:
        if self._closed:
            return

        self._closed = True
        self._readers.close()
        with self._writing:
            self._writer.close()
        self._lock.release()

    def _session(self, settings: dict[str, str | int]) -> Session:
        return Session(lambda: self._connect(settings), renew=True)

    def _connect(self, settings: dict[str, str | int]) -> Client:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(self._path),
            chdb_options={"config-file": str(self._config)},
            settings=settings,
            tz_mode="aware",
            tz_source="server",
        )
