"""The one event of the legacy /store/ endpoint → an envelope of one item.

Old clients packed the JSON with zlib and wrote it in base64, without saying so in a header.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from groundswell.ingest import limits
from groundswell.ingest.compression import Corrupt, decompress
from groundswell.ingest.envelope import Envelope, Frame, Header, ItemHeader, Malformed, normal_id
from groundswell.ingest.normalize.payloads import Undecodable, decode_object

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}\s*")


class _StoreEvent(msgspec.Struct, frozen=True):
    type: str | None = None
    event_id: str | None = None


def wrap(plain: bytes) -> Envelope:
    """Wrap the one event of the legacy endpoint. Raises Malformed, TooLarge."""
    payload = _unpacked(plain)
    try:
        event = msgspec.json.decode(payload, type=_StoreEvent)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        event = _lenient(payload)
    kind = "transaction" if event.type == "transaction" else "event"
    event_id = normal_id(event.event_id) if event.event_id else ""
    frame = Frame(ItemHeader(kind), payload)
    return Envelope(Header(), event_id, (frame,))


def _unpacked(plain: bytes) -> bytes:
    if not _BASE64.fullmatch(plain):
        return _inflated(plain)

    text = plain.strip().translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return _inflated(base64.b64decode(text + b"=" * (-len(text) % 4)))
    except binascii.Error:
        return plain


def _inflated(data: bytes) -> bytes:
    encoding = {b"\x78": "deflate", b"\x1f": "gzip"}.get(data[:1])
    if encoding is None:
        return data

    try:
        return decompress(data, encoding, limits.BODY)
    except Corrupt:
        raise Malformed("Body is not a JSON event.") from None


def _lenient(payload: bytes) -> _StoreEvent:
    """What the digest forgives in an event, such as NaN or a field of a wrong type, is taken."""
    try:
        event = decode_object(payload)
    except Undecodable:
        raise Malformed("Body is not a JSON event.") from None

    kind, event_id = event.get("type"), event.get("event_id")
    return _StoreEvent(
        kind if isinstance(kind, str) else None, event_id if isinstance(event_id, str) else None
    )
