"""Client reports → outcomes: what SDKs threw away before sending, and why."""

from __future__ import annotations

from typing import Annotated

import msgspec

from groundswell.ingest import limits
from groundswell.ingest.records import Item, Outcome, Record, Verdict

MAX_REASON = 200
_Quantity = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Discarded(msgspec.Struct, frozen=True):
    reason: str = ""
    category: str = "default"
    quantity: _Quantity = 0


class _Report(msgspec.Struct, frozen=True):
    discarded_events: tuple[_Discarded, ...] = ()
    rate_limited_events: tuple[_Discarded, ...] = ()
    filtered_events: tuple[_Discarded, ...] = ()
    filtered_sampling_events: tuple[_Discarded, ...] = ()


_report = msgspec.json.Decoder(_Report)


def outcomes(record: Record, item: Item) -> list[Outcome] | None:
    """Read a client report; None when it cannot be read."""
    try:
        report = _report.decode(item.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None

    minute = int(record.received_at) // 60 * 60
    rows = (
        *report.discarded_events,
        *report.rate_limited_events,
        *report.filtered_events,
        *report.filtered_sampling_events,
    )
    return [
        Outcome(
            record.project_id,
            record.key_id,
            minute,
            row.category if row.category in limits.CATEGORIES else "default",
            Verdict.CLIENT_DISCARD,
            row.reason[:MAX_REASON],
            row.quantity,
        )
        for row in rows
        if row.quantity
    ]
