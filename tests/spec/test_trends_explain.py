"""Promised answers of trends/explain: what accounts for a change."""

from __future__ import annotations

from datetime import datetime, timedelta
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
TYPES = {91: ["KeyError"], 92: ["OSError", "TimeoutError"]}


@pytest.fixture(scope="module")
def project(engine: Engine) -> int:
    """After the change a new release waits 100 ms longer for one query, in one environment."""
    id = new_project()
    transactions, spans, errors = [], [], []
    for minute in range(0, 720, 10):
        at = START + timedelta(minutes=minute, seconds=5)
        for environment in ("prod", "dev"):
            slow = at >= AT and environment == "prod"
            waited = 150 if slow else 50
            common: dict[str, Any] = {
                "transaction": NAME,
                "environment": environment,
                "release": "2" if slow else "1",
                "status": "internal_error" if slow else "ok",
                "tags": {
                    "tenant": "acme" if environment == "prod" else "zeta",
                    "request": f"{environment}{minute}",
                },
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
            if environment == "prod":
                # Issue 92 is three times as frequent after the change.
                issues = [91, 91, 92] if at < AT else [91, 91, *[92] * 6]
                shared = {name: common[name] for name in common if name != "status"}
                errors += [
                    {**shared, **times_of(at, i), "group_id": n, "exception_types": TYPES[n]}
                    for i, n in enumerate(issues)
                ]
    insert(engine, "errors", id, errors)
    insert(engine, "transactions", id, transactions)
    insert(engine, "spans", id, spans)
    return id


def times_of(at: datetime, second: int) -> dict[str, datetime]:
    return {"timestamp": at + timedelta(seconds=second)}


def by_name(found: Any) -> dict[tuple[str, str], Any]:
    return {(cause["kind"], cause["value"]): cause for cause in found["causes"]}


def asked(statistics: Statistics, project: int, **params: str) -> Any:
    given = {"start": START.isoformat(), "end": END.isoformat(), "transaction": NAME}
    given |= {"breakpoint": AT.isoformat(), "trendFunction": "p95(transaction.duration)", **params}
    many = {name: [value] for name, value in given.items()}
    return parse_explain(many, scope_of({project: "web"}), END, statistics.retention)


async def test_what_accounts_for_a_rise(statistics: Statistics, project: int) -> None:
    found = await explain(statistics, asked(statistics, project))

    sides = [(found[side]["mean"], found[side]["value"]) for side in ("before", "after")]
    assert (sides, found["change"]) == ([(150, 150), (200, 250)], 100)
    causes = by_name(found)
    assert causes["span", "db SELECT orders"]["share_of_change"] == pytest.approx(1)
    assert causes["span", "http GET /x"]["share_of_change"] == pytest.approx(0)
    assert causes["environment", "prod"]["share_of_change"] == pytest.approx(1)
    assert causes["environment", "dev"]["share_of_change"] == pytest.approx(0)
    assert causes["release", "2"]["share_after"] == pytest.approx(0.5)
    assert found["releases"][0]["version"] == "2"
    assert found["sentence"] == (
        "p95(transaction.duration) rose 67 % at 06:00 UTC on "
        f"{AT:%Y-%m-%d}; release 2 first seen 06:00; "
        "100 % of the rise of the mean is in `db` spans `SELECT orders`"
    )


@pytest.mark.parametrize(
    ("function", "basis", "before", "after"),
    [
        ("p95(transaction.duration)", "beyond", 150, 250),
        ("p50()", "beyond", 150, 200),
        ("avg(transaction.duration)", "mean", 150, 200),
        ("count()", "count", 0.2, 0.2),
        ("tpm()", "count", 0.2, 0.2),
        ("failure_rate()", "failed", 0, 0.5),
        ("sum(transaction.duration)", "sum", 30, 40),
        ("apdex(200)", "mean", 1, 0.75),
    ],
)
async def test_parts_of_a_column_add_up_to_the_whole(
    statistics: Statistics, project: int, function: str, basis: str, before: float, after: float
) -> None:
    found = await explain(statistics, asked(statistics, project, trendFunction=function))

    assert (found["basis"], found["function"]) == (basis, function)
    assert found["before"]["value"] == pytest.approx(before)
    assert found["after"]["value"] == pytest.approx(after)
    for kind in ("environment", "release"):
        parts = [each["contribution"] for each in found["causes"] if each["kind"] == kind]
        assert sum(parts) == pytest.approx(found["basis_change"])


async def test_tags_count_as_columns(statistics: Statistics, project: int) -> None:
    causes = by_name(await explain(statistics, asked(statistics, project)))

    assert causes["tags[tenant]", "acme"]["share_of_change"] == pytest.approx(1)
    # Ids of single events are no kinds of events.
    assert not any(kind == "tags[request]" for kind, _ in causes)


async def test_which_issue_took_a_larger_share_of_errors(
    statistics: Statistics, project: int
) -> None:
    found = await explain(
        statistics, asked(statistics, project, dataset="errors", trendFunction="count()")
    )

    (cause,) = (each for each in found["causes"] if each.get("issue_id") == "92")
    assert cause["kind"] == "issue"
    assert cause["share_of_change"] == pytest.approx(1)
    assert (cause["share_before"], cause["share_after"]) == (pytest.approx(1 / 3), 0.75)
    assert by_name(found)["error.type", "OSError, TimeoutError"]["share_after"] == 0.75
    assert found["sentence"].endswith("100 % of the rise is in error.type `OSError, TimeoutError`")


async def test_functions_of_profiles(statistics: Statistics, engine: Engine, project: int) -> None:
    made = [
        {
            "timestamp": START + timedelta(minutes=minute),
            "fingerprint": 7,
            "name": "render",
            "package": "app",
            "transaction": name,
            "release": "1",
            "self_times": [ms * 1_000_000] * 2,
            "total_times": [ms * 1_000_000] * 2,
        }
        for minute in range(0, 720, 10)
        for name, ms in (("/slow", 40 if minute < 360 else 80), ("/same", 40))
    ]
    insert(engine, "functions", project, made)
    about = {"dataset": "profileFunctions", "trendFunction": "p50()", "query": "function:render"}
    params = {"start": START.isoformat(), "end": END.isoformat(), "breakpoint": AT.isoformat()}
    given = {name: [value] for name, value in {**about, **params}.items()}
    request = parse_explain(given, scope_of({project: "web"}), END, statistics.retention)
    assert request is not None
    found = await explain(statistics, request)

    assert (found["before"]["count"], found["after"]["count"]) == (144, 144)
    assert (found["before"]["mean"], found["after"]["mean"]) == (40e6, 60e6)
    causes = by_name(found)
    assert causes["transaction", "/slow"]["share_of_change"] == pytest.approx(1)
    assert causes["transaction", "/same"]["share_of_change"] == pytest.approx(0)
    assert "rose 50 % at 06:00 UTC" in found["sentence"]
    assert found["sentence"].endswith("100 % of the rise is in transaction `/slow`")


async def test_hours_that_lie_ahead_do_not_count(statistics: Statistics, project: int) -> None:
    ahead = (END + timedelta(days=2)).isoformat()
    found = await explain(statistics, asked(statistics, project, trendFunction="tpm()", end=ahead))

    assert found["after"]["value"] == pytest.approx(0.2)


async def test_what_hardly_changed_has_no_reason(statistics: Statistics, project: int) -> None:
    found = await explain(statistics, asked(statistics, project, trendFunction="count()"))

    assert found["sentence"].startswith("count() hardly changed at 06:00 UTC on")
    assert " is in " not in found["sentence"]


async def test_words_that_spans_do_not_know_leave_the_rest(
    statistics: Statistics, project: int
) -> None:
    found = await explain(
        statistics, asked(statistics, project, query="transaction.duration:>1 http.method:GET")
    )

    assert found["before"]["count"] == 0
    assert found["sentence"] == "There are no values on either side."


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"trendFunction": "p51q()"}, "p51q"),
        ({"trendFunction": "transaction"}, "trendFunction"),
        ({"query": "level:("}, ""),
        ({"dataset": "nothing"}, "dataset"),
    ],
)
async def test_refusals_name_what_was_wrong(
    statistics: Statistics, project: int, params: dict[str, str], words: str
) -> None:
    with pytest.raises(UserError) as refused:
        await explain(statistics, asked(statistics, project, **params))

    assert words in refused.value.message


@pytest.mark.parametrize("at", ["", "noon", "2020-01-01", str(int(END.timestamp()))])
def test_the_breakpoint_lies_inside_the_window(
    statistics: Statistics, project: int, at: str
) -> None:
    with pytest.raises(UserError, match="breakpoint"):
        asked(statistics, project, breakpoint=at)
