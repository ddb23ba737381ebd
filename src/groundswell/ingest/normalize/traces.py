"""Segments with their spans → the transactions and spans tables; times, self time and breakdowns
of the whole batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.ingest.normalize import columns
from groundswell.ingest.normalize.descriptions import Description
from groundswell.ingest.normalize.identity import span_numbers, uuid_bytes
from groundswell.ingest.normalize.intervals import parent_positions, self_times, union_lengths
from groundswell.ingest.normalize.measurements import measured
from groundswell.ingest.normalize.payloads import Span
from groundswell.ingest.normalize.segments import Segment
from groundswell.ingest.normalize.shapes import mapping, number
from groundswell.ingest.normalize.span_attributes import SpanAttributes
from groundswell.ingest.normalize.times import ABSENT, AHEAD_US, DAY_US, Micros, micros_of
from groundswell.model.statuses import status

BREAKDOWN_OPS = ("http", "db", "browser", "resource", "ui")
TOTAL_TIME = "total.time"
_DISPLAYS = (("ttid", "time_to_initial_display"), ("ttfd", "time_to_full_display"))
_MAX_DURATION_MS = (1 << 32) - 1


@dataclass(slots=True)
class Traces:
    """The two tables, the segments they were made of, and those refused with the reason."""

    transactions: pa.Table
    spans: pa.Table
    kept: list[Segment]
    refused: list[tuple[Segment, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Timeline:
    """Times of segments and of their spans (flat, in order), in microseconds."""

    start: Micros
    end: Micros
    span_start: Micros
    span_end: Micros
    owner: npt.NDArray[np.int64]


def build_traces(segments: list[Segment]) -> Traces:
    """Check and place every segment in time, then build both tables. Refused ones give no row."""
    if not segments:
        return Traces(columns.empty(columns.TRANSACTIONS), columns.empty(columns.SPANS), [], [])
    timeline = _read_times(segments)
    reasons = _judge(segments, timeline)
    kept = [s for s, reason in zip(segments, reasons, strict=True) if not reason]
    refused = [(s, reason) for s, reason in zip(segments, reasons, strict=True) if reason]
    if refused:
        timeline = _without(timeline, np.array([not r for r in reasons], dtype=bool))
    spans = [span for segment in kept for span in segment.spans]
    span_ids = span_numbers([s.span_id for s in spans])
    parent_ids = _parent_numbers(spans)
    own, segment_own = _exclusive(kept, spans, timeline, span_ids, parent_ids)
    breakdowns = _breakdowns(spans, timeline, len(kept))
    transactions = _transactions(kept, timeline, segment_own, breakdowns)
    table = _spans(kept, spans, timeline, span_ids, parent_ids, own)
    return Traces(transactions, table, kept, refused)


def _read_times(segments: list[Segment]) -> _Timeline:
    counts = [len(s.spans) for s in segments]
    owner = np.repeat(np.arange(len(segments), dtype=np.int64), counts)
    shift = np.array([s.shift_us for s in segments], dtype=np.int64)
    return _Timeline(
        _shifted(micros_of([s.start for s in segments]), shift),
        _shifted(micros_of([s.end for s in segments]), shift),
        _shifted(micros_of([p.start_timestamp for s in segments for p in s.spans]), shift[owner]),
        _shifted(micros_of([p.timestamp for s in segments for p in s.spans]), shift[owner]),
        owner,
    )


def _shifted(times: Micros, shift: Micros) -> Micros:
    return np.where(times == ABSENT, ABSENT, times + shift)


def _judge(segments: list[Segment], line: _Timeline) -> list[str]:
    """Why each segment is refused ('' if it is not). Pulls those from the future back to now."""
    received = np.array([s.received_us for s in segments], dtype=np.int64)
    known = (line.start != ABSENT) & (line.end != ABSENT)
    valid = known & (line.end >= line.start)
    sound = (
        (line.span_start != ABSENT)
        & (line.span_end != ABSENT)
        & (line.span_end >= line.span_start)
        & np.fromiter(
            (p.trace_id is not None and p.span_id is not None for s in segments for p in s.spans),
            dtype=bool,
            count=len(line.owner),
        )
    )
    valid[line.owner[~sound]] = False
    ahead = np.where(valid & (line.end > received + AHEAD_US), received - line.end, 0)
    if ahead.any():
        line.start, line.end = line.start + ahead, line.end + ahead
        line.span_start = line.span_start + ahead[line.owner]
        line.span_end = line.span_end + ahead[line.owner]
    oldest = received - DAY_US * np.array([s.retention_days for s in segments], dtype=np.int64)
    reasons = np.where(~valid, "invalid_transaction", np.where(line.end < oldest, "too_old", ""))
    return [str(r) for r in reasons]


def _without(line: _Timeline, keep: npt.NDArray[np.bool_]) -> _Timeline:
    spans = keep[line.owner]
    renumbered = np.cumsum(keep) - 1
    return _Timeline(
        line.start[keep],
        line.end[keep],
        line.span_start[spans],
        line.span_end[spans],
        renumbered[line.owner[spans]],
    )


def _parent_numbers(spans: list[Span]) -> npt.NDArray[np.uint64]:
    return span_numbers([s.parent_span_id or "0000000000000000" for s in spans])


def _exclusive(
    kept: list[Segment],
    spans: list[Span],
    line: _Timeline,
    span_ids: npt.NDArray[np.uint64],
    parent_ids: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Self times in ms, of spans and of segments. Segments come first among the nodes, so that a
    segment span that was sent itself stands for its segment.
    """
    segments = len(kept)
    owners = [*range(segments), *line.owner.tolist()]
    ids = [*(s.span_id for s in kept), *span_ids.tolist()]
    parents = parent_positions(owners, ids, [*([0] * segments), *parent_ids.tolist()])
    own = self_times(
        np.concatenate((line.start, line.span_start)),
        np.concatenate((line.end, line.span_end)),
        parents,
    )
    own_ms = own / 1000.0
    segment_own = own_ms[:segments].copy()
    span_own = own_ms[segments:]
    if any(s.is_streamed for s in kept):
        for place, (owner, span) in enumerate(zip(owners[segments:], spans, strict=True)):
            if not kept[owner].is_streamed:
                continue
            sent = number(span.exclusive_time)
            if sent is not None and sent >= 0:
                span_own[place] = sent
            if span.is_segment is True:
                segment_own[owner] = span_own[place]
    for place, segment in enumerate(kept):
        if segment.exclusive_time is not None and segment.exclusive_time >= 0:
            segment_own[place] = segment.exclusive_time
    return span_own, segment_own


