"""Saved files → envelopes: one per file, many with a length before each, JSON lines, or events.

Forms are told apart by how a file begins; each may be compressed with gzip.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, cast

import msgspec

from groundswell.cli.sentry_events import event_of
from groundswell.errors import UserError

MAX_ENVELOPE_BYTES = 256 * 1024 * 1024
_LENGTH_BYTES = 4
# Kept from the header of an envelope: its time of sending is another one now, and its DSN too.
_DROPPED = ("sent_at", "dsn")


def envelopes_of(paths: Iterable[Path], advance: Callable[[int], None]) -> Iterator[bytes]:
    """Give every envelope of some files.

    advance: called with the number of bytes read since it was called last.
    Raises UserError that names a file which is none of the forms.
    """
    for path in paths:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if is_packed else raw)
            told = 0
            try:
                for envelope in _envelopes(file):
                    yield _without_times(envelope)
                    advance(raw.tell() - told)
                    told = raw.tell()
            except (ValueError, EOFError, OSError, AttributeError, TypeError) as error:
                raise UserError(f"{path}: {error}", field="files") from None
            advance(path.stat().st_size - told)


def _envelopes(file: IO[bytes]) -> Iterator[bytes]:
    first = file.read(_LENGTH_BYTES)
    # Text holds no NUL, and no envelope is so long that its length has none.
    if b"\0" in first:
        yield from _prefixed(first, file)
        return

    first += file.readline(MAX_ENVELOPE_BYTES)
    while first and not first.strip():
        first = file.readline(MAX_ENVELOPE_BYTES)
    if not first:
        return

    try:
        head = msgspec.json.decode(first)
    except msgspec.DecodeError:
        # A document over many lines.
        yield from _events(msgspec.json.decode(first + file.read()))
        return

    if isinstance(head, dict) and "bytes_b64" in head:
        for line in itertools.chain((first,), file):
            if line.strip():
                yield _unpacked(msgspec.json.decode(line))
        return

    second = file.readline(MAX_ENVELOPE_BYTES)
    if isinstance(head, dict) and _is_item_header(second):
        yield first + second + file.read()
        return

    for line in itertools.chain((first, second), file):
        if line.strip():
            yield from _events(msgspec.json.decode(line))


def _is_item_header(line: bytes) -> bool:
    try:
        header = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False

    return isinstance(header, dict) and "type" in header and not _is_event(header)


def _is_event(value: dict[str, Any]) -> bool:
    return any(name in value for name in ("event_id", "eventID", "timestamp", "dateCreated"))


def _prefixed(begin: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """Read records of a length (4 bytes in either order) and an envelope."""
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    order = min(orders, key=lambda order: int.from_bytes(begin, order))
    length = begin
    while length:
        size = int.from_bytes(length, order)
        envelope = file.read(min(size, MAX_ENVELOPE_BYTES))
        if len(length) < _LENGTH_BYTES or len(envelope) < size or not envelope.startswith(b"{"):
            raise ValueError("it ends in the middle of an envelope, or holds something else")

        yield envelope
        length = file.read(_LENGTH_BYTES)


def _unpacked(record: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(record["bytes_b64"], validate=True)
    except (KeyError, binascii.Error):
        raise ValueError("a line has no bytes_b64 that can be read") from None


def _events(document: Any) -> Iterator[bytes]:
    """Wrap one event or a list of them."""
    for value in document if isinstance(document, list) else [document]:
        if not isinstance(value, dict) or not _is_event(value):
            raise ValueError("it is neither envelopes nor events")

        event = event_of(value)
        kind = "transaction" if event.get("type") == "transaction" else "event"
        payload = msgspec.json.encode(event)
        header = msgspec.json.encode({"event_id": event["event_id"]} if "event_id" in event else {})
        item = msgspec.json.encode({"type": kind, "length": len(payload)})
        yield b"\n".join((header, item, payload))


def _without_times(envelope: bytes) -> bytes:
    """Drop when it was sent, or its events would move to the time of the import."""
    line, newline, rest = envelope.partition(b"\n")
    try:
        header = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return envelope

    if not isinstance(header, dict):
        return envelope

    kept = {name: value for name, value in header.items() if name not in _DROPPED}
    return msgspec.json.encode(kept) + newline + rest
