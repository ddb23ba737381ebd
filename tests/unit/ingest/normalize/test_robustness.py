"""Payloads that no SDK should send: a field is lost, an item is refused, nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.ingest.records import Kind
from tests.unit.ingest.normalize.building import (
    RECEIVED,
    SPAN_ID,
    TRACE_ID,
    build,
    error,
    row,
    span_payload,
    transaction,
    transaction_payload,
)

ROWS = {
    Kind.EVENT: "errors",
    Kind.TRANSACTION: "transactions",
    Kind.SPANS: "spans",
    Kind.SPAN: "spans",
    Kind.PROFILE: "profiles",
    Kind.PROFILE_CHUNK: "profiles",
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize(
    "body", [b"", b"nope", b"[]", b"17", b"null", b'"x"', b"{", b"[" * 5000, b'{"a":' * 5000]
)
def test_what_is_no_object_is_refused(kind: Kind, body: bytes) -> None:
    built = build(kind, body)
    assert [r.reason in ("invalid_json", "not_an_object") for r in built.rejected] == [True]
    assert {t.num_rows for t in built.tables.values()} == {0}


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b'\xef\xbb\xbf{"message":"bom"}', "bom"),
        (b'{"message":"bad \xff byte"}', "bad \ufffd byte"),
        (b'{"message":"lone \\ud800 half"}', "lone \ufffd half"),
        (b'{"message":"pair \\ud83d\\ude00"}', "pair \U0001f600"),
        (b'{"message":"nul \\u0000."}', "nul \ufffd."),
        (b'{"message":"slash \\\\u0000."}', "slash \\u0000."),
        (b'{"message":"raw \x01 control"}', "raw \x01 control"),
        (b'{"message":"x","extra":{"n":NaN,"i":Infinity,"e":1e400}}', "x"),
        (b'{"message":"x","extra":{"n":' + b"9" * 50 + b"}}", "x"),
        (b'{"message":"x","message":"y"}', "y"),
    ],
)
def test_bytes_that_break_json_are_repaired(body: bytes, title: str) -> None:
    found = row(build(Kind.EVENT, body), "errors")
    assert found["title"] == title
    json.loads(found["payload"])


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b'"x"', b"null", b"[]"]
)
def test_measurements_without_a_number_are_dropped(number: bytes) -> None:
    payload = msgspec.json.encode(transaction_payload(measurements={"a": {"value": 0}, "b": 2}))
    payload = payload.replace(b'{"value":0}', b'{"value":' + number + b"}")
    assert row(build(Kind.TRANSACTION, payload), "transactions")["measurements"] == {"b": 2}


def test_a_huge_integer_is_a_measurement_still() -> None:
    assert transaction(measurements={"a": {"value": 10**50}})["measurements"] == {"a": 1e50}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", 5),
        ("user", "ann"),
        ("contexts", []),
        ("release", 7),
        ("extra", "x"),
        ("exception", "x"),
        ("request", "GET /"),
        ("breadcrumbs", 1),
        ("fingerprint", "x"),
        ("sdk", []),
        ("timestamp", {}),
        ("modules", []),
        ("logentry", 5),
    ],
)
def test_a_wrong_type_loses_its_field_and_is_noted(field: str, value: Any) -> None:
    found = error(**{"message": "kept", field: value})
    assert (found["title"], found["num_processing_errors"]) == ("kept", 1)
    noted = json.loads(found["payload"])["errors"]
    assert noted == [{"type": "invalid_data", "name": field}]


@pytest.mark.parametrize("field", ["op", "description", "origin", "parent_span_id"])
def test_a_wrong_type_in_a_span_loses_that_field(field: str) -> None:
    spans = [
        span_payload(1, 1, 2, op="db", **{field: {"x": 1}})
        if field != "op"
        else span_payload(1, 1, 2, op=5),
        span_payload(2, 1, 2, op="http"),
    ]
    built = build(
        Kind.TRANSACTION,
        transaction_payload(start_timestamp=RECEIVED - 100, timestamp=RECEIVED - 90, spans=spans),
    )
    ops = built.tables["spans"]["op"].to_pylist()
    assert ops == ["default" if field == "op" else "db", "http"]


@pytest.mark.parametrize(
    "field",
    [
        "transaction",
        "transaction_info",
        "tags",
        "user",
        "request",
        "sdk",
        "measurements",
        "platform",
        "release",
        "environment",
        "dist",
        "server_name",
        "level",
        "spans",
    ],
)
@pytest.mark.parametrize("value", [5, "x", [1], {"a": [None]}, True, 1e300, -(10**30)])
def test_no_field_of_a_transaction_can_lose_it(field: str, value: Any) -> None:
    built = build(Kind.TRANSACTION, transaction_payload(**{field: value}))
    refused = field == "spans" and value == [1]
    assert built.tables["transactions"].num_rows == (0 if refused else 1)


def test_sizes_are_capped() -> None:
    found = error(
        message="m" * 10_000_000,
        tags={f"k{i}": "v" for i in range(10_000)} | {"big": "x" * 1_000_000},
    )
    assert len(found["message"]) == 8192
    assert found["message"].endswith("...")
    assert len(found["tags"]) == 201  # 200 of the client's, and the level
    assert found["num_processing_errors"] == 1


@pytest.mark.parametrize(
    "sent", [RECEIVED * 1000, RECEIVED + 30 * 86400, 9e12, "2262-05-01T00:00:00Z", "9999-01-01"]
)
def test_times_ahead_become_the_time_of_receipt(sent: Any) -> None:
    assert error(message="x", timestamp=sent)["timestamp"].timestamp() == RECEIVED


@pytest.mark.parametrize("sent", [1e300, "x", "", True, [], float(10**15)])
def test_times_that_are_none_become_the_time_of_receipt(sent: Any) -> None:
    assert error(message="x", timestamp=sent)["timestamp"].timestamp() == RECEIVED


@pytest.mark.parametrize("sent", [0, -5, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_ancient_times_are_too_old(sent: Any) -> None:
    assert [r.reason for r in build(Kind.EVENT, {"timestamp": sent}).rejected] == ["too_old"]


def test_a_transaction_of_half_a_century_is_clamped() -> None:
    found = transaction(start_timestamp=1, timestamp=RECEIVED)
    assert found["duration"] == 2**32 - 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([TRACE_ID, SPAN_ID, RECEIVED, "2026-11-21T19:33:43Z", "{{ default }}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=6)
            | st.sampled_from(
                [
                    "values",
                    "frames",
                    "type",
                    "value",
                    "trace",
                    "data",
                    "stacktrace",
                    "headers",
                    "unit",
                    "items",
                    "samples",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "event_id",
        "type",
        "message",
        "logentry",
        "exception",
        "threads",
        "stacktrace",
        "contexts",
        "tags",
        "user",
        "request",
        "sdk",
        "breadcrumbs",
        "extra",
        "modules",
        "fingerprint",
        "level",
        "timestamp",
        "start_timestamp",
        "transaction",
        "transaction_info",
        "spans",
        "measurements",
        "platform",
        "release",
        "environment",
        "dist",
        "server_name",
        "csp",
        "_meta",
        "items",
        "profile",
        "transactions",
        "profiler_id",
        "attributes",
        "span_id",
        "trace_id",
        "op",
        "description",
        "status",
        "data",
        "is_segment",
        "segment_id",
        "name",
        "end_timestamp",
        "exclusive_time",
        "debug_meta",
        "culprit",
    ]
)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(list(ROWS)), payload=st.dictionaries(FIELDS, JSON, max_size=8))
def test_no_json_raises(kind: Kind, payload: dict[str, Any]) -> None:
    check(kind, payload)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from([Kind.TRANSACTION, Kind.EVENT, Kind.SPANS, Kind.SPAN]),
    changes=st.dictionaries(FIELDS, JSON, max_size=4),
    span=st.dictionaries(FIELDS, JSON, max_size=4),
)
def test_no_change_to_a_good_payload_raises(
    kind: Kind, changes: dict[str, Any], span: dict[str, Any]
) -> None:
    spans = [{**span_payload(1, 1, 2), "end_timestamp": RECEIVED, **span}]
    check(kind, {**transaction_payload(spans=spans), **spans[0], "items": spans, **changes})


def check(kind: Kind, payload: dict[str, Any]) -> None:
    """A row or a reason, and the outcomes say which."""
    built = build(kind, payload)
    for table in built.tables.values():
        table.validate(full=True)
    rows = built.tables[
        "transactions"
        if payload.get("type") == "transaction" and kind is Kind.EVENT
        else ROWS[kind]
    ].num_rows
    assert (rows > 0) != bool(built.rejected)
    assert built.outcomes
