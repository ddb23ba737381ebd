"""A segment: one service's part of a trace. Transactions become one, spans sent alone share one.

It holds what a transaction row needs and what its spans inherit, with times still as sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from groundswell.ingest.normalize import contexts as ctx
from groundswell.ingest.normalize import labels
from groundswell.ingest.normalize.identity import NO_ID, span_number, uuid_bytes
from groundswell.ingest.normalize.names import is_high_cardinality, named
from groundswell.ingest.normalize.payloads import Span, Transaction
from groundswell.ingest.normalize.requests import (
    MAX_URL,
    bare_url,
    method_of_name,
    request_of,
    user_agent,
)
from groundswell.ingest.normalize.scrubbing import Scrubber
from groundswell.ingest.normalize.shapes import flag, lenient_text, mapping, number, text
from groundswell.ingest.normalize.tags import MAX_VALUE, client_tags
from groundswell.ingest.normalize.user_agents import with_user_agent
from groundswell.ingest.normalize.users import NOBODY, User, user_of
from groundswell.ingest.records import Record
from groundswell.model.statuses import status

MAX_SPANS = 1000


@dataclass(slots=True)
class Segment:
    """`is_event`: it is a transactions row; otherwise only what spans sent alone have in common.

    start, end: as sent, or microseconds when `times_known`. shift_us is added to every time.
    """

    record: Record
    index: int
    scrubber: Scrubber
    retention_days: int
    received_us: int
    shift_us: int
    spans: list[Span]
    span_retention_days: int = 90
    start: Any = None
    end: Any = None
    is_event: bool = True
    is_streamed: bool = False
    event_id: bytes = NO_ID
    trace_id: bytes = NO_ID
    span_id: int = 0
    parent_span_id: int = 0
    trace_sampled: int = -1
    name: str = ""
    source: str = ""
    op: str = ""
    status: str = "unknown"
    exclusive_time: float | None = None
    platform: str = ""
    environment: str = ""
    release: str = ""
    dist: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    user: User = NOBODY
    http_method: str = ""
    http_status_code: str = ""
    http_url: str = ""
    http_referer: str = ""
    device_class: str = ""
    replay_id: bytes = NO_ID
    profile_id: bytes = NO_ID
    profiler_id: bytes = NO_ID
    thread_id: str = ""
    app_start_type: str = ""
    spans_sent: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    raw_measurements: Any = None
    sample_rate: float = 1.0

    @property
    def transaction_op(self) -> str:
        return "" if self.op == "default" else self.op


def sample_rate_of(record: Record, contexts: dict[str, str]) -> float:
    """The client's sample rate; it is also searchable text of the trace context."""
    sent = record.trace.sample_rate if record.trace else None
    rate = number(sent)
    if sent is not None and rate is not None and 0 <= rate <= 1:
        contexts.setdefault("trace.client_sample_rate", sent.strip())
    return rate if rate is not None and 0 < rate <= 1 else 1.0


