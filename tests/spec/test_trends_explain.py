"""Promised answers of trends/explain: what accounts for a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from groundswell.errors import UserError
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.trends.explain import explain, parse_explain
from tests.asking import MIDNIGHT
from tests.rows import insert, new_project
from tests.scopes import scope_of

START, AT, END = (MIDNIGHT + timedelta(hours=hours) for hours in (0, 6, 12))
NAME = 'GET "/a*b"'


@pytest.fixture(scope="module")
def project(engine: Engine) -> int:
    """After the change a new release waits 100 ms longer for one query, in one environment."""
    id = new_project()
    transactions, spans = [], []
    for minute in range(0, 720, 10):
        at = START + timedelta(minutes=minute, seconds=5)
        for environment in ("prod", "dev"):
            slow = at >= AT and environment == "prod"
            waited = 150 if slow else 50
            common = {
                "transaction": NAME,
                "environment": environment,
                "release": "2" if slow else "1",
            }
            times = {"timestamp": at, "start_timestamp": at}
            transactions.append({**common, **times, "duration": 100 + waited})
            for op, text, took in (("db", "SELECT orders", waited), ("http", "GET /x", 60)):
                spans.append(
                    {
                        **common,
                        **times,
                        "op": op,
                        "normalized_description": text,
                        "exclusive_time": float(took),
                    }
                )
    insert(engine, "transactions", id, transactions)
    insert(engine, "spans", id, spans)
    return id


def asked(statistics: Statistics, project: int, **params: str) -> Any:
    given = {"start": START.isoformat(), "end": END.isoformat(), "transaction": NAME}
    given |= {"breakpoint": AT.isoformat(), "trendFunction": "p95(transaction.duration)", **params}
    many = {name: [value] for name, value in given.items()}
    return parse_explain(many, scope_of({project: "web"}), END, statistics.retention)


async def test_what_accounts_for_a_rise(statistics: Statistics, project: int) -> None:
    found = await explain(statistics, asked(statistics, project))

    assert (found["before"]["mean"], found["after"]["mean"], found["change"]) == (150, 200, 50)
    causes = {(cause["kind"], cause["value"]): cause for cause in found["causes"]}
    assert causes["span", "db SELECT orders"]["share_of_change"] == pytest.approx(1)
    assert causes["span", "http GET /x"]["share_of_change"] == pytest.approx(0)
    assert causes["environment", "prod"]["share_of_change"] == pytest.approx(1)
    assert causes["environment", "dev"]["share_of_change"] == pytest.approx(0)
    assert causes["release", "2"]["share_after"] == pytest.approx(0.5)
    assert found["releases"][0]["version"] == "2"


@pytest.mark.parametrize("at", ["", "noon", "2020-01-01", str(int(END.timestamp()))])
def test_the_breakpoint_lies_inside_the_window(
    statistics: Statistics, project: int, at: str
) -> None:
    with pytest.raises(UserError, match="breakpoint"):
        asked(statistics, project, breakpoint=at)
