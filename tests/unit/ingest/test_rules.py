"""Filters, limits, headers of proxies, client reports: each rule as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groundswell.errors import StartupError, UserError
from groundswell.ingest.admission import check_option
from groundswell.ingest.filters import filter_reason
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.quotas import Limit, Limiter, header_of
from groundswell.ingest.records import Filters, Item, Kind, Outcome, Record, Verdict
from groundswell.ingest.reports import outcomes

ALL = Filters(("1.*", "web@2"), ("*ResizeObserver*", "TypeError: x"), True, True, True)


def _item(kind: Kind, **fields: Any) -> Item:
    return Item(0, kind, kind.value, json.dumps(fields).encode())


def _error(kind: str, value: str) -> dict[str, Any]:
    return {"exception": {"values": [{"type": kind, "value": value}]}}


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (Kind.EVENT, {"release": "1.2.3"}, "release-version"),
        (Kind.EVENT, {"release": "web@2"}, "release-version"),
        (Kind.EVENT, {"release": "web@20"}, None),
        (Kind.EVENT, {"message": "a ResizeObserver loop"}, "error-message"),
        (Kind.EVENT, {"logentry": {"formatted": "resizeobserver"}}, "error-message"),
        (Kind.EVENT, _error("TypeError", "x"), "error-message"),
        (Kind.EVENT, _error("TypeError", "xy"), None),
        (Kind.EVENT, {"request": {"url": "http://localhost:3000/a"}}, "localhost"),
        (Kind.EVENT, {"user": {"ip_address": "127.0.0.1"}}, "localhost"),
        (Kind.EVENT, {"request": {"url": "http://local.example.org"}}, None),
        (
            Kind.EVENT,
            {"request": {"headers": [["User-Agent", "Googlebot/2.1"]]}},
            "web-crawlers",
        ),
        (Kind.EVENT, {"request": {"headers": {"user-agent": "Mozilla/5.0"}}}, None),
        (Kind.TRANSACTION, {"transaction": "GET /healthz"}, "filtered-transaction"),
        (Kind.TRANSACTION, {"transaction": "/api/health"}, "filtered-transaction"),
        (Kind.TRANSACTION, {"transaction": "/api/healthy-food"}, None),
        (Kind.TRANSACTION, {"release": "1.0"}, "release-version"),
        (Kind.SPANS, {"release": "1.0"}, None),
        (Kind.EVENT, {"release": 5, "request": "x", "exception": "y", "user": 1}, None),
    ],
)
def test_inbound_filters(kind: Kind, fields: dict[str, Any], reason: str | None) -> None:
    assert filter_reason(ALL, _item(kind, **fields), "python/1") == reason
    assert filter_reason(Filters(), _item(kind, **fields), "python/1") is None


def test_limits_count_in_windows_and_say_when_they_end() -> None:
    limits = (Limit("key", 1, "", 3, 60), Limit("project", 1, "error", 1, 10))
    limiter = Limiter()
    assert limiter.take(limits, {"error": 1}, 100.0) == {}
    refused = limiter.take(limits, {"error": 1, "transaction": 1}, 104.5)
    assert header_of(refused.values()) == "6:error:project:rate_limit"
    assert limiter.take(limits, {"error": 1}, 110.0) == {}
    refused = limiter.take(limits, {"transaction": 1}, 111.0)
    assert header_of(refused.values()) == "49:transaction:key:rate_limit"
    assert limiter.take(limits, {"transaction": 1}, 160.0) == {}


def test_a_clock_that_jumps_back_does_not_make_a_window_endless() -> None:
    limits = (Limit("key", 1, "", 1, 60),)
    limiter = Limiter()
    limiter.take(limits, {"error": 1}, 10_000.0)
    assert limiter.take(limits, {"error": 1}, 6_400.0) == {}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
    [
        ("", "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.0/8", "8.8.8.8", "1.2.3.4", "8.8.8.8"),
        ("10.0.0.0/8", "10.0.0.1", "junk", "10.0.0.1"),
        ("::1", "::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_trusted_proxies_are_believed(
    trusted: str, peer: str, forwarded: str, expected: str
) -> None:
    headers = {b"x-forwarded-for": forwarded.encode()}
    assert Proxies.parse(trusted).client_ip({"client": (peer, 1)}, headers) == expected


def test_a_bad_network_is_a_start_up_error() -> None:
    with pytest.raises(StartupError, match="TRUSTED_PROXIES"):
        Proxies.parse("10.0.0.0/99")


RECORD = Record(1, 125.5, 7, 8, "", "", "", b"")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            b'{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":3}]}',
            [Outcome(7, 8, 120, "error", Verdict.CLIENT_DISCARD, "sample_rate", 3)],
        ),
        (
            b'{"discarded_events":[{"reason":"x","category":"made_up","quantity":1}]}',
            [Outcome(7, 8, 120, "default", Verdict.CLIENT_DISCARD, "x", 1)],
        ),
        (b"{}", []),
        (b'{"discarded_events":[{"quantity":-1}]}', None),
        (b"[", None),
    ],
)
def test_client_reports(payload: bytes, expected: list[Outcome] | None) -> None:
    assert outcomes(RECORD, Item(0, Kind.CLIENT_REPORT, "client_report", payload)) == expected


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("filters", {"releases": ["1.*"], "crawlers": True}, None),
        ("filters", None, None),
        ("filters", {"localhost": "yes"}, "localhost"),
        ("filters", {"local": True}, "'local'; there are releases"),
        ("filters", [1], "object"),
        ("scrubbing", {"keys": ["shoe_size"], "patterns": ["[0-9]{4}"]}, None),
        ("scrubbing", {"keys": "shoe_size"}, "keys"),
        ("scrubbing", {"patterns": ["("]}, "unterminated"),
        ("of_another_room", 3, None),
    ],
)
def test_options_that_could_not_be_read_are_refused(
    name: str, value: object, wrong: str | None
) -> None:
    if wrong is None:
        check_option(name, value)
        return

    with pytest.raises(UserError, match=wrong) as refused:
        check_option(name, value)
    assert refused.value.field == name
