"""Append-only segments on disk: an entry is acknowledged once its group is synced.

One writer thread takes everything that waits, writes it, syncs once and releases the waiters.
Sequence numbers are given by that thread, so the order on disk is the order of the numbers.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from groundswell.errors import GroundswellError
from groundswell.ingest import frames
from groundswell.ingest.frames import FrameKind, SegmentHeader
from groundswell.telemetry import logger

log = logger("ingest.spool")
SEGMENT_BYTES = 64 * 1024 * 1024
MAX_IOV = 512
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolFull(GroundswellError):
    """Raised when the disk takes no more; nothing of the entry was kept."""


class SpoolBroken(GroundswellError):
    """Raised when the disk fails; nothing of the entry was acknowledged."""


class Position(NamedTuple):
    """Where an entry is: its number, its segment, and its bytes there."""

    seq: int
    segment: int
    offset: int
    end: int


class _Waiting(NamedTuple):
    kind: FrameKind
    parts: tuple[bytes, ...]
    items: int
    done: Callable[[Position | GroundswellError], None]


def segment_path(directory: Path, number: int) -> Path:
    return directory / f"{number:08d}.seg"


def segment_numbers(directory: Path) -> list[int]:
    """List the segments of a spool, oldest first."""
    return sorted(int(path.stem) for path in directory.glob("*.seg") if path.stem.isdigit())


def sync_directory(directory: Path) -> None:
    """Make names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file so that either the old or the new one is there after any crash."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(descriptor, [data])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


class Spool:
    """The writing end. `open` starts the thread; `append` may be called on the loop only."""

    def __init__(self, directory: Path, *, sync: bool, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._sync = sync
        self._segment_bytes = segment_bytes
        self._waiting: list[_Waiting] = []
        self._wake = threading.Condition()
        self._closing = False
        self._file = -1
        self._tail = 0
        self.segment = 0
        self._next_seq = 1
        self._accepted = 0
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, *, segment: int, next_seq: int, accepted: int) -> None:
        """Begin a new segment; `accepted` counts the items of all entries before it."""
        self._loop = asyncio.get_running_loop()
        self._next_seq = next_seq
        self._accepted = accepted
        self._begin_segment(segment)
        self._thread.start()

    def append(
        self,
        kind: FrameKind,
        parts: tuple[bytes, ...],
        items: int,
        done: Callable[[Position | GroundswellError], None],
    ) -> None:
        """Queue an entry; `done` is called on the loop, in the order of the numbers.

        items: how many of the accepted items are in it.
        """
        with self._wake:
            self._waiting.append(_Waiting(kind, parts, items, done))
            self._wake.notify()

    def close(self) -> None:
        """Write what waits and stop the thread. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                group, self._waiting = self._waiting, []
                if not group:
                    return

            results = self._write_group(group)
            assert self._loop is not None
            try:
                self._loop.call_soon_threadsafe(_release, group, results)
            except RuntimeError:
                # The loop is gone: nobody waits for an answer any more.
                return

    def _write_group(self, group: list[_Waiting]) -> list[Position | GroundswellError]:
        """Write and sync a group; all of it is kept or none."""
        try:
            if self._file < 0 or self._tail >= self._segment_bytes:
                self._begin_segment(self.segment + 1)
            return list(self._append_group(group))
        except OSError as error:
            failure: GroundswellError = (
                SpoolFull("There is no space left for accepted events.")
                if error.errno in _FULL
                else SpoolBroken(f"Accepted events cannot be written: {error.strerror}")
            )
            self._abandon_tail(broken=error.errno not in _FULL)
            return [failure] * len(group)

    def _append_group(self, group: list[_Waiting]) -> list[Position]:
        positions = []
        chunks: list[bytes] = []
        offset, seq, accepted = self._tail, self._next_seq, self._accepted
        for entry in group:
            numbered = entry.kind is not FrameKind.CUT
            packed = frames.pack_frame(entry.kind, seq if numbered else 0, entry.parts)
            end = offset + sum(map(len, packed))
            positions.append(Position(seq if numbered else 0, self.segment, offset, end))
            chunks += packed
            offset = end
            seq += numbered
            accepted += entry.items
        _write_all(self._file, chunks)
        # A cut names a token, so it must outlive the rows inserted under it in every mode.
        if self._sync or any(entry.kind is FrameKind.CUT for entry in group):
            os.fdatasync(self._file)
        self._tail, self._next_seq, self._accepted = offset, seq, accepted
        return positions

    def _begin_segment(self, number: int) -> None:
        path = segment_path(self._directory, number)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        header = SegmentHeader(number, self._next_seq, self._accepted, time.time())
        try:
            _write_all(descriptor, [frames.pack_segment_header(header)])
            os.fsync(descriptor)
            sync_directory(self._directory)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise

        if self._file >= 0:
            os.close(self._file)
        self._file, self._tail, self.segment = descriptor, frames.SEGMENT_OVERHEAD, number

    def _abandon_tail(self, *, broken: bool) -> None:
        """Cut off what may be half there. After a failed sync nothing of the file is trusted."""
        if self._file < 0:
            return

        try:
            os.ftruncate(self._file, self._tail)
            os.lseek(self._file, self._tail, os.SEEK_SET)
        except OSError:
            broken = True
        if broken:
            os.close(self._file)
            self._file = -1


def _release(group: list[_Waiting], results: list[Position | GroundswellError]) -> None:
    for entry, result in zip(group, results, strict=True):
        try:
            entry.done(result)
        except Exception as error:
            # The others of the group are on disk too: nobody may wait in vain for his answer.
            log.error("release_failed", result=str(result), exc_info=error)


def _write_all(descriptor: int, chunks: list[bytes]) -> None:
    for begin in range(0, len(chunks), MAX_IOV):
        part = chunks[begin : begin + MAX_IOV]
        total = sum(map(len, part))
        written = os.writev(descriptor, part)
        while written < total:
            rest = b"".join(part)[written:]
            count = os.write(descriptor, rest)
            if count == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            written += count
