"""Work after the acknowledgement: a bounded pool, a deadline for each piece, drained at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from groundswell.errors import GroundswellError
from groundswell.telemetry import counter, logger

WORKERS = 12
MAX_WAITING = 2_000
DEADLINE_S = 15.0
Work: TypeAlias = Callable[[], Awaitable[None]]
# What is done after a piece of work, with what it raised. Not for work that was abandoned.
After: TypeAlias = Callable[[BaseException | None], None]

log = logger("slack")
_done = counter("slack_work", "Pieces of background work for Slack.", ("outcome",))


class Pool:
    """Runs what was submitted, some at a time. start() and stop() own its tasks."""

    def __init__(
        self,
        *,
        workers: int = WORKERS,
        max_waiting: int = MAX_WAITING,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._queue: asyncio.Queue[tuple[str, Work, After | None]] = asyncio.Queue(max_waiting)
        self._workers = workers
        self._deadline_s = deadline_s
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._workers)]

    async def stop(self, timeout_s: float = 2.5) -> None:
        """Finish what was taken, as far as the time allows."""
        try:
            await asyncio.wait_for(self._queue.join(), timeout_s)
        except TimeoutError:
            log.warning("slack_work_abandoned", waiting=self._queue.qsize())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def has_room(self) -> bool:
        return not self._queue.full()

    def submit(self, name: str, work: Work, after: After | None = None) -> bool:
        """Take a piece of work; False when too much is waiting already."""
        try:
            self._queue.put_nowait((name, work, after))
        except asyncio.QueueFull:
            _done.labels("refused").inc()
            return False

        return True

    async def idle(self) -> None:
        """Wait until everything that was submitted is done."""
        await self._queue.join()

    async def _run(self) -> None:
        while True:
            name, work, after = await self._queue.get()
            try:
                failure = await self._do(name, work)
                if after is not None:
                    after(failure)
            finally:
                self._queue.task_done()

    async def _do(self, name: str, work: Work) -> Exception | None:
        try:
            async with asyncio.timeout(self._deadline_s):
                await work()
        except TimeoutError as error:
            _done.labels("timeout").inc()
            log.warning("slack_work_timeout", name=name, deadline_s=self._deadline_s)
            return error
        except GroundswellError as error:
            _done.labels("failed").inc()
            log.warning("slack_work_failed", name=name, error=str(error))
            return error
        except Exception as error:
            _done.labels("crashed").inc()
            log.error("slack_work_crashed", name=name, exc_info=error)
            return error

        _done.labels("ok").inc()
        return None
