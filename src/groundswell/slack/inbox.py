"""What Slack sent, written down before the acknowledgement: once each, until its work is done.

What a process did not finish, because it was killed or Slack refused for the moment, is taken up
again: some minutes later by whoever is there, at once by the next start on the same SQLite file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection

from groundswell.errors import StoreUnavailable
from groundswell.slack.workspaces import utc_now
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import slack_inbox as rows
from groundswell.store.metadata.slack_inbox import Accepted
from groundswell.telemetry import counter, gauge, logger

MAX_ATTEMPTS = 3
# Longer than the work of a full pool takes.
LEASE = timedelta(minutes=5)
LOOK_EVERY_S = 5.0
_FOREVER = timedelta(days=3650)

log = logger("slack")
_again = counter("slack_taken_up_again", "Acknowledged payloads whose work was begun again.")
_writing = gauge("slack_inbox_writing", "Payloads that wait for their acknowledgement.")

Arrival: TypeAlias = tuple[Accepted, "asyncio.Future[bool]"]


class Inbox:
    """Takes payloads, many in one transaction. start() and stop() own its tasks."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._arrived: list[Arrival] = []
        self._done: list[tuple[str, datetime | None]] = []
        self._wake = asyncio.Event()
        self._in_hand: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, take_up: Callable[[Accepted], Awaitable[None]]) -> None:
        """Begin to write; `take_up` gets what was left unfinished, now and later."""
        self._tasks = [
            asyncio.create_task(self._write()),
            asyncio.create_task(self._look(take_up)),
        ]

    async def stop(self) -> None:
        """Write down what is done; what is not stays for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        try:
            await self._write_once()
        except StoreUnavailable as error:
            log.warning("slack_inbox_not_written", why=str(error))

    async def accept(self, id: str, door: str, payload: str) -> bool:
        """Take a payload; False when it was taken before. Once this returns, it is on disk.

        Raises StoreUnavailable.
        """
        one = Accepted(id[:128], door, payload, utc_now())
        if one.id in self._in_hand:
            return False

        self._in_hand.add(one.id)
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._arrived.append((one, written))
        _writing.set(len(self._arrived))
        self._wake.set()
        is_mine = False
        try:
            is_mine = await written
        finally:
            if not is_mine:
                self._in_hand.discard(one.id)
        return is_mine

    def finish(self, id: str) -> None:
        """Say that the work of a payload is done, or given up."""
        self._settle(id, None)

    def postpone(self, id: str, seconds: float) -> None:
        """Say that the work of a payload is to be done again later."""
        self._settle(id, utc_now() + timedelta(seconds=seconds))

    def _settle(self, id: str, due_at: datetime | None) -> None:
        self._done.append((id[:128], due_at))
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write_once()
            except StoreUnavailable as error:
                # What was done is written with the next one.
                log.warning("slack_inbox_not_written", why=str(error))

    async def _write_once(self) -> None:
        arrived, self._arrived = self._arrived, []
        done, self._done = self._done, []
        if not arrived and not done:
            return

        def write(connection: Connection) -> list[bool]:
            taken = rows.accept(connection, [one for one, _ in arrived], utc_now() + LEASE)
            for id, due_at in done:
                if due_at is None:
                    rows.finish(connection, id)
                else:
                    rows.postpone(connection, id, due_at)
            return taken

        try:
            taken = await self._metadata.run(write)
        except BaseException as error:
            self._done = done + self._done
            for _, written in arrived:
                if not written.done():
                    written.set_exception(
                        error
                        if isinstance(error, StoreUnavailable)
                        else StoreUnavailable("The metadata was not written.", retry_after_s=5)
                    )
            raise

        for (_, written), is_new in zip(arrived, taken, strict=True):
            if not written.done():
                written.set_result(is_new)
        self._in_hand.difference_update(id for id, _ in done)
        _writing.set(len(self._arrived))

    async def _look(self, take_up: Callable[[Accepted], Awaitable[None]]) -> None:
        # On SQLite nobody else is there: what is unfinished was left by a process that ended.
        is_alone = self._metadata.engine.dialect.name == "sqlite"
        ahead = _FOREVER if is_alone else timedelta(0)
        while True:
            try:
                due = await self._metadata.run(rows.take_due, utc_now() + ahead, utc_now() + LEASE)
                ahead = timedelta(0)
                for one in due:
                    if one.id not in self._in_hand:
                        self._in_hand.add(one.id)
                        _again.inc()
                        await take_up(one)
            except Exception as error:
                log.error("slack_inbox_failed", exc_info=error)
            await asyncio.sleep(LOOK_EVERY_S)
