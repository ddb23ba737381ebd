"""Transaction events → transactions rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from groundswell.ingest.normalize.rows import build_tables
from groundswell.ingest.records import DigestContext, Kind, Outcome, TraceHeader, Verdict
from tests.unit.ingest.normalize.building import (
    RECEIVED,
    SPAN_ID,
    TRACE_ID,
    build,
    record,
    row,
    scrubbing,
    span_payload,
    spanned,
    transaction,
    transaction_payload,
)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_a_transaction_is_placed_at_its_end_and_lasts_whole_milliseconds() -> None:
    found = transaction()
    assert found["timestamp"] == at(RECEIVED - 10)
    assert found["duration"] == 400
    assert found["trace_id"] == bytes.fromhex(TRACE_ID)
    assert found["span_id"] == int(SPAN_ID, 16)


@pytest.mark.parametrize(
    ("start", "end", "duration"),
    [
        (RECEIVED - 10.4, RECEIVED - 10, 400),
        ("2026-11-21T19:33:43.331751Z", "2026-11-21T19:33:43.465246Z", 133),
        ("2026-11-21T19:33:43.000000Z", "2026-11-21T19:33:43.000499Z", 0),
        ("2026-11-21T19:33:43.000000Z", "2026-11-21T19:33:43.000500Z", 1),
        ("2026-11-21T21:33:43+02:00", "2026-11-21T19:33:44", 1000),
        ("2026-11-21T19:33:43.123456789Z", "2026-11-21T19:33:43.223456999Z", 100),
        (str(RECEIVED - 2), RECEIVED - 1, 1000),
    ],
)
def test_durations_are_differences_of_microseconds(start: Any, end: Any, duration: int) -> None:
    assert transaction(start_timestamp=start, timestamp=end)["duration"] == duration


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"timestamp": None}, "invalid_transaction"),
        ({"start_timestamp": None}, "invalid_transaction"),
        ({"start_timestamp": RECEIVED - 1, "timestamp": RECEIVED - 2}, "invalid_transaction"),
        ({"contexts": {}}, "invalid_transaction"),
        ({"contexts": {"trace": {"span_id": SPAN_ID}}}, "invalid_transaction"),
        ({"contexts": {"trace": {"trace_id": TRACE_ID}}}, "invalid_transaction"),
        ({"spans": [None]}, "invalid_transaction"),
        ({"spans": [span_payload(1, 2, 1)]}, "invalid_transaction"),
        ({"spans": [span_payload(1, 1, 2, trace_id=None)]}, "invalid_transaction"),
        ({"spans": [span_payload(1, 1, 2, span_id=None)]}, "invalid_transaction"),
        ({"spans": [span_payload(1, 1, 2, timestamp=None)]}, "invalid_transaction"),
        ({"spans": [span_payload(1, 1, 2, start_timestamp="x")]}, "invalid_transaction"),
        (
            {"start_timestamp": RECEIVED - 91 * 86400, "timestamp": RECEIVED - 90.1 * 86400},
            "too_old",
        ),
    ],
)
def test_unusable_transactions_are_refused_whole(fields: dict[str, Any], reason: str) -> None:
    built = build(Kind.TRANSACTION, transaction_payload(**fields))
    assert {t.num_rows for t in built.tables.values()} == {0}
    assert [(r.seq, r.index, r.verdict, r.reason) for r in built.rejected] == [
        (1, 0, Verdict.INVALID, reason)
    ]
    assert built.outcomes[0] == Outcome(
        7, 3, int(RECEIVED) // 60 * 60, "transaction", Verdict.INVALID, reason, 1
    )


def test_one_refused_transaction_leaves_the_others() -> None:
    good, bad = transaction_payload(spans=[span_payload(1, 1, 2)]), transaction_payload(spans=[{}])
    records = [record(Kind.TRANSACTION, p, seq=i) for i, p in enumerate((bad, good, bad, good))]
    built = build_tables(records, DigestContext())
    assert built.tables["transactions"].num_rows == 2
    assert built.tables["spans"].num_rows == 2
    assert [r.seq for r in built.rejected] == [0, 2]


def test_a_transaction_from_the_future_is_pulled_back_to_now_with_its_spans() -> None:
    origin = RECEIVED + 3600
    span = span_payload(1, 0, 0, start_timestamp=origin + 0.1, timestamp=origin + 0.2)
    built = build(
        Kind.TRANSACTION,
        transaction_payload(start_timestamp=origin, timestamp=origin + 1, spans=[span]),
    )
    assert row(built, "transactions")["timestamp"] == at(RECEIVED)
    assert row(built, "transactions")["duration"] == 1000
    assert row(built, "spans")["timestamp"] == at(RECEIVED - 0.8)


def test_less_than_a_minute_ahead_is_left_alone() -> None:
    found = transaction(start_timestamp=RECEIVED, timestamp=RECEIVED + 59)
    assert found["timestamp"] == at(RECEIVED + 59)


@pytest.mark.parametrize(("drift", "moved"), [(3299, 0), (3300, 3300), (-4000, -4000)])
def test_a_drifting_clock_is_corrected_from_55_minutes(drift: int, moved: int) -> None:
    built = build(
        Kind.TRANSACTION,
        transaction_payload(start_timestamp=RECEIVED - drift - 2, timestamp=RECEIVED - drift - 1),
        sent_at=RECEIVED - drift,
    )
    expected = min(RECEIVED - drift - 1 + moved, RECEIVED + 60)
    assert row(built, "transactions")["timestamp"] == at(expected)


@pytest.mark.parametrize(
    ("name", "info", "sdk", "expected"),
    [
        ("/users/{id}", {"source": "route"}, None, ("/users/{id}", "route")),
        ("/users/123/x", {"source": "url"}, None, ("/users/*/x", "sanitized")),
        ("/users/me", {"source": "url"}, None, ("/users/me", "sanitized")),
        ("/users/12", {"source": "route"}, None, ("/users/12", "route")),
        ("/users/123", None, "sentry.javascript.react", ("/users/*", "sanitized")),
        ("/v1/a7", {"source": "url"}, None, ("/v1/a7", "sanitized")),
        ("4242", {"source": "url"}, None, ("4242", "sanitized")),
        ("nightly 2026", None, None, ("nightly 2026", "unknown")),
        ("", {"source": "route"}, None, ("<unlabeled transaction>", "route")),
        (None, None, None, ("<unlabeled transaction>", "unknown")),
        (
            "/o/9e93f290-05ae-b223-9e93-f29005aeb223/x",
            {"source": "url"},
            None,
            ("/o/*/x", "sanitized"),
        ),
        ("/d/2026-11-21/0xff", {"source": "url"}, None, ("/d/*/*", "sanitized")),
        ("x", {"source": "surprise"}, None, ("x", "other")),
        ("a" * 300, {"source": "custom"}, None, ("a" * 197 + "...", "custom")),
    ],
)
def test_names_that_may_be_urls_lose_their_ids(
    name: Any, info: Any, sdk: str | None, expected: tuple[str, str]
) -> None:
    found = transaction(transaction=name, transaction_info=info, sdk={"name": sdk})
    assert (found["transaction"], found["transaction_source"]) == expected


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("ok", "ok"),
        ("success", "ok"),
        ("failure", "internal_error"),
        ("unknown_error", "unknown"),
        (13, "internal_error"),
        (16, "unauthenticated"),
        ("NOT_FOUND", "not_found"),
        ("nonsense", "unknown"),
        (None, "unknown"),
        (99, "unknown"),
        (True, "unknown"),
    ],
)
def test_statuses_by_name_number_and_alias(sent: Any, stored: str) -> None:
    trace = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "status": sent}
    assert transaction(contexts={"trace": trace})["status"] == stored


def test_measurements_have_lower_case_names_units_and_derived_rates() -> None:
    found = transaction(
        measurements={
            "LCP": {"value": 2500, "unit": "millisecond"},
            "fcp": {"value": 1.5, "unit": "second"},
            "fid": {"value": 1, "unit": "byte"},
            "cls": {"value": 0.1, "unit": ""},
            "frames_total": {"value": 100},
            "frames_slow": {"value": 25},
            "stall_total_time": {"value": 100, "unit": "millisecond"},
            "app.start.cold": {"value": 200_000, "unit": "millisecond"},
            "Memory": {"value": 7, "unit": "byte"},
            "broken": {"value": "x"},
            "flag": {"value": True},
            "bad name": {"value": 1},
        }
    )
    assert found["measurements"] == {
        "lcp": 2500,
        "fcp": 1500,
        "cls": 0.1,
        "frames_total": 100,
        "frames_slow": 25,
        "stall_total_time": 100,
        "memory": 7,
        "frames_slow_rate": 0.25,
        "stall_percentage": 0.25,
    }
    units = found["measurement_units"]
    assert (units["fcp"], units["memory"], units["cls"]) == ("millisecond", "byte", "none")


def test_the_client_sample_rate_is_kept_as_weight_and_as_text() -> None:
    header = TraceHeader(sample_rate="0.25")
    found = row(build(Kind.TRANSACTION, transaction_payload(), trace=header), "transactions")
    assert found["sample_rate"] == 0.25
    assert found["contexts"]["trace.client_sample_rate"] == "0.25"


@pytest.mark.parametrize("sent", ["0", "-1", "2", "x", "nan", None])
def test_a_sample_rate_that_is_none_weighs_one(sent: str | None) -> None:
    header = TraceHeader(sample_rate=sent)
    built = build(Kind.TRANSACTION, transaction_payload(), trace=header)
    assert row(built, "transactions")["sample_rate"] == 1.0


def test_contexts_fill_columns_tags_and_the_flat_map() -> None:
    found = transaction(
        contexts={
            "trace": {
                "trace_id": TRACE_ID,
                "span_id": SPAN_ID,
                "op": "HTTP.server",
                "parent_span_id": "00000000000000ff",
                "data": {"thread.id": "42"},
            },
            "os": {"name": "Linux", "version": "6.1", "build": "77"},
            "browser": {"name": "Firefox", "version": "16.0"},
            "runtime": {"name": "CPython"},
            "device": {"model": "Pixel", "family": "Pixel 8", "charging": 1, "arch": "arm64"},
            "app": {"in_foreground": True},
            "response": {"status_code": 503},
            "profile": {"profiler_id": TRACE_ID},
            "replay": {"replay_id": TRACE_ID},
        },
        request={
            "method": "post",
            "url": "https://u:p@x.example.com/a?token=1#f",
            "headers": [["Referer", "https://r.example.com/?q=1"]],
        },
        user={"id": 5, "geo": {"country_code": "DE", "city": "Ulm"}},
        server_name="web-1",
        release=" shop@1.0 ",
        environment="prod",
        dist=7,
        level="warning",
    )
    assert found["op"] == "http.server"
    assert found["parent_span_id"] == 255
    assert found["thread_id"] == "42"
    assert (found["http_method"], found["http_url"]) == ("POST", "https://x.example.com/a")
    assert found["http_referer"] == "https://r.example.com/"
    assert found["http_status_code"] == "503"
    assert (found["release"], found["environment"], found["dist"]) == ("shop@1.0", "prod", "7")
    assert found["profiler_id"] == found["replay_id"] == bytes.fromhex(TRACE_ID)
    assert found["tags"] == {
        "os": "Linux 6.1",
        "os.name": "Linux",
        "browser": "Firefox 16.0",
        "browser.name": "Firefox",
        "runtime": "CPython",
        "runtime.name": "CPython",
        "device": "Pixel",
        "device.family": "Pixel 8",
        "level": "warning",
        "server_name": "web-1",
        "url": "https://x.example.com/a",
    }
    flat = found["contexts"]
    assert flat["os.build"] == "77"
    assert flat["device.arch"] == "arm64"
    assert flat["device.charging"] == "True"
    assert flat["app.in_foreground"] == "True"
    assert (flat["geo.country_code"], flat["geo.city"]) == ("DE", "Ulm")


@pytest.mark.parametrize(
    ("user", "fields", "expected"),
    [
        ({"id": 7, "email": "a@b.c"}, {}, ("id:7", "7", "", "a@b.c", "")),
        ({"username": "ann", "email": "a@b.c"}, {}, ("username:ann", "", "ann", "a@b.c", "")),
        ({"email": "a@b.c"}, {}, ("email:a@b.c", "", "", "a@b.c", "")),
        ({"ip_address": "203.0.113.9"}, {}, ("ip:203.0.113.9", "", "", "", "203.0.113.9")),
        ({"ip_address": "{{auto}}"}, {}, ("ip:198.51.100.7", "", "", "", "198.51.100.7")),
        ({"ip_address": "nonsense"}, {}, ("", "", "", "", "")),
        (None, {}, ("", "", "", "", "")),
        ("ann", {}, ("", "", "", "", "")),
        (
            None,
            {"platform": "javascript"},
            ("ip:198.51.100.7", "", "", "", "198.51.100.7"),
        ),
        (
            {"id": "x"},
            {"request": {"env": {"REMOTE_ADDR": "203.0.113.1"}}},
            ("id:x", "x", "", "", "203.0.113.1"),
        ),
    ],
)
def test_the_user_is_the_first_of_id_name_mail_and_address(
    user: Any, fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = transaction(user=user, **fields)
    names = ("user", "user_id", "user_username", "user_email", "user_ip")
    assert tuple(found[n] for n in names) == expected


def test_addresses_can_be_left_out() -> None:
    found = transaction(user={"ip_address": "203.0.113.9"}, options=scrubbing(ip_addresses=True))
    assert (found["user"], found["user_ip"]) == ("", "")


def test_spans_beyond_a_thousand_are_dropped_and_counted() -> None:
    built = spanned([span_payload(i + 1, 1, 2) for i in range(1005)])
    assert built.tables["spans"].num_rows == 1000
    assert row(built, "transactions")["spans_count"] == 1005
    counts = {(o.category, o.verdict.value, o.reason): o.quantity for o in built.outcomes}
    assert counts == {
        ("span", "invalid", "too_many_spans"): 5,
        ("transaction", "accepted", ""): 1,
        ("span", "accepted", ""): 1000,
    }


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ({"model": "iPhone8,4"}, "1"),
        ({"model": "iPhone12,1"}, "2"),
        ({"model": "iPhone14,2"}, "3"),
        ({"processor_frequency": 1800, "processor_count": 8, "memory_size": 8 << 30}, "1"),
        ({"processor_frequency": 2400, "processor_count": 8, "memory_size": 8 << 30}, "2"),
        ({"processor_frequency": 3000, "processor_count": 8, "memory_size": 8 << 30}, "3"),
        ({"processor_frequency": 3000}, ""),
    ],
)
def test_the_class_of_a_device(device: dict[str, Any], expected: str) -> None:
    trace = {"trace_id": TRACE_ID, "span_id": SPAN_ID}
    found = transaction(contexts={"trace": trace, "device": device}, tags={"device.class": "9"})
    assert found["device_class"] == expected
    assert "device.class" not in found["tags"]
