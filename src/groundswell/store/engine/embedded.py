"""The embedded engine: chDB inside this process, its data in DATA/store.

One path per process, one process per path; never fork once it is open: a forked chDB hangs.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import clickhouse_connect

from groundswell.config import Settings
from groundswell.errors import StartupError
from groundswell.store.engine.arrow import insert_statement
from groundswell.store.engine.client import ClientEngine
from groundswell.store.engine.limits import (
    limits_of,
    write_config,
)
from groundswell.store.engine.readers import Limits
from groundswell.store.lock import DataLock

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


class EmbeddedEngine(ClientEngine):
    """`Engine` on chDB through clickhouse-connect's in-process backend."""

    is_embedded = True
    _renews = True

    def __init__(self, data: Path, limits: Limits, readers: int, memory_mb: int) -> None:
        self._lock = DataLock.acquire(data)
        self._path = (data / "store").resolve()
        self._scratch = (data / "tmp").resolve()
        for folder in (self._path, self._scratch):
            folder.mkdir(parents=True, exist_ok=True)
        # The engine does not open in a zone that it does not know, and here all time is UTC.
        os.environ["TZ"] = "UTC"
        time.tzset()
        config = (data / "engine.xml").resolve()
        write_config(config, memory_mb)
        self._config = config
        try:
            super().__init__(limits, readers)
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

    def _insert_file(self, table: str, names: list[str], path: Path, token: str) -> None:
        self.execute(insert_statement(table, names, token, source=path.resolve()))

    def close(self) -> None:
        if self._closed:
            return

        super().close()
        self._lock.release()

    def _connect(self, settings: dict[str, str | int]) -> Client:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(self._path),
            chdb_options={"config-file": str(self._config)},
            settings=settings,
            tz_mode="aware",
            tz_source="server",
        )