def fill_from_transaction(segment: Segment, sent: Transaction, client_ip: str) -> bool:
    """Fill a segment from a transaction's payload; False when it has no usable trace context."""
    contexts = mapping(sent.contexts)
    trace = mapping(contexts.get("trace"))
    segment.trace_id = uuid_bytes(trace.get("trace_id"))
    segment.span_id = span_number(trace.get("span_id"))
    if segment.trace_id == NO_ID or not segment.span_id:
        return False
    scrubber = segment.scrubber
    data = mapping(trace.get("data"))
    segment.parent_span_id = span_number(trace.get("parent_span_id"))
    segment.trace_sampled = flag(trace.get("sampled"))
    segment.op = text(trace.get("op"), 128).strip().lower() or "default"
    segment.status = status(trace.get("status"), "unknown")
    segment.exclusive_time = number(trace.get("exclusive_time"))
    segment.platform = text(sent.platform, 64) or "other"
    segment.release = labels.release(sent.release)
    segment.dist = labels.dist(sent.dist)
    sdk = mapping(sent.sdk)
    segment.sdk_name = text(sdk.get("name"), 128) or segment.record.sdk_name
    segment.sdk_version = lenient_text(sdk.get("version"), 64) or segment.record.sdk_version
    request = mapping(sent.request)
    contexts = with_user_agent(contexts, client_agent(request, segment.platform, segment.record))
    raw_user = mapping(sent.user)
    segment.user = user_of(raw_user, request, segment.platform, client_ip, scrubber.keeps_ip)
    tags, _ = client_tags(sent.tags)
    tags = scrubber.texts(tags)
    segment.environment = labels.environment(sent.environment) or labels.environment(
        tags.get("environment")
    )
    tags.pop("environment", None)
    method, url, referer = request_of(request)
    url = url or bare_url(lenient_text(data.get("url.full") or data.get("url"), MAX_URL))
    segment.http_status_code = ctx.response_status(contexts, tags, data)
    _name(segment, sent, tags, method)
    sent_method = data.get("http.request.method") or data.get("http.method")
    segment.http_method = method or lenient_text(sent_method, 32).upper()
    segment.http_method = segment.http_method or method_of_name(segment.name)
    segment.http_url, segment.http_referer = scrubber.free_text(url), scrubber.free_text(referer)
    _derived_tags(tags, sent, contexts, segment)
    segment.tags = tags
    segment.contexts = scrubber.texts(ctx.flatten(contexts, raw_user))
    segment.sample_rate = sample_rate_of(segment.record, segment.contexts)
    segment.device_class = ctx.device_class(contexts)
    _links(segment, contexts, data)
    segment.raw_measurements = sent.measurements
    segment.start, segment.end = sent.start_timestamp, sent.timestamp
    return True


def client_agent(request: dict[str, Any], platform: str, record: Record) -> str:
    """The user agent of the request the event is about; a browser's own request is that one."""
    return user_agent(request) or (record.user_agent if platform == "javascript" else "")


def _name(segment: Segment, sent: Transaction, tags: dict[str, str], method: str) -> None:
    source = text(mapping(sent.transaction_info).get("source")).lower()
    express = "Express" in str(mapping(sent.sdk).get("integrations", "")) if not source else False
    high = not source and is_high_cardinality(segment.sdk_name, tags, method, express)
    segment.name, segment.source = named(
        segment.scrubber.free_text(text(sent.transaction)), source, high
    )


def _derived_tags(
    tags: dict[str, str], sent: Transaction, contexts: dict[str, Any], segment: Segment
) -> None:
    ctx.derive_tags(tags, contexts)
    tags.setdefault("level", labels.level(sent.level, "info"))
    for name, value in (
        ("server_name", text(sent.server_name, 256)),
        ("site", text(sent.site, MAX_VALUE)),
        ("logger", text(sent.logger, 64)),
        ("url", segment.http_url),
    ):
        if value:
            tags.setdefault(name, value)


def _links(segment: Segment, contexts: dict[str, Any], data: dict[str, Any]) -> None:
    """What the transaction points at: replay, profile, profiler, thread, app start."""
    replay, profile = mapping(contexts.get("replay")), mapping(contexts.get("profile"))
    segment.replay_id = uuid_bytes(replay.get("replay_id"))
    segment.profile_id = uuid_bytes(profile.get("profile_id"))
    segment.profiler_id = uuid_bytes(profile.get("profiler_id") or data.get("profiler_id"))
    segment.thread_id = lenient_text(data.get("thread.id"), 64)
    app = mapping(contexts.get("app"))
    segment.app_start_type = text(app.get("start_type"), 64)
    if not segment.app_start_type:
        for kind in ("cold", "warm"):
            if f"app_start_{kind}" in mapping(segment.raw_measurements):
                segment.app_start_type = kind
