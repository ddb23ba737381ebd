"""Error rows → the errors table, and the issues that a batch of them belongs to."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from groundswell.ingest.normalize import columns
from groundswell.ingest.normalize.events import ErrorRow
from groundswell.ingest.records import Group


def errors_table(rows: list[ErrorRow]) -> pa.Table:
    """`group_id` is 0: only the store of issues knows their numbers."""
    stacks = [r.stacks for r in rows]
    frames = [s.frames for s in stacks]
    return columns.table(
        columns.ERRORS,
        {
            "project_id": [r.record.project_id for r in rows],
            "timestamp": [r.timestamp_us // 1000 for r in rows],
            "received": [r.received_us // 1000 for r in rows],
            "event_id": [r.event_id for r in rows],
            "type": [r.type for r in rows],
            "level": [r.level for r in rows],
            "group_id": [0] * len(rows),
            "primary_hash": [r.primary_hash for r in rows],
            "title": [r.title for r in rows],
            "message": [r.message for r in rows],
            "culprit": [r.culprit for r in rows],
            "location": [r.location for r in rows],
            "transaction": [r.transaction for r in rows],
            "platform": [r.platform for r in rows],
            "environment": [r.environment for r in rows],
            "release": [r.release for r in rows],
            "dist": [r.dist for r in rows],
            "sdk_name": [r.sdk_name for r in rows],
            "sdk_version": [r.sdk_version for r in rows],
            "user": [r.user.display for r in rows],
            "user_id": [r.user.id for r in rows],
            "user_username": [r.user.username for r in rows],
            "user_email": [r.user.email for r in rows],
            "user_ip": [r.user.ip for r in rows],
            "http_method": [r.request[0] for r in rows],
            "http_url": [r.request[1] for r in rows],
            "http_referer": [r.request[2] for r in rows],
            "http_status_code": [r.http_status_code for r in rows],
            "trace_id": [r.trace_id for r in rows],
            "span_id": [r.span_id for r in rows],
            "parent_span_id": [r.parent_span_id for r in rows],
            "trace_sampled": [r.trace_sampled for r in rows],
            "replay_id": [r.replay_id for r in rows],
            "profile_id": [r.profile_id for r in rows],
            "exception_types": [s.types for s in stacks],
            "exception_values": [s.values for s in stacks],
            "exception_mechanisms": [s.mechanisms for s in stacks],
            "exception_handled": [s.handled for s in stacks],
            "exception_main_thread": [s.main_thread for s in stacks],
            "frame_abs_paths": [f.abs_paths for f in frames],
            "frame_filenames": [f.filenames for f in frames],
            "frame_packages": [f.packages for f in frames],
            "frame_modules": [f.modules for f in frames],
            "frame_functions": [f.functions for f in frames],
            "frame_in_app": [f.in_app for f in frames],
            "frame_linenos": [f.linenos for f in frames],
            "frame_colnos": [f.colnos for f in frames],
            "frame_stack_levels": [f.levels for f in frames],
            "num_processing_errors": [r.problems for r in rows],
            "tags": [r.tags for r in rows],
            "contexts": [r.contexts for r in rows],
            "payload": [r.payload.decode() for r in rows],
            "sample_rate": [r.sample_rate for r in rows],
            "retention_days": [r.retention_days for r in rows],
        },
    )


def add_groups(groups: dict[tuple[int, bytes], Group], rows: list[ErrorRow]) -> None:
    """One group per issue; what people read comes from its latest event."""
    for row in rows:
        key = (row.record.project_id, row.primary_hash)
        known = groups.get(key)
        at = row.timestamp_us / 1e6
        if known is not None and at < known.last_seen:
            groups[key] = msgspec.structs.replace(
                known, first_seen=min(known.first_seen, at), count=known.count + 1
            )
            continue
        groups[key] = Group(
            project_id=row.record.project_id,
            primary_hash=int.from_bytes(row.primary_hash, "little"),
            title=row.title,
            culprit=row.culprit,
            level=row.level,
            type=row.type,
            platform=row.platform,
            first_seen=known.first_seen if known else at,
            last_seen=at,
            count=known.count + 1 if known else 1,
        )
