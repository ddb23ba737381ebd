"""Spool bytes of one batch → Arrow tables and outcomes. Pure: the same bytes give the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

from groundswell.ingest import envelope, frames, items, legacy, limits, reports
from groundswell.ingest.compression import decompress
from groundswell.ingest.filters import filter_reason
from groundswell.ingest.frames import FrameKind, Meta
from groundswell.ingest.items import Judged
from groundswell.ingest.normalize.rows import build_tables
from groundswell.ingest.records import (
    KILLER,
    DigestContext,
    Group,
    Item,
    Kind,
    Outcome,
    Poisoned,
    Record,
    Rejected,
    Verdict,
)
from groundswell.telemetry import logger

log = logger("ingest.digest")

POISON = "poison"
DUPLICATE = "duplicate"


class Digested(msgspec.Struct):
    """What one batch gives. `stored` and `dropped` count items of the envelopes, `read` all.

    projects: what was read by project.
    """

    tables: dict[str, pa.Table]
    outcomes: list[Outcome]
    groups: list[Group]
    poisoned: list[Poisoned]
    stored: int = 0
    dropped: int = 0
    read: int = 0
    projects: dict[int, int] = {}


class _Rows(NamedTuple):
    tables: dict[str, list[pa.Table]]
    outcomes: list[Outcome]
    groups: list[Group]
    rejected: list[Rejected]
    poisoned: list[Poisoned]


def read_frames(
    data: Sequence[memoryview], first: int, last: int, skip: frozenset[int]
) -> Iterator[frames.Frame]:
    """Give the entries of a batch out of the bytes of its chunks."""
    for chunk in data:
        for frame in frames.scan(chunk, 0):
            if (
                isinstance(frame, frames.Frame)
                and first <= frame.seq <= last
                and frame.seq not in skip
            ):
                yield frame


def digest(
    entries: Iterator[frames.Frame],
    duplicates: frozenset[int],
    context: DigestContext,
    aside: frozenset[int] = frozenset(),
) -> Digested:
    """Turn the entries of a batch into tables. `aside`: records that are counted, not opened."""
    outcomes: list[Outcome] = []
    records: list[Record] = []
    unreadable: list[Poisoned] = []
    dropped = stored = 0
    read: Counter[int] = Counter()
    for frame in entries:
        if frame.kind is FrameKind.COUNTS:
            outcomes += [
                Outcome(*row[:4], Verdict(row[4]), *row[5:])
                for row in frames.decode_counts(frame.payload).rows
            ]
            continue

        meta, body = frames.split_record(frame.payload)
        read[meta.project_id] += meta.items
        if frame.seq in aside:
            unreadable.append(Poisoned(frame.seq, KILLER))
            outcomes.append(_lost(meta))
            dropped += meta.items
            continue

        try:
            record, judged = open_record(frame.seq, meta, bytes(body))
        except Exception as error:
            # It could be read when it was accepted: a bug, or damage that the checksum missed.
            log.error("unreadable_record", seq=frame.seq, exc_info=error)
            unreadable.append(Poisoned(frame.seq, f"{type(error).__name__}: {error}"[:500]))
            outcomes.append(_lost(meta))
            dropped += meta.items
            continue

        kept = []
        for one in judged:
            verdict = _verdict(one, record, frame.seq in duplicates, context)
            if verdict is not None:
                dropped += 1
                outcomes.append(outcome_of(record, one.category, *verdict, one.quantity))
            elif one.item.kind is Kind.CLIENT_REPORT:
                report = reports.outcomes(record, one.item)
                stored += report is not None
                dropped += report is None
                outcomes += report or [
                    outcome_of(record, one.category, Verdict.INVALID, "invalid_client_report", 1)
                ] * (report is None)
            else:
                kept.append(one.item)
        if kept:
            records.append(msgspec.structs.replace(record, items=tuple(kept)))
    rows = _build(records, context)
    outcomes += rows.outcomes
    given = sum(len(record.items) for record in records)
    lost = len({(row.seq, row.index) for row in rows.rejected})
    return Digested(
        {name: pa.concat_tables(parts) for name, parts in rows.tables.items()},
        outcomes,
        rows.groups,
        unreadable + rows.poisoned,
        stored + given - lost,
        dropped + lost,
        read.total(),
        dict(read),
    )


def open_record(seq: int, meta: Meta, body: bytes) -> tuple[Record, list[Judged]]:
    """Decompress and split a body; it was valid when it was accepted."""
    plain = decompress(body, meta.content_encoding, limits.BODY)
    parsed = legacy.wrap(plain) if meta.form == "store" else envelope.parse(plain)
    header = parsed.header
    sdk = header.sdk or envelope.Sdk()
    record = Record(
        seq=seq,
        received_at=meta.received_at,
        project_id=meta.project_id,
        key_id=meta.key_id,
        client_ip=meta.client_ip,
        user_agent=meta.user_agent,
        content_encoding=meta.content_encoding,
        body=body,
        event_id=meta.event_id,
        sent_at=envelope.parse_time(header.sent_at),
        trace=header.trace,
        sdk_name=sdk.name or "",
        sdk_version=sdk.version or "",
    )
    return record, items.judge(parsed, meta.refused)


def _verdict(
    one: Judged, record: Record, is_duplicate: bool, context: DigestContext
) -> tuple[Verdict, str] | None:
    if one.verdict is not None:
        return one.verdict, one.reason

    if is_duplicate:
        return Verdict.INVALID, DUPLICATE

    filters = context.options(record.project_id).filters
    if filters.any and (reason := filter_reason(filters, one.item, record.user_agent)):
        return Verdict.FILTERED, reason

    return None


def _lost(meta: Meta) -> Outcome:
    minute = int(meta.received_at) // 60 * 60
    ids = (meta.project_id, meta.key_id, minute)
    return Outcome(*ids, "default", Verdict.INVALID, POISON, meta.items)


def outcome_of(
    record: Record, category: str, verdict: Verdict, reason: str, quantity: int
) -> Outcome:
    """Count something that happened to a record."""
    minute = int(record.received_at) // 60 * 60
    return Outcome(record.project_id, record.key_id, minute, category, verdict, reason, quantity)


def _build(records: list[Record], context: DigestContext) -> _Rows:
    """Build the rows of records; what breaks the builder is found by halving."""
    rows = _Rows({}, [], [], [], [])
    todo = [records] if records else []
    while todo:
        part = todo.pop()
        try:
            built = build_tables(part, context)
        except Exception as error:
            if len(part) > 1:
                half = len(part) // 2
                todo += [part[half:], part[:half]]
            else:
                _poison(part[0], error, rows)
            continue

        for name, table in built.tables.items():
            if table.num_rows:
                rows.tables.setdefault(name, []).append(table)
        rows.outcomes.extend(built.outcomes)
        rows.groups.extend(built.groups)
        rows.rejected.extend(built.rejected)
    return rows


def _poison(record: Record, error: Exception, rows: _Rows) -> None:
    log.error("poison_record", seq=record.seq, project=record.project_id, exc_info=error)
    rows.poisoned.append(Poisoned(record.seq, f"{type(error).__name__}: {error}"[:500]))
    for item in record.items:
        rows.rejected.append(Rejected(record.seq, item.index, Verdict.INVALID, POISON))
        category = category_of(item)
        rows.outcomes.append(outcome_of(record, category, Verdict.INVALID, POISON, 1))


def category_of(item: Item) -> str:
    """The data category of an item that is stored."""
    if item.kind is Kind.SPANS:
        return items.SPAN_CONTAINER.category

    return limits.ITEM_TYPES.get(item.type, limits.UNKNOWN).category


def merge_groups(groups: Sequence[Group]) -> list[Group]:
    """Join what several parts of a batch saw of the same issue."""
    merged: dict[tuple[int, int], Group] = {}
    for group in groups:
        key = (group.project_id, group.primary_hash)
        known = merged.get(key)
        if known is None:
            merged[key] = group
            continue

        newer = group if group.last_seen >= known.last_seen else known
        merged[key] = msgspec.structs.replace(
            newer,
            first_seen=min(known.first_seen, group.first_seen),
            last_seen=max(known.last_seen, group.last_seen),
            count=known.count + group.count,
        )
    return list(merged.values())


def with_group_ids(table: pa.Table, ids: dict[tuple[int, int], int]) -> pa.Table:
    """Fill `group_id` of errors from the issue of (project, hash)."""
    projects = table.column("project_id").to_pylist()
    hashes = table.column("primary_hash").to_pylist()
    found = [
        ids.get((project, int.from_bytes(digest, "little")), 0)
        for project, digest in zip(projects, hashes, strict=True)
    ]
    column = pa.array(found, pa.uint64())
    at = table.schema.get_field_index("group_id")
    if at < 0:
        return table.append_column("group_id", column)

    return table.set_column(at, "group_id", column)


def outcomes_table(outcomes: Sequence[Outcome]) -> pa.Table:
    """Sum outcomes into the rows of their table."""
    sums: Counter[tuple[int, int, int, str, str, str]] = Counter()
    for one in outcomes:
        key = (one.project_id, one.minute, one.key_id, one.category, one.verdict.value, one.reason)
        sums[key] += one.quantity
    column: Callable[[int], list[object]] = lambda at: [key[at] for key in sums]  # noqa: E731
    return pa.table(
        {
            "project_id": pa.array(column(0), pa.uint64()),
            "timestamp": pa.array(column(1), pa.int64()).cast(pa.timestamp("s", "UTC")),
            "key_id": pa.array(column(2), pa.uint64()),
            "category": pa.array(column(3), pa.string()),
            "outcome": pa.array(column(4), pa.string()),
            "reason": pa.array(column(5), pa.string()),
            "quantity": pa.array(list(sums.values()), pa.uint64()),
        }
    )
