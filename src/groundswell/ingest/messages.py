"""What the serving process and a digest worker say to each other: msgpack with a length before."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO, TypeAlias

import msgspec

from groundswell.ingest.records import DigestContext, Group, Poisoned


class Job(msgspec.Struct, frozen=True, tag=True):
    """Digest a batch: read `chunks` (path, begin, end), write files that begin with `prefix`.

    context: None when it is the one of the job before. `is_probe`: write nothing.
    skip: records that are left out. aside: records that only count, as dropped.
    """

    number: int
    prefix: str
    chunks: tuple[tuple[str, int, int], ...]
    first: int
    last: int
    duplicates: tuple[int, ...] = ()
    skip: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()
    context: DigestContext | None = None
    is_probe: bool = False


class Ids(msgspec.Struct, frozen=True, tag=True):
    """The issue ids of the groups just sent, in their order."""

    ids: tuple[int, ...]


class Seen(msgspec.Struct, frozen=True, tag=True):
    """The issues of a batch; the worker waits for their ids.

    A hash has 128 bits, more than an integer of msgpack: it travels as bytes beside its group.
    """

    groups: tuple[Group, ...]
    hashes: tuple[bytes, ...]

    @classmethod
    def of(cls, groups: Sequence[Group]) -> Seen:
        return cls(
            tuple(msgspec.structs.replace(group, primary_hash=0) for group in groups),
            tuple(group.primary_hash.to_bytes(16, "little") for group in groups),
        )

    def restored(self) -> list[Group]:
        """The groups with their hashes."""
        return [
            msgspec.structs.replace(group, primary_hash=int.from_bytes(digest, "little"))
            for group, digest in zip(self.groups, self.hashes, strict=True)
        ]


class Done(msgspec.Struct, frozen=True, tag=True):
    """A batch is written: table → (path, rows). Counts are items, `read` all that were there to
    be stored or dropped; outcomes count per (category, verdict, reason).

    projects: what was read by project. unreadable: what was accepted and was not there to read.
    """

    files: dict[str, tuple[str, int]]
    stored: int
    dropped: int
    read: int
    poisoned: tuple[Poisoned, ...] = ()
    outcomes: tuple[tuple[str, str, str, int], ...] = ()
    projects: tuple[tuple[int, int], ...] = ()
    unreadable: tuple[tuple[int, int], ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A batch could not be digested for a reason that is not in a record (a full disk, …)."""

    reason: str


ToWorker: TypeAlias = Job | Ids
FromWorker: TypeAlias = Seen | Done | Failed
LENGTH = struct.Struct("<I")
_encoder = msgspec.msgpack.Encoder()
to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def pack(message: ToWorker | FromWorker) -> bytes:
    """Encode a message with its length before it."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> ToWorker | None:
    """Read the next message to a worker; None at the end of the stream. Blocks."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None

    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return to_worker.decode(body) if len(body) == length else None