def _breakdowns(spans: list[Span], line: _Timeline, segments: int) -> list[dict[str, float]]:
    """Time per op family, and in total, that the spans of each segment cover."""
    if not spans:
        return [{} for _ in range(segments)]
    numbers: dict[str, int] = {op: i for i, op in enumerate(BREAKDOWN_OPS)}
    family: dict[str, int] = {}
    codes = np.empty(len(spans), dtype=np.int64)
    for place, span in enumerate(spans):
        op = span.op or "default"
        code = family.get(op)
        if code is None:
            code = next((i for i, p in enumerate(BREAKDOWN_OPS) if op.startswith(p)), -1)
            if code < 0:
                code = numbers.setdefault(op, len(numbers))
            family[op] = code
        codes[place] = code
    width = len(numbers)
    # A segment that was sent as a span is the whole, not a part of it.
    part = np.array([s.is_segment is not True for s in spans], dtype=bool)
    keys, groups = np.unique(line.owner[part] * width + codes[part], return_inverse=True)
    covered = union_lengths(groups, line.span_start[part], line.span_end[part], len(keys)) / 1000.0
    found: list[dict[str, float]] = [{} for _ in range(segments)]
    for key, value in zip(keys.tolist(), covered.tolist(), strict=True):
        owner, code = divmod(key, width)
        row = found[owner]
        if code < len(BREAKDOWN_OPS):
            row[BREAKDOWN_OPS[code]] = value
        row[TOTAL_TIME] = row.get(TOTAL_TIME, 0.0) + value
    return found


