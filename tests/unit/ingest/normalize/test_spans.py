"""Spans: self time, breakdowns, descriptions, attributes, and spans sent by themselves."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.ingest.normalize.descriptions import describe, group_of
from groundswell.ingest.normalize.intervals import union_lengths
from groundswell.ingest.records import Item, Kind, Verdict
from tests.unit.ingest.normalize.building import (
    RECEIVED,
    SPAN_ID,
    TRACE_ID,
    build,
    row,
    span_payload,
    spanned,
)


def own(built: Any) -> list[float]:
    return [round(v, 3) for v in built.tables["spans"]["exclusive_time"].to_pylist()]


class TestSelfTime:
    def test_children_of_a_transaction_are_a_union(self) -> None:
        built = spanned([span_payload(1, 1, 4), span_payload(2, 1, 3.5), span_payload(3, 3, 4.877)])
        assert round(row(built, "transactions")["exclusive_time"], 3) == 1123

    def test_nested_spans_lose_the_time_of_their_direct_children(self) -> None:
        built = spanned(
            [
                span_payload(1, 1, 2),
                span_payload(2, 1.2, 1.8, parent_span_id=f"{1:016x}"),
                span_payload(3, 1.4, 1.6, parent_span_id=f"{2:016x}"),
            ]
        )
        assert own(built) == [400, 400, 200]

    def test_overlapping_children_count_once(self) -> None:
        parent = f"{1:016x}"
        built = spanned(
            [
                span_payload(1, 1, 2),
                span_payload(2, 1.2, 1.6, parent_span_id=parent),
                span_payload(3, 1.4, 1.8, parent_span_id=parent),
            ]
        )
        assert own(built) == [400, 400, 400]

    def test_children_count_only_where_they_overlap_their_parent(self) -> None:
        parent = f"{1:016x}"
        built = spanned(
            [
                span_payload(1, 1, 2),
                span_payload(2, 0.5, 1.25, parent_span_id=parent),
                span_payload(3, 1.75, 3, parent_span_id=parent),
                span_payload(4, 3, 4, parent_span_id=parent),
            ]
        )
        assert own(built)[0] == 500

    def test_a_span_that_is_its_own_parent_keeps_its_time(self) -> None:
        assert own(spanned([span_payload(1, 1, 2, parent_span_id=f"{1:016x}")])) == [1000]

    @given(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 50), st.integers(0, 50)), max_size=40)
    )
    def test_unions_are_what_counting_every_microsecond_gives(
        self, intervals: list[tuple[int, int, int]]
    ) -> None:
        groups, starts, lengths = (
            np.array([i[k] for i in intervals], dtype=np.int64) for k in range(3)
        )
        expected = [
            len({t for g, s, n in intervals if g == group for t in range(s, s + n)})
            for group in range(5)
        ]
        assert union_lengths(groups, starts, starts + lengths, 5).tolist() == expected


def test_breakdowns_cover_each_family_once_and_the_total_every_op() -> None:
    built = spanned(
        [
            span_payload(1, 0, 1, op="db.sql.query"),
            span_payload(2, 0.5, 1.5, op="db"),
            span_payload(3, 1, 2, op="http.client"),
            span_payload(4, 2, 2.5, op="queue.task"),
            span_payload(5, 2, 2.25, op="queue.task"),
            span_payload(6, 3, 3.125),
        ],
        breakdowns={"span_ops": {"ops.db": {"value": 9}}},
    )
    found = {k: round(v, 3) for k, v in row(built, "transactions")["breakdowns"].items()}
    assert found == {"db": 1500, "http": 1000, "total.time": 3125}


SELECT = "SELECT id FROM users WHERE id = %s"


@pytest.mark.parametrize(
    ("op", "text", "system", "normalized"),
    [
        ("db", "SELECT id FROM users WHERE id = 1", "postgresql", SELECT),
        ("db", "select id from users where id=$1", "", "select id from users where id=%s"),
        ("db", "SELECT id  FROM users\n WHERE id = 'x''y' -- note", "postgresql", SELECT),
        ("db", 'SELECT "u"."id" FROM "users" WHERE "u"."id" = ?', "", SELECT),
        ("db", "SELECT id FROM app.users WHERE id = :id", "", SELECT),
        ("db", "SELECT id FROM users WHERE id = %(id)s", "", SELECT),
        ("db", "SELECT a FROM t WHERE b IN (1, 2, 3)", "", "SELECT a FROM t WHERE b IN %s"),
        ("db", "SELECT a FROM t WHERE b IN (1)", "", "SELECT a FROM t WHERE b IN %s"),
        ("db", "SELECT a, b AS c, d FROM t", "", "SELECT .. FROM t"),
        ("db", "INSERT INTO t (a, b) VALUES (1, 2), (3, 4)", "", "INSERT INTO t (..) VALUES %s"),
        ("db", 'SELECT a FROM t WHERE b = "x"', "mysql", "SELECT a FROM t WHERE b = %s"),
        ("db", "SAVEPOINT s1_x2", "", "SAVEPOINT %s"),
        (
            "db",
            "UPDATE t SET a = TRUE, b = -1.5e3 WHERE c = 0xff",
            "",
            "UPDATE t SET a = %s, b = %s WHERE c = %s",
        ),
        ("db", '{"find": "users"}', "mongodb", ""),
        ("db.redis", "get user:17", "redis", "GET *"),
        ("db", "HGET a b", "redis", "HGET *"),
        ("cache.get", "user:17", "", "GET *"),
        (
            "http.client",
            "GET https://api.eu.example.com:8443/users/17?q=1",
            "",
            "GET https://*.example.com:8443",
        ),
        ("http.client", "POST http://localhost:8000/x", "", "POST http://localhost:8000"),
        ("http.client", "GET http://10.1.2.3/x", "", "GET http://*.*.*.*"),
        ("http.client", "GET http://127.0.0.1/x", "", "GET http://127.0.0.1"),
        ("http.client", "GET https://a.b.example.co.uk/", "", "GET https://*.example.co.uk"),
        ("http.client", "GET data:image/png;base64,xx", "", "GET data:image/*"),
        ("http.client", "GET nonsense", "", "GET *"),
        ("file.read", "/tmp/a.b/report.csv", "", "*.csv"),
        ("function", "task 17 of 3e0f2752-bcf7-4adc-9c2e-49ba6be625e6", "", "task * of *"),
        ("ui.load", "MainActivity", "", "MainActivity"),
        ("template.render", "index.html", "", ""),
        ("db", "", "", ""),
    ],
)
def test_descriptions_lose_what_varies(op: str, text: str, system: str, normalized: str) -> None:
    found = describe(op, text, system, "", "")
    assert found.normalized == normalized
    assert found.group == group_of(normalized)
    assert (found.group == 0) is (normalized == "")


def test_the_group_is_the_first_64_bits_of_the_md5() -> None:
    assert group_of("GET *") == 0x37E3D9FAB1AE9162


@pytest.mark.parametrize(
    ("op", "text", "data", "expected"),
    [
        (
            "db",
            "SELECT * FROM a JOIN b ON 1=1",
            {"db.system": "PostgreSQL"},
            ("db", "SELECT", "a,b", "postgresql"),
        ),
        ("db", "BEGIN", {"db.operation": "begin"}, ("db", "BEGIN", "", "")),
        ("db", "RELEASE SAVEPOINT x", {}, ("db", "RELEASE SAVEPOINT", "", "")),
        ("db.redis", "SET a 1", {"db.system": "redis"}, ("db", "SET", "", "redis")),
        ("http.client", "get https://x.example.com/", {}, ("http", "GET", "*.example.com", "")),
        ("cache.get", "k", {}, ("cache", "GET", "", "")),
        ("queue.publish", "jobs", {}, ("queue", "", "", "")),
        ("custom.thing", "x", {}, ("", "", "", "")),
    ],
)
def test_category_action_domain_and_system(
    op: str, text: str, data: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = row(spanned([span_payload(1, 1, 2, op=op, description=text, data=data)]), "spans")
    assert tuple(found[n] for n in ("category", "action", "domain", "system")) == expected


def test_data_becomes_tags_numbers_and_columns() -> None:
    found = row(
        spanned(
            [
                span_payload(
                    1,
                    1,
                    2,
                    op="HTTP.client",
                    status="not_found",
                    tags={"shard": 3},
                    data={
                        "http.response.status_code": 404,
                        "http.response_content_length": "512",
                        "cache.hit": False,
                        "cache.item_size": 9,
                        "messaging.destination.name": "jobs",
                        "api_token": "s3cret",
                        "thread.name": "main",
                        "nested": {"x": 1},
                        "nan": None,
                    },
                    measurements={"mobile.slow_frames": {"value": 4}},
                )
            ],
            contexts={
                "trace": {
                    "trace_id": TRACE_ID,
                    "span_id": SPAN_ID,
                    "op": "ui.load",
                    "status": "ok",
                },
                "os": {"name": "iOS"},
            },
            user={"id": 5},
            release="1.0",
            environment="prod",
        ),
        "spans",
    )
    assert (found["op"], found["status"], found["status_code"]) == (
        "http.client",
        "not_found",
        "404",
    )
    assert found["tags"] == {
        "os.name": "iOS",
        "cache.hit": "false",
        "messaging.destination.name": "jobs",
        "api_token": "[Filtered]",
        "main_thread": "true",
        "shard": "3",
    }
    assert found["measurements"] == {
        "http.response.status_code": 404,
        "http.response_content_length": 512,
        "cache.item_size": 9,
        "mobile.slow_frames": 4,
    }
    inherited = (
        "transaction",
        "transaction_op",
        "transaction_status",
        "release",
        "environment",
        "user",
    )
    assert [found[n] for n in inherited] == ["/checkout", "ui.load", "ok", "1.0", "prod", "id:5"]


def test_spans_before_the_first_display_are_marked() -> None:
    built = spanned(
        [span_payload(1, 0, 1), span_payload(2, 1, 2), span_payload(3, 2, 4)],
        measurements={
            "time_to_initial_display": {"value": 1000, "unit": "millisecond"},
            "time_to_full_display": {"value": 3, "unit": "second"},
        },
    )
    found = [dict(tags) for tags in built.tables["spans"]["tags"].to_pylist()]
    assert found == [{"ttid": "ttid", "ttfd": "ttfd"}, {"ttfd": "ttfd"}, {}]


def attribute(value: Any) -> dict[str, Any]:
    return {"value": value, "type": "string"}


def streamed(number: int, **fields: Any) -> dict[str, Any]:
    attributes = {
        "sentry.op": attribute("db"),
        "sentry.segment.id": attribute(f"{1:016x}"),
        "sentry.segment.name": attribute("/pay"),
        "sentry.release": attribute("2.0"),
        "sentry.environment": attribute("prod"),
        "user.id": attribute("9"),
        "rows": {"value": 3, "type": "integer"},
        "shop": attribute("x"),
        **fields.pop("attributes", {}),
    }
    return {
        "trace_id": TRACE_ID,
        "span_id": f"{number:016x}",
        "parent_span_id": f"{1:016x}",
        "name": "SELECT 1",
        "status": "ok",
        "is_segment": False,
        "start_timestamp": RECEIVED - 10 + number / 10,
        "end_timestamp": RECEIVED - 9.95 + number / 10,
        "attributes": attributes,
        **fields,
    }


def test_a_container_gives_spans_and_a_transaction_for_its_segment() -> None:
    root = streamed(
        1,
        parent_span_id=None,
        is_segment=True,
        status="error",
        name="/pay",
        start_timestamp=RECEIVED - 10,
        end_timestamp=RECEIVED - 9,
        attributes={
            "sentry.op": attribute("http.server"),
            "sentry.span.source": attribute("route"),
        },
    )
    built = build(Kind.SPANS, {"version": 2, "items": [streamed(2), streamed(3), root]})
    found = row(built, "transactions")
    assert (found["transaction"], found["transaction_source"]) == ("/pay", "route")
    assert (found["op"], found["status"], found["duration"]) == (
        "http.server",
        "internal_error",
        1000,
    )
    assert round(found["exclusive_time"], 3) == 900
    assert {k: round(v, 3) for k, v in found["breakdowns"].items()} == {
        "db": 100,
        "total.time": 100,
    }
    assert (found["release"], found["environment"], found["user"]) == ("2.0", "prod", "id:9")
    spans = built.tables["spans"].to_pylist()
    assert [s["is_segment"] for s in spans] == [0, 0, 1]
    assert {s["transaction"] for s in spans} == {"/pay"}
    assert {s["transaction_id"] for s in spans} == {found["event_id"]}
    assert dict(spans[0]["measurements"]) == {"rows": 3}
    assert dict(spans[0]["tags"]) == {"shop": "x"}


def test_spans_without_their_segment_are_no_transaction() -> None:
    built = build(Kind.SPANS, {"items": [streamed(2)]})
    assert built.tables["transactions"].num_rows == 0
    found = row(built, "spans")
    assert (found["transaction"], found["segment_id"], found["user"]) == ("/pay", 1, "id:9")


def test_unusable_spans_of_a_container_are_dropped_alone() -> None:
    bad = [
        None,
        streamed(3, span_id="zz"),
        streamed(4, end_timestamp=None),
        streamed(5, end_timestamp=0),
    ]
    built = build(Kind.SPANS, {"items": [streamed(2), *bad]})
    assert built.tables["spans"].num_rows == 1
    invalid = [o.quantity for o in built.outcomes if o.verdict is Verdict.INVALID]
    assert (invalid, built.rejected) == ([4], [])


@pytest.mark.parametrize(
    ("claimed", "kept", "invalid"), [(None, 2, []), (2, 2, []), (1, 0, [2]), (3, 0, [2])]
)
def test_a_container_holds_as_many_spans_as_its_header_says(
    claimed: int | None, kept: int, invalid: list[int]
) -> None:
    payload = msgspec.json.encode({"version": 2, "items": [streamed(2), streamed(3)]})
    items = (Item(0, Kind.SPANS, "span", payload, claimed),)
    built = build(Kind.SPANS, payload, items=items)
    assert built.tables["spans"].num_rows == kept
    assert [o.quantity for o in built.outcomes if o.verdict is Verdict.INVALID] == invalid


def test_a_legacy_span_keeps_its_self_time() -> None:
    span = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "op": "ui.interaction.click",
        "start_timestamp": RECEIVED - 2,
        "timestamp": RECEIVED - 1,
        "exclusive_time": 250.0,
        "is_segment": False,
        "segment_id": f"{7:016x}",
        "data": {"sentry.release": "3.0", "sentry.environment": "dev", "transaction": "/home"},
    }
    found = row(build(Kind.SPAN, span), "spans")
    assert (found["duration"], found["exclusive_time"]) == (1000, 250)
    assert (found["release"], found["environment"], found["transaction"]) == ("3.0", "dev", "/home")
    assert found["segment_id"] == 7
