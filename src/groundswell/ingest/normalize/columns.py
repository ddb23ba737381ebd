"""The Arrow form of the event tables, column by column as the store's migrations define them.

UUIDs travel as their 16 bytes, 128-bit hashes as 16 little-endian bytes: the engine reads both
from Arrow streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pyarrow as pa

TEXT = pa.string()
UUID = pa.binary(16)
HASH = pa.binary(16)
U8, U16, U32, U64 = pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()
I8 = pa.int8()
F64 = pa.float64()
MILLIS = pa.timestamp("ms", "UTC")
MICROS = pa.timestamp("us", "UTC")
TEXTS = pa.map_(TEXT, TEXT)
NUMBERS = pa.map_(TEXT, F64)


def _schema(columns: str, types: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema([(name, types.get(name, TEXT)) for name in columns.split()])


_COMMON: dict[str, pa.DataType] = {
    "project_id": U64,
    "timestamp": MILLIS,
    "start_timestamp": MICROS,
    "end_timestamp": MICROS,
    "received": MILLIS,
    **dict.fromkeys(
        (
            "event_id",
            "trace_id",
            "replay_id",
            "profile_id",
            "profiler_id",
            "transaction_id",
        ),
        UUID,
    ),
    "span_id": U64,
    "parent_span_id": U64,
    "segment_id": U64,
    "trace_sampled": I8,
    "tags": TEXTS,
    "contexts": TEXTS,
    "measurements": NUMBERS,
    "breakdowns": NUMBERS,
    "measurement_units": TEXTS,
    "sample_rate": F64,
    "exclusive_time": F64,
    "retention_days": U16,
}

ERRORS = _schema(
    """project_id timestamp received event_id type level group_id primary_hash title message
    culprit location transaction platform environment release dist sdk_name sdk_version user
    user_id user_username user_email user_ip http_method http_url http_referer http_status_code
    trace_id span_id parent_span_id trace_sampled replay_id profile_id exception_types
    exception_values exception_mechanisms exception_handled exception_main_thread frame_abs_paths
    frame_filenames frame_packages frame_modules frame_functions frame_in_app frame_linenos
    frame_colnos frame_stack_levels num_processing_errors tags contexts payload sample_rate
    retention_days""",
    {
        **_COMMON,
        "group_id": U64,
        "primary_hash": HASH,
        "exception_main_thread": I8,
        "num_processing_errors": U16,
        **dict.fromkeys(
            (
                "exception_types",
                "exception_values",
                "exception_mechanisms",
                "frame_abs_paths",
                "frame_filenames",
                "frame_packages",
                "frame_modules",
                "frame_functions",
            ),
            pa.list_(TEXT),
        ),
        "exception_handled": pa.list_(I8),
        "frame_in_app": pa.list_(U8),
        "frame_linenos": pa.list_(U32),
        "frame_colnos": pa.list_(U32),
        "frame_stack_levels": pa.list_(U16),
    },
)

TRANSACTIONS = _schema(
    """project_id timestamp start_timestamp received event_id trace_id span_id parent_span_id
    trace_sampled transaction transaction_source op status duration exclusive_time platform
    environment release dist sdk_name sdk_version user user_id user_username user_email user_ip
    http_method http_status_code http_url http_referer device_class replay_id profile_id
    profiler_id thread_id app_start_type spans_count tags contexts measurements measurement_units
    breakdowns sample_rate retention_days""",
    {**_COMMON, "duration": U32, "spans_count": U16},
)

SPANS = _schema(
    """project_id timestamp start_timestamp trace_id span_id parent_span_id segment_id
    transaction_id is_segment op category group description normalized_description domain action
    system status status_code origin duration exclusive_time transaction transaction_op
    transaction_method transaction_status platform environment release sdk_name device_class user
    user_id user_username user_email user_ip profile_id tags measurements sample_rate
    retention_days""",
    {**_COMMON, "timestamp": MICROS, "is_segment": U8, "group": U64, "duration": F64},
)

FUNCTIONS = _schema(
    """project_id timestamp transaction fingerprint name package is_application platform
    environment release os_name profile_id profiler_id thread_id start_timestamp end_timestamp
    self_times total_times sample_count retention_days""",
    {
        **_COMMON,
        "fingerprint": U32,
        "is_application": U8,
        "self_times": pa.list_(U64),
        "total_times": pa.list_(U64),
        "sample_count": U32,
    },
)

PROFILES = _schema(
    """project_id timestamp profile_id profiler_id transaction_id trace_id transaction platform
    environment release active_thread_id start_timestamp end_timestamp payload retention_days""",
    _COMMON,
)

TABLES: dict[str, pa.Schema] = {
    "errors": ERRORS,
    "transactions": TRANSACTIONS,
    "spans": SPANS,
    "functions": FUNCTIONS,
    "profiles": PROFILES,
}


def table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Lists and arrays by column name → a table of exactly this schema."""
    return pa.Table.from_arrays(
        [column(columns[field.name], field.type) for field in schema], schema=schema
    )


def column(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if kind in (TEXTS, NUMBERS):
        return maps(values, kind)
    if pa.types.is_list(kind):
        return lists(values, kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([str(v).encode("utf-8", "replace").decode() for v in values], kind)


def maps(rows: Sequence[Mapping[str, Any]], kind: pa.DataType) -> pa.Array:
    keys = pa.array(list(chain.from_iterable(rows)), TEXT)
    values = pa.array(list(chain.from_iterable(r.values() for r in rows)), kind.item_type)
    return pa.MapArray.from_arrays(offsets(map(len, rows)), keys, values)


def lists(rows: Sequence[Sequence[Any]], kind: pa.DataType) -> pa.Array:
    flat = pa.array(list(chain.from_iterable(rows)), kind.value_type)
    return pa.ListArray.from_arrays(offsets(map(len, rows)), flat)


def offsets(lengths: Iterable[int]) -> pa.Array:
    return pa.array(np.fromiter(accumulate(lengths, initial=0), dtype=np.int32))


def empty(schema: pa.Schema) -> pa.Table:
    return schema.empty_table()
