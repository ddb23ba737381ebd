"""What Slack sent, written down before the acknowledgement: once each, until its work is done.

What a process did not finish, because it was killed or Slack refused for the moment, is taken up
again: some minutes later by whoever is there, at once by the next start on the same SQLite file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from groundswell.slack.workspaces import utc_now
from groundswell.slack.writer import Writer
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import slack_inbox as rows
from groundswell.store.metadata.slack_inbox import Accepted
from groundswell.telemetry import counter, logger

MAX_ATTEMPTS = 3
# Longer than the work of a full pool takes.
LEASE = timedelta(minutes=5)
LOOK_EVERY_S = 5.0
_FOREVER = timedelta(days=3650)

log = logger("slack")
_again = counter("slack_taken_up_again", "Acknowledged payloads whose work was begun again.")


class Inbox:
    """Takes payloads. start() and stop() own its task."""

    def __init__(self, metadata: Metadata, writer: Writer) -> None:
        self._metadata = metadata
        self._writer = writer
        self._in_hand: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self, take_up: Callable[[Accepted], Awaitable[None]]) -> None:
        """Begin to look for what was left unfinished, now and later; `take_up` gets it."""
        self._task = asyncio.create_task(self._look(take_up))

    async def stop(self) -> None:
        """Stop; what is not done stays for the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def accept(self, id: str, door: str, payload: str) -> bool:
        """Take a payload; False when it was taken before. Once this returns, it is on disk.

        Raises StoreUnavailable.
        """
        one = Accepted(id[:128], door, payload, utc_now())
        if one.id in self._in_hand:
            return False

        self._in_hand.add(one.id)
        is_mine = False
        try:
            is_mine = await self._writer.run(rows.accept, one, utc_now() + LEASE)
        finally:
            if not is_mine:
                self._in_hand.discard(one.id)
        return is_mine

    def finish(self, id: str) -> None:
        """Say that the work of a payload is done, or given up."""
        self._writer.post(rows.finish, id[:128])
        self._in_hand.discard(id[:128])

    def postpone(self, id: str, seconds: float) -> None:
        """Say that the work of a payload is to be done again later."""
        self._writer.post(rows.postpone, id[:128], utc_now() + timedelta(seconds=seconds))
        self._in_hand.discard(id[:128])

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
