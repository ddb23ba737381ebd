"""Envelope bytes → header and framed items, to the letter of the grammar.

A broken frame breaks the envelope (Malformed); what is inside an item is not looked at here.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from groundswell.errors import UserError
from groundswell.ingest import limits
from groundswell.ingest.records import TraceHeader

ZERO_ID = "0" * 32


class Malformed(UserError):
    """Raised when bytes are not an envelope; the text says at which part."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_envelope")


class Sdk(msgspec.Struct, frozen=True):
    name: str | None = None
    version: str | None = None


class Header(msgspec.Struct, frozen=True):
    """The envelope's own header; unknown keys are allowed."""

    event_id: str | None = None
    dsn: str | None = None
    sent_at: str | None = None
    sdk: Sdk | None = None
    trace: TraceHeader | None = None


class ItemHeader(msgspec.Struct, frozen=True):
    """The header of one item; only `type` must be there."""

    type: str
    length: int | None = None
    content_type: str | None = None
    item_count: int | None = None
    platform: str | None = None


class Frame(msgspec.Struct, frozen=True):
    """One item as framed: its header and where its payload is in the body."""

    header: ItemHeader
    payload: bytes


class Envelope(msgspec.Struct, frozen=True):
    """An envelope. `event_id`: 32 hex digits or "" when absent or all zeros."""

    header: Header
    event_id: str
    frames: tuple[Frame, ...]


_header = msgspec.json.Decoder(Header)
_item_header = msgspec.json.Decoder(ItemHeader)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse(body: bytes) -> Envelope:
    """Split an envelope. Raises Malformed."""
    if not body:
        raise Malformed("Envelope is empty.")

    end = body.find(b"\n")
    line = body if end < 0 else body[:end]
    header = _parse_header(line.removeprefix(b"\xef\xbb\xbf"))
    event_id = normal_id(header.event_id) if header.event_id is not None else ""
    position = len(body) if end < 0 else end + 1
    frames: list[Frame] = []
    while position < len(body):
        frame, position = _frame(body, position, len(frames))
        frames.append(frame)
        if len(frames) > limits.ITEMS_PER_ENVELOPE:
            raise Malformed(f"Envelope holds more than {limits.ITEMS_PER_ENVELOPE} items.")

    return Envelope(header, event_id, tuple(frames))


def normal_id(text: str) -> str:
    """A UUID of 32 hex digits, or 36 characters with dashes → 32 lower hex digits; zeros → ""."""
    plain = text.replace("-", "") if len(text) == 36 else text
    try:
        if len(plain) != 32 or not plain.isascii() or not plain.isalnum():
            raise ValueError(text)

        int(plain, 16)
    except ValueError:
        raise Malformed(f"Event id {text[:64]!r} is not a UUID of 32 hex digits.") from None

    plain = plain.lower()
    return "" if plain == ZERO_ID else plain


def parse_time(text: str | None) -> float | None:
    """RFC 3339 → unix seconds, None when absent or unreadable (then there is no drift)."""
    if not text:
        return None

    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def _parse_header(line: bytes) -> Header:
    _check_line(line, "Envelope header")
    if line.count(b'"sent_at"') > 1:
        raise Malformed("Envelope header names sent_at twice.")

    try:
        return _header.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _lenient_header(line)


def _lenient_header(line: bytes) -> Header:
    """Keep an object whose side parts have wrong types; refuse what is no JSON object."""
    try:
        parts = _object.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed("Envelope header is not a JSON object on one line.") from None

    def part(name: str, kind: type) -> object:
        try:
            return msgspec.json.decode(parts[name], type=kind | None) if name in parts else None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            if name == "event_id":
                raise Malformed("Envelope header: event_id is not a string.") from None

            return None

    return Header(
        event_id=part("event_id", str),  # type: ignore[arg-type]
        dsn=part("dsn", str),  # type: ignore[arg-type]
        sent_at=part("sent_at", str),  # type: ignore[arg-type]
        sdk=part("sdk", Sdk),  # type: ignore[arg-type]
        trace=part("trace", TraceHeader),  # type: ignore[arg-type]
    )


def _frame(body: bytes, start: int, number: int) -> tuple[Frame, int]:
    end = body.find(b"\n", start)
    line = body[start:] if end < 0 else body[start:end]
    if not line:
        raise Malformed(f"Item {number} has an empty header line.")

    header = _parse_item_header(line, number)
    begin = len(body) if end < 0 else end + 1
    if header.length is None:
        stop = body.find(b"\n", begin)
        stop = len(body) if stop < 0 else stop
        return Frame(header, body[begin:stop]), stop + 1

    if header.length < 0 or header.length > len(body) - begin:
        raise Malformed(f"Item {number} says {header.length} bytes, {len(body) - begin} are there.")

    stop = begin + header.length
    if stop < len(body) and body[stop] != 0x0A:
        raise Malformed(f"Item {number}: its {header.length} bytes do not end at a newline.")

    return Frame(header, body[begin:stop]), stop + 1


def _parse_item_header(line: bytes, number: int) -> ItemHeader:
    _check_line(line, f"Header of item {number}")
    try:
        return _item_header.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass

    try:
        parts = _object.decode(line)
        strict = ItemHeader(
            type=msgspec.json.decode(parts["type"], type=str),
            length=msgspec.json.decode(parts.get("length", b"null"), type=int | None),
        )
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, KeyError):
        raise Malformed(
            f"Header of item {number} must be a JSON object with a type and a whole length."
        ) from None

    return strict


def _check_line(line: bytes, what: str) -> None:
    if len(line) > limits.HEADER_LINE:
        raise Malformed(f"{what} is longer than {limits.HEADER_LINE} bytes.")
