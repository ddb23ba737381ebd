"""A bounded pool of readers, handed out first come, first served, one kept for light questions.

An unfair semaphore starved light questions (p95 of 15 s with 16 callers), hence the explicit queue.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from groundswell.errors import StoreUnavailable
from groundswell.store.engine.protocol import Lane

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Waiter(Generic[T]):
    lane: Lane
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    given: T | None = None


class ReaderPool(Generic[T]):
    """Readers of any kind. `acquire` waits on the caller's loop; `release` works on any thread."""

    def __init__(self, readers: list[T]) -> None:
        self._lock = threading.Lock()
        self._free = deque(readers)
        self._heavy_allowed = max(len(readers) - 1, 1)
        self._heavy: set[int] = set()
        self._waiters: deque[_Waiter[T]] = deque()
        self._closed = False

    async def acquire(self, lane: Lane) -> T:
        """Wait for a reader. Raises StoreUnavailable once the pool is closed."""
        loop = asyncio.get_running_loop()
        waiter: _Waiter[T] = _Waiter(lane, loop, loop.create_future())
        with self._lock:
            if self._closed:
                raise StoreUnavailable("The event store is closing.")

            self._waiters.append(waiter)
            self._hand_out()
            if waiter.given is not None:
                return waiter.given

        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def release(self, reader: T) -> None:
        """Give a reader back and pass it on to who has waited longest."""
        with self._lock:
            self._heavy.discard(id(reader))
            self._free.append(reader)
            self._hand_out()

    def close(self) -> None:
        """Refuse everyone who waits or comes later."""
        with self._lock:
            self._closed = True
            waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            _on_loop(waiter.loop, _refuse, waiter.future)

    def _forget(self, waiter: _Waiter[T]) -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        if waiter.given is not None:
            self.release(waiter.given)

    def _hand_out(self) -> None:
        """Serve waiters in order; a heavy one that must wait does not hold up a light one."""
        for waiter in list(self._waiters):
            if not self._free:
                return

            if waiter.lane is Lane.HEAVY and len(self._heavy) >= self._heavy_allowed:
                continue

            reader = self._free.popleft()
            if waiter.lane is Lane.HEAVY:
                self._heavy.add(id(reader))
            self._waiters.remove(waiter)
            waiter.given = reader
            _on_loop(waiter.loop, _give, waiter.future, reader)


def _give(future: asyncio.Future[T], reader: T) -> None:
    if not future.done():
        future.set_result(reader)


def _refuse(future: asyncio.Future[T]) -> None:
    if not future.done():
        future.set_exception(StoreUnavailable("The event store is closing."))


def _on_loop(loop: asyncio.AbstractEventLoop, callback: object, *args: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *args)  # type: ignore[arg-type]
