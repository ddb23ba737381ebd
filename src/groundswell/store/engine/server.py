"""The engine over HTTP: a ClickHouse server or cluster, same SQL, same limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import clickhouse_connect

from groundswell.config import Settings
from groundswell.errors import StartupError, StoreUnavailable
from groundswell.store.engine.client import ClientEngine
from groundswell.store.engine.limits import (
    INSERT_TIMEOUT_S,
    limits_of,
)
from groundswell.store.engine.readers import Limits

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_PORTS = {"http": 8123, "https": 8443}


class ServerEngine(ClientEngine):
    """`Engine` on a ClickHouse server through clickhouse-connect's HTTP client."""

    is_embedded = False
    _renews = False

    def __init__(self, url: str, limits: Limits, readers: int) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in _PORTS or not self._url.hostname:
            raise StartupError(
                "GROUNDSWELL_CLICKHOUSE_URL must look like http://user:password@host:8123/database."
            )

        try:
            super().__init__(limits, readers)
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

    def _insert_file(self, table: str, names: list[str], path: Path, token: str) -> None:
        with self._writing, path.open("rb") as body:
            try:
                self._writer.insert_file(table, names, body, token)
            except Exception as error:
                raise self._translated(error) from error

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
