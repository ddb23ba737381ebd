"""A Bloom filter in a memory-mapped file: survives a killed process, says "never" or "perhaps"."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
_HEADER = struct.Struct("<8sdQ")
_HEADER_BYTES = 64
_MAGIC = b"GSWSEEN1"
CAPACITY = 1_000_000
BITS_PER_KEY = 24
PROBES = 11
_BITS = CAPACITY * BITS_PER_KEY


class FilterFile:
    """Up to CAPACITY keys; one in 60,000 unknown ones is "perhaps" known when it is full."""

    def __init__(self, path: Path, begun_at: float) -> None:
        self.path = path
        is_new = not path.exists() or path.stat().st_size != _HEADER_BYTES + _BITS // 8
        self._map = np.memmap(
            path, np.uint8, "w+" if is_new else "r+", shape=(_HEADER_BYTES + _BITS // 8,)
        )
        self._bits = self._map[_HEADER_BYTES:]
        magic, self.begun_at, self.count = _HEADER.unpack(bytes(self._map[: _HEADER.size]))
        if magic != _MAGIC:
            self._map[:] = 0
            self.begun_at, self.count = begun_at, 0
            self._write_header()

    @property
    def is_full(self) -> bool:
        return bool(self.count >= CAPACITY)

    def add(self, hashes: Hashes) -> None:
        """Remember keys; `hashes` has two columns per key."""
        if not len(hashes):
            return

        steps = np.arange(PROBES, dtype=np.uint64)
        places = (hashes[:, :1] + hashes[:, 1:] * steps) % np.uint64(_BITS)
        flat = places.ravel()
        masks = np.left_shift(np.uint8(1), (flat & np.uint64(7)).astype(np.uint8))
        np.bitwise_or.at(self._bits, (flat >> np.uint64(3)).astype(np.int64), masks)
        self.count += len(hashes)
        self._write_header()

    def may_hold(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Say for each key whether it may have been added."""
        alive = np.arange(len(hashes))
        for step in range(PROBES):
            if not len(alive):
                break

            rows = hashes[alive]
            place = (rows[:, 0] + rows[:, 1] * np.uint64(step)) % np.uint64(_BITS)
            byte = self._bits[(place >> np.uint64(3)).astype(np.int64)]
            alive = alive[(byte >> (place & np.uint64(7)).astype(np.uint8)) & 1 == 1]
        found = np.zeros(len(hashes), np.bool_)
        found[alive] = True
        return found

    def sync(self) -> None:
        """Make it survive a power cut too. Blocks."""
        self._map.flush()

    def delete(self) -> None:
        """Forget everything in it."""
        self.path.unlink(missing_ok=True)

    def _write_header(self) -> None:
        header = _HEADER.pack(_MAGIC, self.begun_at, self.count)
        self._map[: _HEADER.size] = np.frombuffer(header, np.uint8)