def _transactions(
    kept: list[Segment],
    line: _Timeline,
    own: npt.NDArray[np.float64],
    breakdowns: list[dict[str, float]],
) -> pa.Table:
    rows = [i for i, s in enumerate(kept) if s.is_event]
    events = [kept[i] for i in rows]
    start, end = line.start[rows], line.end[rows]
    duration = np.minimum((end - start + 500) // 1000, _MAX_DURATION_MS)
    measurements, units = [], []
    for segment, length in zip(events, duration.tolist(), strict=True):
        values, names = measured(segment.raw_measurements, length)
        measurements.append(values)
        units.append(names)
    return columns.table(
        columns.TRANSACTIONS,
        {
            **_shared(events),
            "timestamp": end // 1000,
            "start_timestamp": np.maximum(start, 0),
            "received": [s.received_us // 1000 for s in events],
            "event_id": [s.event_id for s in events],
            "trace_id": [s.trace_id for s in events],
            "span_id": [s.span_id for s in events],
            "parent_span_id": [s.parent_span_id for s in events],
            "trace_sampled": [s.trace_sampled for s in events],
            "transaction_source": [s.source for s in events],
            "op": [s.op for s in events],
            "status": [s.status for s in events],
            "duration": duration,
            "exclusive_time": own[rows],
            "dist": [s.dist for s in events],
            "sdk_version": [s.sdk_version for s in events],
            "http_method": [s.http_method for s in events],
            "http_status_code": [s.http_status_code for s in events],
            "http_url": [s.http_url for s in events],
            "http_referer": [s.http_referer for s in events],
            "replay_id": [s.replay_id for s in events],
            "profile_id": [s.profile_id for s in events],
            "profiler_id": [s.profiler_id for s in events],
            "thread_id": [s.thread_id for s in events],
            "app_start_type": [s.app_start_type for s in events],
            "spans_count": [min(s.spans_sent, 65535) for s in events],
            "tags": [s.tags for s in events],
            "contexts": [s.contexts for s in events],
            "measurements": measurements,
            "measurement_units": units,
            "breakdowns": [breakdowns[i] for i in rows],
        },
    )


def _shared(segments: list[Segment]) -> dict[str, Any]:
    """The columns that transactions and spans have in common, one value per segment."""
    return {
        "project_id": [s.record.project_id for s in segments],
        "transaction": [s.name for s in segments],
        "platform": [s.platform for s in segments],
        "environment": [s.environment for s in segments],
        "release": [s.release for s in segments],
        "sdk_name": [s.sdk_name for s in segments],
        "device_class": [s.device_class for s in segments],
        "user": [s.user.display for s in segments],
        "user_id": [s.user.id for s in segments],
        "user_username": [s.user.username for s in segments],
        "user_email": [s.user.email for s in segments],
        "user_ip": [s.user.ip for s in segments],
        "sample_rate": [s.sample_rate for s in segments],
        "retention_days": [s.retention_days for s in segments],
    }


def _inherited(kept: list[Segment], owner: npt.NDArray[np.int64]) -> dict[str, Any]:
    """The columns every span takes from its segment: built once per segment, then repeated."""
    once = {
        **_shared(kept),
        "retention_days": [s.span_retention_days for s in kept],
        "transaction_id": [s.event_id for s in kept],
        "transaction_op": [s.transaction_op for s in kept],
        "transaction_method": [s.http_method for s in kept],
        "transaction_status": [s.status if s.is_event else "" for s in kept],
    }
    places = pa.array(owner)
    return {
        name: columns.column(values, columns.SPANS.field(name).type).take(places)
        for name, values in once.items()
    }


def _spans(
    kept: list[Segment],
    spans: list[Span],
    line: _Timeline,
    span_ids: npt.NDArray[np.uint64],
    parent_ids: npt.NDArray[np.uint64],
    own: npt.NDArray[np.float64],
) -> pa.Table:
    attributes = SpanAttributes()
    owners = line.owner.tolist()
    displays = _displays(kept, line)
    for place, (span, owner) in enumerate(zip(spans, owners, strict=True)):
        before = {}
        if owner in displays:
            end = line.span_end[place]
            before = {name: name for name, until in displays[owner] if end <= until}
        attributes.add(span, kept[owner], before)
    ops = [s.op.strip().lower() or "default" if s.op else "default" for s in spans]
    return columns.table(
        columns.SPANS,
        {
            **_inherited(kept, line.owner),
            "timestamp": np.maximum(line.span_end, 0),
            "start_timestamp": np.maximum(line.span_start, 0),
            "trace_id": _trace_ids([s.trace_id for s in spans]),
            "span_id": span_ids,
            "parent_span_id": parent_ids,
            "segment_id": [kept[o].span_id for o in owners],
            "is_segment": [1 if s.is_segment is True else 0 for s in spans],
            "op": [op[:128] for op in ops],
            "description": attributes.descriptions,
            **_described(attributes.described),
            "status": [status(s.status) for s in spans],
            "status_code": attributes.status_codes,
            "origin": [(s.origin or "")[:128] for s in spans],
            "duration": (line.span_end - line.span_start) / 1000.0,
            "exclusive_time": own,
            "profile_id": [
                uuid_bytes(s.profile_id) if s.profile_id else kept[o].profile_id
                for s, o in zip(spans, owners, strict=True)
            ],
            "tags": attributes.tags(),
            "measurements": attributes.measurements(),
        },
    )


def _described(found: list[Description]) -> dict[str, Any]:
    """The columns that follow from descriptions: built once for equal ones, then repeated."""
    numbers: dict[int, int] = {}
    once: list[Description] = []
    places = []
    for one in found:
        number = numbers.get(id(one))
        if number is None:
            number = numbers[id(one)] = len(once)
            once.append(one)
        places.append(number)
    texts = {
        "category": [d.category for d in once],
        "group": [d.group for d in once],
        "normalized_description": [d.normalized for d in once],
        "domain": [d.domain for d in once],
        "action": [d.action for d in once],
        "system": [d.system for d in once],
    }
    taken = pa.array(places, pa.int32())
    return {
        name: columns.column(values, columns.SPANS.field(name).type).take(taken)
        for name, values in texts.items()
    }


def _displays(kept: list[Segment], line: _Timeline) -> dict[int, list[tuple[str, int]]]:
    """When a screen was first and fully shown, for the segments that say so: their spans until
    then are marked.
    """
    found: dict[int, list[tuple[str, int]]] = {}
    for place, segment in enumerate(kept):
        raw = mapping(segment.raw_measurements)
        if not any(measurement in raw for _, measurement in _DISPLAYS):
            continue
        values, _ = measured(raw, 0.0)
        for name, measurement in _DISPLAYS:
            if measurement in values:
                until = int(line.start[place] + values[measurement] * 1000)
                found.setdefault(place, []).append((name, until))
    return found


def _trace_ids(texts: list[Any]) -> list[bytes]:
    known: dict[str, bytes] = {}
    return [known.get(t) or known.setdefault(t, uuid_bytes(t)) for t in texts]
