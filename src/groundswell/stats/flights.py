"""Identical questions in flight are asked once; the last one to leave turns off the light."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    passengers: int = 0


class Flights(Generic[T]):
    """Shares the answer of a running question among everybody who asks the same."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def share(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Join the flight of `key`, or start it.

        A caller that is cancelled leaves; when the last one leaves, the flight is cancelled.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._take_off(key, start)
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.passengers -= 1
            if not flight.passengers and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()

    def _take_off(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight: _Flight[T] = _Flight(asyncio.create_task(start()))
        self._flights[key] = flight

        def landed(task: asyncio.Task[T]) -> None:
            self._forget(key, flight)
            if not task.cancelled():
                task.exception()  # Whoever still listens has it; nobody else needs a warning.

        flight.task.add_done_callback(landed)
        return flight

    def _forget(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
