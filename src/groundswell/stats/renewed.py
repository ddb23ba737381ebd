"""What takes long to find out and changes slowly: answered from memory, and found out again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from groundswell.telemetry import logger

log = logger("renewed")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# An answer is fresh for so many times what it took to find, and at least so long.
FRESH_TIMES = 20.0
FRESH_S = 0.25
PATIENCE_S = 0.02
REMEMBERED_S = 3600.0
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class _Known(Generic[V]):
    value: V
    at: float
    fresh_until: float


class Renewed(Generic[K, V]):
    """Answers by key. One that is no longer fresh is found anew: who asks waits a moment for it,
    and takes the older one where it takes longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[K, _Known[V]] = {}
        self._looking: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, look: Callable[[], Awaitable[V]]) -> V:
        """Give what is known, or what `look` finds. Raises what `look` raises the first time."""
        known = self._known.get(key)
        if known is not None and self._clock() < known.fresh_until:
            return known.value

        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(self._renew(key, look))
            looking.add_done_callback(lambda done: self._forget(key, done))
        if known is None or self._clock() - known.at > REMEMBERED_S:
            return await asyncio.shield(looking)

        await asyncio.wait({looking}, timeout=PATIENCE_S)
        return self._known[key].value if key in self._known else known.value

    async def _renew(self, key: K, look: Callable[[], Awaitable[V]]) -> V:
        begun = self._clock()
        value = await look()
        now = self._clock()
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        fresh_s = max(FRESH_S, FRESH_TIMES * (now - begun))
        self._known[key] = _Known(value, now, now + fresh_s)
        return value

    def _forget(self, key: K, done: asyncio.Task[V]) -> None:
        self._looking.pop(key, None)
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.warning("not_renewed", error=type(error).__name__)
