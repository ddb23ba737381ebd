"""Facts that stay true for a while once they were seen; what was not there is never remembered."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST_FACTS = 10_000


class Memory(Generic[K, V]):
    """Remembers facts for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._facts: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Recall a fact, None where there is none that is fresh."""
        until, value = self._facts.get(key, (0.0, None))
        return value if until > time.monotonic() else None

    def put(self, key: K, value: V) -> None:
        """Remember a fact from now on."""
        if len(self._facts) >= MOST_FACTS:
            self._facts.clear()
        self._facts[key] = (time.monotonic() + self._seconds, value)
