"""Which entries bring an event that came before? Per project, exact: a filter asks the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from groundswell.ingest.recovery import Batch, Entry, Recovered
from groundswell.store.engine import Engine


class SeenEvents:
    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine

    async def open(self, state: Recovered) -> None: ...

    async def duplicates(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        return ()

    def stored(self, batch: Batch) -> None: ...

    def close(self) -> None: ...
