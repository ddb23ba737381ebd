"""How many rows a statement may read, remembered for a while: the index is asked only once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from groundswell.query.question import Statement
from groundswell.stats.memory import Memory
from groundswell.store.volume import rows_in

if TYPE_CHECKING:
    from groundswell.store.engine import Engine

REMEMBERED_S = 300.0
_HOUR = 3600
_Key: TypeAlias = tuple[str, tuple[int, ...], int, int]


class Volume:
    """Estimates by the primary key, whatever else a statement filters by."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: Memory[_Key, int] = Memory(REMEMBERED_S)

    async def rows_of(self, statement: Statement) -> int | None:
        """Estimate the rows in the range of a statement; None where nobody knows.

        A cluster only knows of one shard, and handwritten statements name no tables.
        """
        window = statement.window
        if window is None or not statement.table or not self._engine.is_embedded:
            return None

        # To the hour: a chart that lives asks for another minute each time.
        hour = int(window.end.timestamp()) // _HOUR
        key = (statement.table, statement.projects, int(window.seconds) // _HOUR, hour)
        rows = self._known.get(key)
        if rows is None:
            tables = statement.table.split("+")
            rows = await rows_in(self._engine, tables, statement.projects, window)
            self._known.put(key, rows)
        return rows
