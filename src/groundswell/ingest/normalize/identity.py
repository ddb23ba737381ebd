"""Event, trace and span ids → the bytes and integers of their columns; zero means absent."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

NO_ID = bytes(16)


def uuid_bytes(value: Any) -> bytes:
    """32 hex digits, dashed or not → 16 bytes; anything else is absent."""
    if type(value) is str:
        try:
            raw = bytes.fromhex(value if len(value) == 32 else value.replace("-", ""))
        except ValueError:
            return NO_ID
        if len(raw) == 16:
            return raw
    return NO_ID


def span_number(value: Any) -> int:
    """16 hex digits → an integer; anything else is absent (0)."""
    if type(value) is str and 0 < len(value) <= 16:
        try:
            return int(value, 16) if value.isalnum() else 0
        except ValueError:
            return 0
    return 0


def span_numbers(values: list[Any]) -> npt.NDArray[np.uint64]:
    """Many span ids at once: one hex decode when all are well formed, one by one otherwise."""
    try:
        raw = bytes.fromhex("".join(values))
        if len(raw) == 8 * len(values) and all(len(v) == 16 for v in values):
            return np.frombuffer(raw, dtype=">u8").astype(np.uint64)
    except (TypeError, ValueError):
        pass
    return np.array([span_number(v) for v in values], dtype=np.uint64)


def derived_event_id(project_id: int, payload: bytes, index: int, seq: int) -> bytes:
    """An id for an event that came without one: the same bytes of the same record, the same id."""
    digest = hashlib.md5(payload, usedforsecurity=False)
    digest.update(b"%d:%d:%d" % (project_id, seq, index))
    return digest.digest()
