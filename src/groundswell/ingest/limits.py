"""Every limit of the wire in one table. Sizes are in bytes, after decompression where not said."""

from __future__ import annotations

from dataclasses import dataclass

from groundswell.ingest.records import Kind

KIB = 1024
MIB = 1024 * KIB

BODY_COMPRESSED = 20 * MIB
BODY = 100 * MIB
HEADER_LINE = 16 * KIB
ITEMS_PER_ENVELOPE = 2_000
BODY_IDLE_S = 30.0
BODY_TOTAL_S = 120.0


@dataclass(frozen=True, slots=True)
class ItemType:
    """One item type of the wire: what is done with it, its data category, and its limits.

    `per_envelope` is how many of it one envelope may hold, 0 for any number.
    """

    kind: Kind
    category: str
    max_bytes: int
    per_envelope: int = 0


_DROP = Kind.UNSUPPORTED
ITEM_TYPES: dict[str, ItemType] = {
    "event": ItemType(Kind.EVENT, "error", 1 * MIB, 1),
    "transaction": ItemType(Kind.TRANSACTION, "transaction", 1 * MIB, 1),
    # A container of spans is `span` too; its content type tells (see items.kind_of).
    "span": ItemType(Kind.SPAN, "span", 12 * MIB, 25),
    "otel_span": ItemType(Kind.SPAN, "span", 10 * MIB, 25),
    "profile": ItemType(Kind.PROFILE, "profile", 10 * MIB, 1),
    "profile_chunk": ItemType(Kind.PROFILE_CHUNK, "profile_chunk", 10 * MIB, 1),
    "client_report": ItemType(Kind.CLIENT_REPORT, "internal", 100 * KIB, 100),
    "session": ItemType(_DROP, "session", 10 * MIB, 100),
    "sessions": ItemType(_DROP, "session", 10 * MIB, 100),
    "attachment": ItemType(_DROP, "attachment", BODY),
    "user_report": ItemType(_DROP, "user_report_v2", 1 * MIB),
    "feedback": ItemType(_DROP, "feedback", 1 * MIB),
    "replay_event": ItemType(_DROP, "replay", 10 * MIB),
    "replay_recording": ItemType(_DROP, "replay", 100 * MIB),
    "replay_video": ItemType(_DROP, "replay", 100 * MIB),
    "check_in": ItemType(_DROP, "monitor", 100 * KIB),
    "statsd": ItemType(_DROP, "metric_bucket", 1 * MIB),
    "metric_buckets": ItemType(_DROP, "metric_bucket", 1 * MIB),
    "metric_meta": ItemType(_DROP, "metric_bucket", 1 * MIB),
    "log": ItemType(_DROP, "log_item", 12 * MIB),
    "otel_log": ItemType(_DROP, "log_item", 12 * MIB),
    "trace_metric": ItemType(_DROP, "trace_metric", 12 * MIB),
    "security": ItemType(_DROP, "security", 1 * MIB),
    "raw_security": ItemType(_DROP, "security", 1 * MIB),
    "unreal_report": ItemType(_DROP, "error", BODY),
    "form_data": ItemType(_DROP, "error", 1 * MIB),
}
UNKNOWN = ItemType(Kind.UNKNOWN, "default", BODY)
EVENT_KINDS = frozenset({Kind.EVENT, Kind.TRANSACTION})
CATEGORIES = frozenset(row.category for row in ITEM_TYPES.values()) | {"default"}
