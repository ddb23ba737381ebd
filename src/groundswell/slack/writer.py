"""Small changes of the metadata, many in one transaction: a busy workspace must not wait for a disk
write each. Whoever waits for a change gets its result when it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Connection

from groundswell.store.metadata import Metadata
from groundswell.telemetry import logger

P = ParamSpec("P")
R = TypeVar("R")
Change: TypeAlias = tuple[Callable[[Connection], Any], "asyncio.Future[Any]"]
MOST_AT_ONCE = 500

log = logger("slack")


class Writer:
    """Writes while there is something to write; close() waits for the rest."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._waiting: list[Change] = []
        self._task: asyncio.Task[None] | None = None

    async def run(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `function(connection, …)` in a transaction that it may share with others.

        Raises StoreUnavailable, and what the function raises.
        """
        found: R = await asyncio.shield(self.post(function, *args, **kwargs))
        return found

    def post(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R]:
        """Have a change written soon."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_look_at)
        self._waiting.append((lambda connection: function(connection, *args, **kwargs), done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
        return done

    async def close(self) -> None:
        """Wait until everything is written."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        while self._waiting:
            changes = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
            try:
                results = await self._metadata.run(_all, changes)
            except Exception as error:
                if len(changes) == 1:
                    _fail(changes[0], error)
                    continue
                # One of them is bad: the others must not go with it.
                await self._each_alone(changes)
                continue
            for (_, done), result in zip(changes, results, strict=True):
                if not done.done():
                    done.set_result(result)

    async def _each_alone(self, changes: list[Change]) -> None:
        for change in changes:
            try:
                (result,) = await self._metadata.run(_all, [change])
            except Exception as error:
                _fail(change, error)
            else:
                if not change[1].done():
                    change[1].set_result(result)


def _all(connection: Connection, changes: list[Change]) -> list[Any]:
    return [change(connection) for change, _ in changes]


def _fail(change: Change, error: Exception) -> None:
    if not change[1].done():
        change[1].set_exception(error)


def _look_at(done: asyncio.Future[Any]) -> None:
    """Log a failure, for those who did not wait for the change."""
    if not done.cancelled() and (error := done.exception()):
        log.warning("slack_not_written", why=str(error))
