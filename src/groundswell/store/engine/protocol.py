"""What every engine offers. Importing this loads no database client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Param: TypeAlias = str | int | float | bool | datetime | date | Sequence["Param"] | None
Params: TypeAlias = Mapping[str, Param]
InsertData: TypeAlias = "pa.Table | Path"


class Lane(StrEnum):
    """How much a question reads: one reader is always kept free for light ones (< 1 M rows)."""

    LIGHT = "light"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one query, by column.

    Times come out as aware UTC datetimes, dates as `date`, UUIDs as `uuid.UUID`, maps as dicts,
    arrays as lists, NULL as None. Where speed matters, ask for `toUnixTimestamp(...)` instead.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows as tuples in the order of `names`."""
        return zip(*self.columns, strict=True)

    def records(self) -> Iterator[dict[str, Any]]:
        """Give the rows as dicts by column name."""
        return (dict(zip(self.names, row, strict=True)) for row in self.rows())

    def column(self, name: str) -> Sequence[Any]:
        return self.columns[self.names.index(name)]

    def scalar(self) -> Any:
        """Give the first value of the first row."""
        return self.columns[0][0]


class Engine(Protocol):
    """The event store. Reading is async and bounded; writing blocks, on the writer's thread."""

    @property
    def is_embedded(self) -> bool:
        """Whether the data lies in this process's own directory."""
        ...

    async def query(
        self,
        sql: str,
        params: Params | None = None,
        *,
        lane: Lane = Lane.HEAVY,
        timeout_s: float | None = None,
    ) -> Result:
        """Answer one SELECT; cancelling the task frees the reader.

        params: values for the `{name:Type}` placeholders of `sql`.
        Raises QueryTooHeavy when a limit is hit, StoreUnavailable, StoreError.
        """
        ...

    async def ping(self) -> None:
        """Answer nothing, as soon as questions can be answered."""
        ...

    async def explain(self, sql: str, params: Params | None = None) -> str:
        """Give the engine's plan with the indexes it uses."""
        ...

    def insert(self, table: str, data: InsertData, token: str) -> None:
        """Insert an Arrow table or an ArrowStream file; the same token counts once.

        UUID columns: string or fixed-size binary(16); UInt128: fixed-size binary(16), little end
        first; maps: map<string, …>; times: timestamp. Columns are matched by name.
        Blocks. Raises StoreUnavailable when it may be tried again, StoreError.
        """
        ...

    def execute(self, sql: str, params: Params | None = None) -> Result:
        """Run one statement of ours with the right to write (migrations, lifecycle). Blocks."""
        ...

    def close(self) -> None:
        """Cancel what runs and let go of the data; a second call does nothing."""
        ...
