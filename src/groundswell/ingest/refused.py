"""Counts of what the door refused, summed up and kept in the spool within one window."""

from __future__ import annotations

import time
from collections.abc import Callable

from groundswell.errors import GroundswellError
from groundswell.ingest import frames
from groundswell.ingest.frames import Counts, FrameKind
from groundswell.ingest.records import Verdict
from groundswell.ingest.spool import Position, Spool
from groundswell.store.metadata.admission import KeyRow

_Row = tuple[int, int, int, str, str, str]


class RefusedCounts:
    """Sums by project, key, minute, category, verdict and reason. `on_more`: there is a count."""

    def __init__(self, on_more: Callable[[], None]) -> None:
        self._on_more = on_more
        self._sums: dict[_Row, int] = {}
        self._underway = False

    @property
    def are_kept(self) -> bool:
        """Whether every count is in the spool."""
        return not (self._sums or self._underway)

    def __bool__(self) -> bool:
        return bool(self._sums)

    def of_request(
        self, key: KeyRow, category: str, verdict: Verdict, reason: str, quantity: int
    ) -> None:
        """Count something that came with a key."""
        self.add(key.project_id, key.key_id, category, verdict, reason, quantity)

    def add(
        self,
        project_id: int,
        key_id: int,
        category: str,
        verdict: Verdict,
        reason: str,
        quantity: int,
    ) -> None:
        """Count something now."""
        minute = int(time.time()) // 60 * 60
        row = (project_id, key_id, minute, category, verdict.value, reason)
        self._sums[row] = self._sums.get(row, 0) + quantity
        self._on_more()

    def spool(self, spool: Spool, done: Callable[[Position | GroundswellError], None]) -> None:
        """Put what was counted into the spool; what cannot be written stays counted."""
        counted, self._sums = self._sums, {}
        self._underway = True

        def kept(result: Position | GroundswellError) -> None:
            self._underway = False
            if isinstance(result, GroundswellError):
                for row, quantity in counted.items():
                    self._sums[row] = self._sums.get(row, 0) + quantity
            done(result)

        rows = tuple((*row, quantity) for row, quantity in counted.items())
        spool.append(FrameKind.COUNTS, (frames.encode(Counts(rows)),), 0, kept)
