"""The event store's engine: one interface, embedded (chDB) or a ClickHouse server over HTTP.

Only this package imports chdb or clickhouse_connect, and only once an engine is opened.
"""

from __future__ import annotations

from groundswell.config import Settings
from groundswell.store.engine.protocol import Engine, InsertData, Lane, Params, Result

__all__ = ["Engine", "InsertData", "Lane", "Params", "Result", "open_engine"]


def open_engine(settings: Settings) -> Engine:
    """Open the engine that the settings name: CLICKHOUSE_URL, or the embedded one in DATA/store.

    Raises StartupError when another process has the data directory, StoreUnavailable when a
    server does not answer.
    """
    if settings.text("CLICKHOUSE_URL"):
        from groundswell.store.engine.server import ServerEngine

        return ServerEngine.open(settings)

    from groundswell.store.engine.embedded import EmbeddedEngine

    return EmbeddedEngine.open(settings)
