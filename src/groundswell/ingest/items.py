"""Framed items → what each one is, and why it is not stored where it is not.

The door and the digest both ask here, so that they agree; nothing here looks into a payload.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from groundswell.ingest import limits
from groundswell.ingest.envelope import Envelope, Frame
from groundswell.ingest.records import Item, Kind, Verdict

SPAN_CONTAINER = limits.ItemType(Kind.SPANS, "span", 12 * limits.MIB, 1)
_CONTAINER_TYPE = "application/vnd.sentry.items.span.v2+json"
_REASON_NAMES = {"session": "sessions"}


class Judged(msgspec.Struct, frozen=True):
    """An item with its data category, and its verdict and reason if it is not to be stored."""

    item: Item
    category: str
    quantity: int = 1
    verdict: Verdict | None = None
    reason: str = ""

    @property
    def kept(self) -> bool:
        return self.verdict is None


def judge(envelope: Envelope, refused: Collection[str] = ()) -> list[Judged]:
    """Decide on every item of an envelope. `refused`: categories over a rate limit ("" for all)."""
    seen: Counter[str] = Counter()
    judged = []
    for index, frame in enumerate(envelope.frames):
        row = item_type(frame)
        name = frame.header.type
        key = row.kind.value if row.kind is Kind.SPANS else name
        seen[key] += 1
        quantity = _quantity(frame)
        verdict, reason = _verdict(row, name, len(frame.payload), seen[key], refused)
        item = Item(
            index,
            row.kind,
            name,
            frame.payload,
            frame.header.item_count,
            frame.header.platform or "",
            frame.header.content_type or "",
        )
        judged.append(Judged(item, row.category, quantity, verdict, reason))
    return judged


def item_type(frame: Frame) -> limits.ItemType:
    """Find the row of the limits table for an item."""
    header = frame.header
    if header.type == "span" and (
        header.item_count is not None or (header.content_type or "").startswith(_CONTAINER_TYPE)
    ):
        return SPAN_CONTAINER

    return limits.ITEM_TYPES.get(header.type, limits.UNKNOWN)


def _quantity(frame: Frame) -> int:
    count = frame.header.item_count
    # A count is a claim of the sender: never more things than bytes.
    return 1 if count is None or count < 1 else min(count, len(frame.payload) + 1)


def _verdict(
    row: limits.ItemType, name: str, size: int, number: int, refused: Collection[str]
) -> tuple[Verdict | None, str]:
    if row.kind is Kind.UNKNOWN:
        return Verdict.FILTERED, "unsupported:unknown"

    if size > row.max_bytes:
        return Verdict.INVALID, f"too_large:{name}"

    if row.per_envelope and number > row.per_envelope:
        return Verdict.INVALID, f"too_many:{name}"

    if row.category in refused or ("" in refused and row.kind is not Kind.CLIENT_REPORT):
        return Verdict.RATE_LIMITED, "rate_limit"

    if row.kind is Kind.UNSUPPORTED:
        return Verdict.FILTERED, f"unsupported:{_REASON_NAMES.get(name, name)}"

    return None, ""
