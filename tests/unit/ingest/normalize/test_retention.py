"""Every kind of row carries the days that its project keeps that kind."""

from __future__ import annotations

from groundswell.ingest.admission import options_from
from groundswell.ingest.records import Kind, ProjectOptions
from tests.unit.ingest.normalize.building import build, span_payload, transaction_payload
from tests.unit.ingest.normalize.test_profiles import profile

KEPT = {"errors": 30, "spans": 7, "profiles": 3, "default": 60}


def days(kind: Kind, payload: object, options: ProjectOptions) -> dict[str, set[int]]:
    tables = build(kind, payload, options=options).tables
    return {
        name: set(table["retention_days"].to_pylist())
        for name, table in tables.items()
        if table.num_rows
    }


def test_kinds_are_kept_for_their_own_time() -> None:
    options = options_from({"retention": KEPT}, 90)
    assert days(Kind.EVENT, {"message": "x"}, options) == {"errors": {30}}
    sent = transaction_payload(spans=[span_payload(1, 0, 1)])
    assert days(Kind.TRANSACTION, sent, options) == {
        "transactions": {60},
        "spans": {7},
    }
    assert days(Kind.PROFILE, profile(["main", "main", "main"]), options) == {
        "profiles": {3},
        "functions": {60},
    }


def test_without_an_option_the_installation_decides() -> None:
    for values in ({}, {"retention": "junk"}, {"retention": {"spans": 0}}):
        options = options_from(values, 45)
        sent = transaction_payload(spans=[span_payload(1, 0, 1)])
        assert days(Kind.TRANSACTION, sent, options) == {"transactions": {45}, "spans": {45}}
