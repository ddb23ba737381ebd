"""The engine over HTTP: a ClickHouse server or cluster, same SQL, same limits."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa

from groundswell.config import Settings
from groundswell.errors import StartupError, StoreError, StoreUnavailable
from groundswell.store.engine.arrow import stream_names, write_stream
from groundswell.store.engine.failures import translate
from groundswell.store.engine.limits import (
    INSERT_TIMEOUT_S,
    limits_of,
    reader_settings,
    writer_settings,
)
from groundswell.store.engine.protocol import InsertData, Lane, Params, Result
from groundswell.store.engine.readers import Limits, Readers
from groundswell.store.engine.session import Session

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_PORTS = {"http": 8123, "https": 8443}


class ServerEngine:
    """`Engine` on a ClickHouse server through clickhouse-connect's HTTP client."""

    is_embedded = False

    def __init__(self, url: str, limits: Limits, readers: int) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in _PORTS or not self._url.hostname:
            raise StartupError(
                "GROUNDSWELL_CLICKHOUSE_URL must look like http://user:password@host:8123/database."
            )

        self._limits = limits
        self._writing = threading.Lock()
        self._closed = False
        try:
            self._writer = self._session(writer_settings())
            self._readers = Readers(lambda: self._session(reader_settings(limits)), readers, limits)
        except Exception as error:
            raise StoreUnavailable(
                f"ClickHouse at {self._url.hostname} does not answer: {_plain(error)}"
            ) from error

    @classmethod
    def open(cls, settings: Settings) -> ServerEngine:
        """Connect to the server of the settings. Raises StartupError, StoreUnavailable."""
        return cls(
            settings.text("CLICKHOUSE_URL"),
            limits_of(settings),
            settings.integer("QUERY_THREADS"),
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
            with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
                write_stream(data, file)
                self._insert_file(table, data.schema.names, Path(file.name), token)
            return

        self._insert_file(table, stream_names(data), data, token)

    def _insert_file(self, table: str, names: list[str], path: Path, token: str) -> None:
        with self._writing, path.open("rb") as body:
            try:
                self._writer.insert_file(table, names, body, token)
            except Exception as error:
                raise self._translated(error) from error

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

    def _translated(self, error: Exception) -> StoreError:
        return translate(error, timeout_s=INSERT_TIMEOUT_S, memory_mb=self._limits.memory_mb)

    def _session(self, settings: dict[str, str | int]) -> Session:
        return Session(lambda: self._connect(settings), renew=False)

    def _connect(self, settings: dict[str, str | int]) -> Client:
        secure = self._url.scheme == "https"
        return clickhouse_connect.get_client(
            host=self._url.hostname,
            port=self._url.port or _PORTS[self._url.scheme],
            username=unquote(self._url.username) if self._url.username else None,
            password=unquote(self._url.password or ""),
            database=self._url.path.strip("/") or "default",
            secure=secure,
            settings=settings,
            tz_mode="aware",
            tz_source="server",
            # Readers never share state, and a session would serialise them on the server.
            autogenerate_session_id=False,
            send_receive_timeout=INSERT_TIMEOUT_S,
            query_retries=0,
        )


def _plain(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
