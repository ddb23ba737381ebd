"""The bytes of a spool segment: a header, then frames with a checksum each.

A frame: magic · crc32 of all that follows · length of the payload · kind · sequence number ·
payload. Records and counts carry a sequence number of their own, cuts and verdicts carry 0.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from groundswell.ingest import limits

SEGMENT_MAGIC = b"GSWSEG01"
FRAME_MAGIC = b"\xf5\x9dGs"
_FRAME = struct.Struct("<4sIIBQ")
_CHECKED = struct.Struct("<IBQ")
FRAME_OVERHEAD = _FRAME.size
_SEGMENT = struct.Struct("<8sQQQdI")
SEGMENT_OVERHEAD = _SEGMENT.size
MAX_PAYLOAD = 128 * 1024 * 1024


class FrameKind(IntEnum):
    """What a frame holds."""

    RECORD = 1
    CUT = 2
    COUNTS = 3


class SegmentHeader(NamedTuple):
    """`accepted_before`: items accepted in all segments before this one."""

    number: int
    first_seq: int
    accepted_before: int
    created_at: float


class Frame(NamedTuple):
    """A valid frame and where it is in its segment."""

    kind: FrameKind
    seq: int
    payload: memoryview
    offset: int
    end: int


class Damage(NamedTuple):
    """Bytes that are no frame. `is_tail`: nothing valid follows, as after a crash mid-write."""

    offset: int
    end: int
    is_tail: bool


class Meta(msgspec.Struct, frozen=True, array_like=True):
    """What is kept beside a body. `refused`: categories that were over a rate limit.

    content: hash of the items of an envelope without an event, which has no id to know it by.
    """

    received_at: float
    project_id: int
    key_id: int
    client_ip: str
    user_agent: str
    content_encoding: str
    event_id: str
    items: int
    is_event: bool = False
    refused: tuple[str, ...] = ()
    form: str = "envelope"
    content: str = ""


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """A batch: every record from `first` to `last`, without those whose event came before."""

    number: int
    first: int
    last: int
    duplicates: tuple[int, ...] = ()


class Counts(msgspec.Struct, frozen=True, array_like=True):
    """What the door refused: (project, key, minute, category, verdict, reason, quantity)."""

    rows: tuple[tuple[int, int, int, str, str, str, int], ...]


_encode = msgspec.msgpack.Encoder().encode
_meta = msgspec.msgpack.Decoder(Meta)
_cut = msgspec.msgpack.Decoder(Cut)
_counts = msgspec.msgpack.Decoder(Counts)
_META_LENGTH = struct.Struct("<H")


def pack_frame(kind: FrameKind, seq: int, parts: tuple[bytes, ...]) -> list[bytes]:
    """Frame a payload given in parts; the result goes to writev as it is."""
    length = sum(map(len, parts))
    crc = zlib.crc32(_CHECKED.pack(length, kind, seq))
    for part in parts:
        crc = zlib.crc32(part, crc)
    return [_FRAME.pack(FRAME_MAGIC, crc, length, kind, seq), *parts]


def record_parts(meta: Meta, body: bytes) -> tuple[bytes, ...]:
    """Encode a record's payload."""
    encoded = _encode(meta)
    return (_META_LENGTH.pack(len(encoded)), encoded, body)


def split_record(payload: memoryview) -> tuple[Meta, memoryview]:
    """Decode a record's payload; the body stays a view."""
    (length,) = _META_LENGTH.unpack_from(payload)
    begin = _META_LENGTH.size
    return _meta.decode(payload[begin : begin + length]), payload[begin + length :]


def encode(value: Cut | Counts) -> bytes:
    return _encode(value)


def decode_cut(payload: memoryview) -> Cut:
    return _cut.decode(payload)


def decode_counts(payload: memoryview) -> Counts:
    return _counts.decode(payload)


def pack_segment_header(header: SegmentHeader) -> bytes:
    packed = _SEGMENT.pack(SEGMENT_MAGIC, *header, 0)[:-4]
    return packed + struct.pack("<I", zlib.crc32(packed))


def read_segment_header(data: memoryview) -> SegmentHeader | None:
    """Give the header of a segment, or None where it is damaged."""
    if len(data) < SEGMENT_OVERHEAD:
        return None

    magic, number, first_seq, accepted_before, created_at, crc = _SEGMENT.unpack_from(data)
    if magic != SEGMENT_MAGIC or crc != zlib.crc32(data[: SEGMENT_OVERHEAD - 4]):
        return None

    return SegmentHeader(number, first_seq, accepted_before, created_at)


def scan(data: memoryview, start: int = SEGMENT_OVERHEAD) -> Iterator[Frame | Damage]:
    """Walk the frames of a segment; after damage, go on at the next valid frame."""
    position = start
    while position < len(data):
        frame = _frame_at(data, position)
        if frame is None:
            found = _next_frame(data, position + 1)
            yield Damage(position, len(data) if found is None else found, found is None)
            if found is None:
                return

            position = found
            continue

        yield frame
        position = frame.end


def _frame_at(data: memoryview, position: int) -> Frame | None:
    if position + FRAME_OVERHEAD > len(data):
        return None

    magic, crc, length, kind, seq = _FRAME.unpack_from(data, position)
    end = position + FRAME_OVERHEAD + length
    if magic != FRAME_MAGIC or length > MAX_PAYLOAD or end > len(data) or kind not in _KINDS:
        return None

    payload = data[position + FRAME_OVERHEAD : end]
    if zlib.crc32(payload, zlib.crc32(_CHECKED.pack(length, kind, seq))) != crc:
        return None

    return Frame(FrameKind(kind), seq, payload, position, end)


def salvaged(data: memoryview, damage: Damage) -> Iterator[Meta]:
    """Read whose records damaged bytes were, as far as their beginnings can still be read.

    What nothing valid follows was never acknowledged, and gives none.
    """
    position = damage.offset
    while not damage.is_tail and position + FRAME_OVERHEAD <= damage.end:
        magic, _, length, kind, _ = _FRAME.unpack_from(data, position)
        begin, end = position + FRAME_OVERHEAD, position + FRAME_OVERHEAD + length
        if magic != FRAME_MAGIC or kind != FrameKind.RECORD or end > damage.end:
            return

        try:
            meta, _ = split_record(data[begin:end])
        except (msgspec.DecodeError, UnicodeDecodeError, struct.error):
            return

        if 0 < meta.items <= limits.ITEMS_PER_ENVELOPE:
            yield meta
        position = end


_KINDS = frozenset(map(int, FrameKind))


def _next_frame(data: memoryview, start: int) -> int | None:
    raw = data.obj
    find = raw.find if isinstance(raw, bytes) else bytes(data).find
    position = find(FRAME_MAGIC, start)
    while position >= 0:
        if _frame_at(data, position) is not None:
            return position

        position = find(FRAME_MAGIC, position + 1)
    return None
