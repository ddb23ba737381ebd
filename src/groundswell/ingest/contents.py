"""The latest envelopes without an event id, known by what is in them; kept over restarts.

Each is kept with its own number: after a crash it may be looked at again, and is no copy of itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from groundswell.ingest.spool import write_durably

KEPT = 200_000
_ROW = struct.Struct("<16sQ")


class Contents:
    """Remembers (digest, number). One append for each batch, and a new file now and then."""

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept
        self._numbers: dict[bytes, int] = {}
        self._rows = 0

    def open(self) -> None:
        """Read what an earlier life left, but for a row that was cut off. Blocks."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return

        whole = len(data) // _ROW.size * _ROW.size
        if whole < len(data):
            os.truncate(self._path, whole)
        for digest, number in _ROW.iter_unpack(data[:whole]):
            self._remember(digest, number)
        self._rows = whole // _ROW.size

    def came_before(self, project_id: int, content: str, number: int) -> bool:
        """Whether an entry with a smaller number had the same content."""
        known = self._numbers.get(_digest(project_id, content))
        return known is not None and known < number

    def add(self, entries: Iterable[tuple[int, str, int]]) -> None:
        """Remember (project, content, number) of entries. Blocks."""
        rows = [(_digest(project_id, content), number) for project_id, content, number in entries]
        if not rows:
            return

        for digest, number in rows:
            self._remember(digest, number)
        if self._rows + len(rows) > 2 * self._kept:
            write_durably(self._path, b"".join(_ROW.pack(*row) for row in self._numbers.items()))
            self._rows = len(self._numbers)
            return

        with self._path.open("ab") as file:
            file.write(b"".join(_ROW.pack(*row) for row in rows))
        self._rows += len(rows)

    def _remember(self, digest: bytes, number: int) -> None:
        self._numbers.pop(digest, None)
        self._numbers[digest] = number
        if len(self._numbers) > self._kept:
            del self._numbers[next(iter(self._numbers))]


def _digest(project_id: int, content: str) -> bytes:
    return blake2b(b"%d:%b" % (project_id, content.encode()), digest_size=16).digest()
