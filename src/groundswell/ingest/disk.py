"""Is there room on the disks: full ones refuse events, filling ones are told of in time."""

from __future__ import annotations

import shutil
from pathlib import Path

from groundswell.telemetry import gauge, logger

log = logger("ingest.disk")
USED = gauge("disk_used_ratio", "How full the fullest disk of the data directory is, 0 to 1.")
WARN_RATIO = 0.85
TELL_EVERY_S = 600.0
MEBIBYTE = 1024 * 1024


class DiskWatch:
    """Looks at the disks that hold `places`; those that do not exist are left out."""

    def __init__(self, places: tuple[Path, ...], reserve_mb: int) -> None:
        self._places = places
        self._reserve = reserve_mb * MEBIBYTE
        self._told_at: dict[str, float] = {}
        self.is_full = False
        self.warning: str | None = None

    def look(self, now: float) -> None:
        """Measure. Blocks. `now` is of a monotonic clock. Raises OSError."""
        usages = [(place, shutil.disk_usage(place)) for place in self._places if place.exists()]
        free = min(usage.free for _, usage in usages)
        # Space that only root may use counts as used: it is no use to events.
        place, used = max(
            ((place, usage.used / (usage.used + usage.free)) for place, usage in usages),
            key=lambda row: row[1],
        )
        USED.set(used)
        was_full, self.is_full = self.is_full, free < self._reserve
        self.warning = f"The disk of {place} is {used:.0%} full." if used >= WARN_RATIO else None
        if self.is_full:
            self._tell("disk_full", now, place, free)
        elif self.warning:
            self._tell("disk_filling", now, place, free)
        if was_full and not self.is_full:
            log.info("disk_has_room", free_bytes=free)

    def fill(self) -> None:
        """A write failed for lack of space: it is full until the next look says otherwise."""
        self.is_full = True

    def _tell(self, event: str, now: float, place: Path, free: int) -> None:
        told_at = self._told_at.get(event)
        if told_at is not None and now - told_at < TELL_EVERY_S:
            return

        self._told_at[event] = now
        level = log.error if event == "disk_full" else log.warning
        level(event, place=str(place), free_bytes=free, reserve_bytes=self._reserve)
