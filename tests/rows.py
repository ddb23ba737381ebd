"""Rows of event tables from a few words each; everything else is absent."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from groundswell.store.engine import Engine

_TEXT = pa.string()
_TIME = pa.timestamp("us", tz="UTC")
_TEXT_MAP = pa.map_(pa.string(), pa.string())
_NUMBER_MAP = pa.map_(pa.string(), pa.float64())
_TYPES: dict[str, pa.DataType] = {
    "project_id": pa.uint64(),
    "group_id": pa.uint64(),
    "span_id": pa.uint64(),
    "parent_span_id": pa.uint64(),
    "segment_id": pa.uint64(),
    "timestamp": _TIME,
    "start_timestamp": _TIME,
    "end_timestamp": _TIME,
    "received": _TIME,
    "tags": _TEXT_MAP,
    "contexts": _TEXT_MAP,
    "measurements": _NUMBER_MAP,
    "breakdowns": _NUMBER_MAP,
    "measurement_units": _TEXT_MAP,
    "exception_types": pa.list_(_TEXT),
    "exception_values": pa.list_(_TEXT),
    "exception_mechanisms": pa.list_(_TEXT),
    "exception_handled": pa.list_(pa.int8()),
    "exclusive_time": pa.float64(),
    "sample_rate": pa.float64(),
    "is_segment": pa.uint8(),
    "fingerprint": pa.uint32(),
    "is_application": pa.uint8(),
    "self_times": pa.list_(pa.uint64()),
    "total_times": pa.list_(pa.uint64()),
    "sample_count": pa.uint32(),
    "retention_days": pa.uint16(),
}
_UUIDS = frozenset(
    {"event_id", "trace_id", "replay_id", "profile_id", "profiler_id", "transaction_id"}
)
_projects = itertools.count(7_000_001)
_tokens = itertools.count()
_DEFAULTS: dict[str, dict[str, Any]] = {
    "errors": {"type": "error", "level": "error", "platform": "python"},
    "transactions": {"status": "ok", "op": "http.server", "platform": "python"},
    "spans": {"op": "db", "platform": "python"},
    "functions": {},
}
_IDS = {"errors": "event_id", "transactions": "event_id", "functions": "profile_id"}


def new_project() -> int:
    """Give a project id that no other test of this process uses."""
    return next(_projects)


def insert(engine: Engine, table: str, project_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Store rows; each needs a `timestamp`, and has what else it names."""
    complete = [_complete(table, project_id, row) for row in rows]
    names = sorted({name for row in complete for name in row})
    columns = [
        pa.array([row.get(name, _absent(table, name)) for row in complete], _type(table, name))
        for name in names
    ]
    token = f"rows-{project_id}-{next(_tokens)}-{uuid.uuid4().hex}"
    engine.insert(table, pa.Table.from_arrays(columns, names=names), token)


def every(start: datetime, step_s: int, count: int, **row: Any) -> list[dict[str, Any]]:
    """Repeat a row at a steady pace."""
    return [
        {**row, "timestamp": datetime.fromtimestamp(start.timestamp() + n * step_s, start.tzinfo)}
        for n in range(count)
    ]


def _complete(table: str, project_id: int, row: dict[str, Any]) -> dict[str, Any]:
    identity = {_IDS[table]: str(uuid.uuid4())} if table in _IDS else {}
    return {**_DEFAULTS[table], **identity, "project_id": project_id, **row}


def _type(table: str, name: str) -> pa.DataType:
    if name == "duration":
        return pa.uint32() if table == "transactions" else pa.float64()

    return _TYPES.get(name, _TEXT)


def _absent(table: str, name: str) -> Any:
    kind = _type(table, name)
    if pa.types.is_string(kind):
        return str(uuid.UUID(int=0)) if name in _UUIDS else ""

    return [] if pa.types.is_nested(kind) else 0
