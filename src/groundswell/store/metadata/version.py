"""A number that every change of who owns what raises: other processes see that caches are old."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, select, update

from groundswell.store.metadata.database import Metadata
from groundswell.store.metadata.tables import metadata_version


def bump(connection: Connection) -> None:
    """Say that something changed that other processes may have cached."""
    connection.execute(update(metadata_version).values(value=metadata_version.c.value + 1))


def version(connection: Connection) -> int:
    """Read the number."""
    value: int = connection.execute(select(metadata_version.c.value)).scalar_one()
    return value


class VersionWatch:
    """Reads the version at most every `every_s`; what was cached under another one is old."""

    def __init__(
        self,
        metadata: Metadata,
        every_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata = metadata
        self._every_s = every_s
        self._clock = clock
        self._read_at = float("-inf")
        self._version = 0

    async def current(self) -> int:
        """Give a version that is at most `every_s` old."""
        if self._clock() - self._read_at >= self._every_s:
            asked_at = self._clock()
            self._version = await self._metadata.run(version)
            self._read_at = asked_at
        return self._version
