"""Payloads → records → rows, as short as tests want to say it."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import msgspec

from groundswell.ingest import envelope, items
from groundswell.ingest.normalize.rows import Built, build_tables
from groundswell.ingest.records import (
    DigestContext,
    Item,
    Kind,
    ProjectOptions,
    Record,
    Scrubbing,
    TraceHeader,
)

ENVELOPES = Path(__file__).parents[3] / "data" / "envelopes"
RECEIVED = 1_795_290_500.0
TRACE_ID = "1a839738df2b4d3bbc3adbdf8939cb12"
SPAN_ID = "9e93f29005aeb223"


def record(kind: Kind, payload: Any, **fields: Any) -> Record:
    body = payload if type(payload) is bytes else msgspec.json.encode(payload)
    base = {
        "seq": 1,
        "received_at": RECEIVED,
        "project_id": 7,
        "key_id": 3,
        "client_ip": "198.51.100.7",
        "user_agent": "test",
        "content_encoding": "",
        "body": b"",
    }
    return Record(**{**base, "items": (Item(0, kind, kind.value, body),), **fields})


def build(
    kind: Kind, payload: Any, *, options: ProjectOptions | None = None, **fields: Any
) -> Built:
    context = DigestContext(default=options or ProjectOptions())
    return build_tables([record(kind, payload, **fields)], context)


def row(built: Built, table: str) -> dict[str, Any]:
    found = built.tables[table].to_pylist()
    assert len(found) == 1, (len(found), built.rejected)
    return {name: dict(value) if name in MAPS else value for name, value in found[0].items()}


MAPS = {"tags", "contexts", "measurements", "measurement_units", "breakdowns"}


def error(payload: Any = None, /, **fields: Any) -> dict[str, Any]:
    """The errors row of an event."""
    options = fields.pop("options", None)
    built = build(Kind.EVENT, fields if payload is None else payload, options=options)
    return row(built, "errors")


def transaction_payload(**fields: Any) -> dict[str, Any]:
    """A transaction of 400 ms that ended 10 s before it was received."""
    return {
        "type": "transaction",
        "transaction": "/checkout",
        "transaction_info": {"source": "route"},
        "start_timestamp": RECEIVED - 10.4,
        "timestamp": RECEIVED - 10,
        "contexts": {"trace": {"trace_id": TRACE_ID, "span_id": SPAN_ID, "op": "http.server"}},
        "platform": "python",
        **fields,
    }


def transaction(**fields: Any) -> dict[str, Any]:
    """The transactions row of a payload with these fields."""
    options = fields.pop("options", None)
    return row(
        build(Kind.TRANSACTION, transaction_payload(**fields), options=options), "transactions"
    )


def span_payload(number: int, start: float, end: float, **fields: Any) -> dict[str, Any]:
    """A span with times in seconds after the start of `spanned`'s transaction."""
    origin = RECEIVED - 100
    return {
        "trace_id": TRACE_ID,
        "span_id": f"{number:016x}",
        "parent_span_id": SPAN_ID,
        "start_timestamp": origin + start,
        "timestamp": origin + end,
        **fields,
    }


def spanned(spans: list[Any], length: float = 5.0, **fields: Any) -> Built:
    origin = RECEIVED - 100
    payload = transaction_payload(
        start_timestamp=origin, timestamp=origin + length, spans=spans, **fields
    )
    return build(Kind.TRANSACTION, payload)


def scrubbing(**rules: Any) -> ProjectOptions:
    return ProjectOptions(scrubbing=Scrubbing(**rules))


def captured(name: str) -> list[Record]:
    """The envelopes of a fixture as records, without those that break the grammar."""
    records = []
    with gzip.open(ENVELOPES / f"{name}.jsonl.gz", "rt") as lines:
        for seq, line in enumerate(lines):
            entry = json.loads(line)
            if entry.get("name", "").startswith("BAD_"):
                continue
            parsed = envelope.parse(base64.b64decode(entry["bytes_b64"]))
            records.append(
                record(
                    Kind.EVENT,
                    b"",
                    seq=seq,
                    event_id=parsed.event_id,
                    sent_at=envelope.parse_time(parsed.header.sent_at),
                    trace=parsed.header.trace or TraceHeader(),
                    items=tuple(j.item for j in items.judge(parsed) if j.kept),
                )
            )
    return records
