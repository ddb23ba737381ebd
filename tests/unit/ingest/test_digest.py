"""A batch of spool entries → tables and outcomes; what breaks is set aside alone."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pyarrow as pa
import pytest

from groundswell.ingest import digest as digest_module
from groundswell.ingest import frames
from groundswell.ingest.digest import Digested, digest, merge_groups, outcomes_table
from groundswell.ingest.frames import Counts, Frame, FrameKind, Meta
from groundswell.ingest.records import (
    DigestContext,
    Filters,
    Group,
    Outcome,
    ProjectOptions,
    Record,
    Verdict,
)

NOW = 1_790_000_000.0
CONTEXT = DigestContext(
    projects={2: ProjectOptions(filters=Filters(error_messages=("unwanted*",)))}
)


def _event(message: str) -> bytes:
    return b'{"type":"event"}\n' + json.dumps({"message": message}).encode() + b"\n"


def _frame(seq: int, body: bytes, *, project: int = 1, **meta: Any) -> Frame:
    event_id = uuid.UUID(int=seq).hex
    made = Meta(NOW, project, 9, "", "", "", event_id, 1, True, **meta)
    parts = frames.record_parts(made, b'{"event_id":"%b"}\n' % event_id.encode() + body)
    return Frame(FrameKind.RECORD, seq, memoryview(b"".join(parts)), 0, 0)


def _digest(*entries: Frame, duplicates: frozenset[int] = frozenset()) -> Digested:
    return digest(iter(entries), duplicates, CONTEXT)


def _outcomes(done: Digested) -> set[tuple[str, str, str, int]]:
    return {
        (row["category"], row["outcome"], row["reason"], row["quantity"])
        for row in outcomes_table(done.outcomes).to_pylist()
    }


def test_every_item_has_one_fate() -> None:
    report = (
        b'{"type":"client_report"}\n'
        b'{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":2}]}\n'
    )
    done = _digest(
        _frame(1, _event("a") + report + b'{"type":"session"}\n{}\n'),
        _frame(2, _event("b")),
        _frame(3, _event("unwanted thing"), project=2),
        _frame(4, _event("c"), refused=("error",)),
        _frame(5, b'{"type":"event"}\n[1]\n'),
        duplicates=frozenset({2}),
    )
    assert done.tables["errors"].num_rows == 1
    assert (done.stored, done.dropped) == (2, 5)
    found = _outcomes(done)
    assert ("error", "accepted", "", 1) in found
    assert ("error", "client_discard", "sample_rate", 2) in found
    assert ("session", "filtered", "unsupported:sessions", 1) in found
    assert ("error", "invalid", "duplicate", 1) in found
    assert ("error", "filtered", "error-message", 1) in found
    assert ("error", "rate_limited", "rate_limit", 1) in found
    assert len([row for row in found if row[1] == "invalid"]) == 2


def test_counts_of_the_door_become_outcomes() -> None:
    rows = ((1, 9, 60, "error", "rate_limited", "rate_limit", 7),)
    payload = memoryview(frames.encode(Counts(rows)))
    done = _digest(Frame(FrameKind.COUNTS, 1, payload, 0, 0))
    assert done.outcomes == [Outcome(1, 9, 60, "error", Verdict.RATE_LIMITED, "rate_limit", 7)]
    assert (done.stored, done.dropped) == (0, 0)


def test_the_same_bytes_give_the_same_rows() -> None:
    def tables() -> dict[str, pa.Table]:
        return _digest(_frame(1, _event("a")), _frame(2, _event("b"))).tables

    assert tables() == tables()


def test_a_record_that_breaks_the_builder_is_found_and_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No known input breaks the builder, so it is broken here for one record."""
    build = digest_module.build_tables

    def breaking(records: list[Record], context: DigestContext) -> Any:
        if any(record.seq == 3 for record in records):
            raise ZeroDivisionError("three")

        return build(records, context)

    monkeypatch.setattr(digest_module, "build_tables", breaking)
    done = _digest(*(_frame(seq, _event(f"m{seq}")) for seq in range(1, 8)))
    assert done.tables["errors"].num_rows == 6
    assert [(row.seq, row.reason) for row in done.poisoned] == [(3, "ZeroDivisionError: three")]
    assert (done.stored, done.dropped) == (6, 1)
    assert ("error", "invalid", "poison", 1) in _outcomes(done)


def test_a_body_that_can_no_longer_be_read_is_set_aside() -> None:
    meta = Meta(NOW, 1, 9, "", "", "gzip", uuid.UUID(int=1).hex, 3, True)
    payload = memoryview(b"".join(frames.record_parts(meta, b"no gzip")))
    done = _digest(Frame(FrameKind.RECORD, 1, payload, 0, 0), _frame(2, _event("a")))
    assert [row.seq for row in done.poisoned] == [1]
    assert (done.stored, done.dropped) == (1, 3)


def test_a_store_body_is_one_event() -> None:
    made = Meta(NOW, 1, 9, "", "", "", uuid.UUID(int=1).hex, 1, True, (), "store")
    payload = b"".join(frames.record_parts(made, b'{"message":"old"}'))
    done = _digest(Frame(FrameKind.RECORD, 1, memoryview(payload), 0, 0))
    assert done.tables["errors"].column("message").to_pylist() == ["old"]


def test_groups_of_several_parts_are_joined() -> None:
    def group(last_seen: float, title: str) -> Group:
        return Group(1, 5, title, "", "error", "error", "python", last_seen, last_seen, 2)

    (merged,) = merge_groups([group(5.0, "old"), group(9.0, "new"), group(3.0, "older")])
    assert (merged.title, merged.first_seen, merged.last_seen, merged.count) == ("new", 3.0, 9.0, 6)
