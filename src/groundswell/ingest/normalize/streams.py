"""Spans sent by themselves → segments: version 2 containers, and legacy single spans.

Spans of one container that share a segment become one; if the segment's own span is among them,
it is a transaction too. A span without ids or times is dropped alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groundswell.ingest.normalize import contexts as ctx
from groundswell.ingest.normalize import labels
from groundswell.ingest.normalize.identity import span_number, uuid_bytes
from groundswell.ingest.normalize.names import named
from groundswell.ingest.normalize.payloads import Span
from groundswell.ingest.normalize.segments import Segment, sample_rate_of
from groundswell.ingest.normalize.shapes import lenient_text, mapping, sequence, text
from groundswell.ingest.normalize.tags import MAX_VALUE, tag_key
from groundswell.ingest.normalize.times import ABSENT, micros
from groundswell.ingest.normalize.users import person
from groundswell.model.statuses import status

_STATUS = {"ok": "ok", "error": "internal_error"}
_NOT_TAGS = frozenset(
    [
        "sentry.op",
        "sentry.origin",
        "sentry.release",
        "sentry.environment",
        "sentry.segment.name",
        "sentry.segment.id",
        "sentry.segment.name.source",
        "sentry.span.source",
        "sentry.transaction_info.source",
        "sentry.transaction",
        "sentry.trace_lifecycle",
        "sentry.profiler_id",
        "sentry.replay_id",
        "sentry.dist",
        "sentry.platform",
        "sentry.sdk.name",
        "sentry.sdk.version",
        "sentry.trace.status",
        "sentry.description",
        "thread.id",
        "thread.name",
        "user.id",
        "user.name",
        "user.username",
        "user.email",
        "user.ip_address",
        "process.runtime.name",
        "process.runtime.version",
        "browser.name",
        "browser.version",
        "os.name",
        "os.version",
        "server.address",
        "release",
        "environment",
        "transaction",
    ]
)

_SOURCES = (
    "sentry.segment.name.source",
    "sentry.span.source",
    "sentry.transaction_info.source",
)

Make = Callable[[list[Span]], Segment]


def container_segments(payload: dict[str, Any], make: Make) -> tuple[list[Segment], int]:
    """Segments of a version 2 container, and how many of its spans were unusable."""
    groups: dict[tuple[Any, ...], list[tuple[Span, dict[str, Any]]]] = {}
    dropped = 0
    for place, raw in enumerate(sequence(payload.get("items"))):
        if type(raw) is not dict:
            dropped += 1
            continue
        attributes = plain_attributes(raw.get("attributes"))
        span = _span(raw, attributes)
        if span is None:
            dropped += 1
            continue
        segment_id = span.span_id if span.is_segment else attributes.get("sentry.segment.id")
        key = (span.trace_id, segment_id) if segment_id else (span.trace_id, None, place)
        groups.setdefault(key, []).append((span, attributes))
    return [_segment(members, make) for members in groups.values()], dropped


def single_segment(span: Span, payload: dict[str, Any], make: Make) -> Segment | None:
    """The segment of one legacy span; None when the span has no ids or times."""
    data = {**payload, **mapping(span.data)}
    user = mapping(payload.get("user"))
    for key in ("id", "username", "email", "ip_address"):
        data.setdefault(f"user.{key}", user.get(key))
    for ours, theirs in (
        ("sentry.release", "release"),
        ("sentry.environment", "environment"),
        ("sentry.segment.name", "sentry.transaction"),
        ("sentry.segment.name", "transaction"),
        ("sentry.segment.id", "segment_id"),
        ("sentry.platform", "platform"),
    ):
        if not data.get(ours):
            data[ours] = data.get(theirs)
    if not _placed(span):
        return None
    span.op = span.op or text(data.get("sentry.op"), 128)
    span.is_segment = span.is_segment is True
    data_left = mapping(span.data)
    span.data = {k: v for k, v in data_left.items() if k not in _NOT_TAGS}
    return _segment([(span, data)], make)


def plain_attributes(raw: Any) -> dict[str, Any]:
    """`{key: {type, value}}` → `{key: value}`; a bare value counts as itself."""
    return {
        key: entry.get("value") if type(entry) is dict else entry
        for key, entry in mapping(raw).items()
    }


def _span(raw: dict[str, Any], attributes: dict[str, Any]) -> Span | None:
    span = Span(
        span_id=text(raw.get("span_id"), 32),
        trace_id=text(raw.get("trace_id"), 64),
        parent_span_id=text(raw.get("parent_span_id"), 32),
        op=text(attributes.get("sentry.op"), 128),
        description=text(raw.get("name")) or text(attributes.get("sentry.description")),
        origin=text(attributes.get("sentry.origin"), 128),
        start_timestamp=raw.get("start_timestamp"),
        timestamp=raw.get("end_timestamp"),
        status=_STATUS.get(text(raw.get("status")), raw.get("status")),
        data={k: v for k, v in attributes.items() if k not in _NOT_TAGS},
        is_segment=raw.get("is_segment") is True,
    )
    return span if _placed(span) else None


def _placed(span: Span) -> bool:
    """Whether a span has ids and an interval; its times become microseconds."""
    start, end = micros(span.start_timestamp), micros(span.timestamp)
    if start == ABSENT or end == ABSENT or end < start:
        return False
    span.start_timestamp, span.timestamp = start / 1e6, end / 1e6
    return bool(span_number(span.span_id)) and any(uuid_bytes(span.trace_id))


def _segment(members: list[tuple[Span, dict[str, Any]]], make: Make) -> Segment:
    spans = [span for span, _ in members]
    root, attributes = next((m for m in members if m[0].is_segment), members[0])
    segment = make(spans)
    segment.is_streamed = True
    segment.is_event = bool(root.is_segment)
    segment.trace_id = uuid_bytes(root.trace_id)
    segment.span_id = span_number(
        root.span_id if root.is_segment else attributes.get("sentry.segment.id")
    )
    scrubber = segment.scrubber

    def sent(*keys: str, limit: int = 200) -> str:
        return next((v for v in (lenient_text(attributes.get(k), limit) for k in keys) if v), "")

    segment.release = labels.release(sent("sentry.release"))
    segment.environment = labels.environment(sent("sentry.environment"))
    segment.dist = labels.dist(sent("sentry.dist"))
    segment.sdk_name = sent("sentry.sdk.name") or segment.record.sdk_name
    segment.sdk_version = sent("sentry.sdk.version") or segment.record.sdk_version
    segment.platform = sent("sentry.platform") or _platform(segment.sdk_name)
    segment.user = person(
        sent("user.id", limit=128),
        sent("user.username", "user.name", limit=128),
        sent("user.email", limit=128),
        sent("user.ip_address", limit=128) if scrubber.keeps_ip else "",
    )
    segment.thread_id = sent("thread.id", limit=64)
    segment.replay_id = uuid_bytes(attributes.get("sentry.replay_id"))
    segment.profiler_id = uuid_bytes(attributes.get("sentry.profiler_id"))
    segment.http_method = sent("http.request.method", "http.method", limit=32).upper()
    name = sent("sentry.segment.name") or (root.description or "" if root.is_segment else "")
    if name or segment.is_event:
        source = sent(*_SOURCES).lower()
        segment.name, segment.source = named(scrubber.free_text(name), source, False)
    if segment.is_event:
        _event(segment, root, attributes, sent)
    else:
        segment.start = min(s.start_timestamp for s in spans)
        segment.end = max(s.timestamp for s in spans)
        segment.sample_rate = sample_rate_of(segment.record, {})
    return segment


def _event(
    segment: Segment, root: Span, attributes: dict[str, Any], sent: Callable[..., str]
) -> None:
    """What only a transactions row needs, from the segment's own span."""
    segment.start, segment.end = root.start_timestamp, root.timestamp
    segment.parent_span_id = span_number(root.parent_span_id)
    segment.op = (root.op or "default").lower()
    segment.status = status(attributes.get("sentry.trace.status")) or status(root.status, "unknown")
    segment.spans_sent = len(segment.spans) - 1
    segment.http_status_code = sent("http.response.status_code", limit=16)
    segment.http_url = segment.scrubber.free_text(sent("url.full", "http.url", "url", limit=2048))
    tags: dict[str, str] = {}
    measurements: dict[str, Any] = {}
    for key, value in mapping(root.data).items():
        if type(value) in (int, float):
            measurements[key] = {"value": value, "unit": ""}
        elif tag_key(key):
            found = lenient_text(value, MAX_VALUE + 1)
            if found and len(found) <= MAX_VALUE:
                tags[key] = found
    contexts = {
        name: {"name": sent(f"{source}.name"), "version": sent(f"{source}.version")}
        for name, source in (("os", "os"), ("browser", "browser"), ("runtime", "process.runtime"))
        if sent(f"{source}.name")
    }
    ctx.derive_tags(tags, contexts)
    tags.setdefault("level", "info")
    for name, value in (("server_name", sent("server.address")), ("url", segment.http_url)):
        if value:
            tags.setdefault(name, value)
    segment.tags = segment.scrubber.texts(tags)
    segment.contexts = ctx.flatten(contexts, {})
    segment.sample_rate = sample_rate_of(segment.record, segment.contexts)
    segment.raw_measurements = measurements


def _platform(sdk_name: str) -> str:
    parts = sdk_name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "sentry" else "other"
