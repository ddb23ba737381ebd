"""The one event of the legacy /store/ endpoint → an envelope of one item."""

from __future__ import annotations

import msgspec

from groundswell.ingest.envelope import Envelope, Frame, Header, ItemHeader, Malformed, normal_id


class _StoreEvent(msgspec.Struct, frozen=True):
    type: str | None = None
    event_id: str | None = None


def wrap(plain: bytes) -> Envelope:
    """Wrap the one event of the legacy endpoint. Raises Malformed."""
    try:
        event = msgspec.json.decode(plain, type=_StoreEvent)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed("Body is not a JSON event.") from None

    kind = "transaction" if event.type == "transaction" else "event"
    event_id = normal_id(event.event_id) if event.event_id else ""
    frame = Frame(ItemHeader(kind), plain)
    return Envelope(Header(), event_id, (frame,))
