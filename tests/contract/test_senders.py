"""Real SDKs send an error and a transaction; the API gives them back with right numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Tenant, eventually

HERE = Path(__file__).parent
PYTHON = (sys.executable, str(HERE / "senders.py"))
NODE = ("node", str(HERE / "node" / "sender.mjs"))


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def rows(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    answer = tenant.get("events/", statsPeriod="1h", **params)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


@pytest.mark.parametrize(
    ("sender", "release", "transaction", "title"),
    [
        pytest.param(
            (*PYTHON,), "web@1.2.3", "GET /users", "ValueError: no such user", id="python"
        ),
        pytest.param(
            (*NODE,), "shop@2.0.0", "POST /checkout", "TypeError: card is undefined", id="node"
        ),
        pytest.param(
            (*NODE, "static"), "shop@2.0.0", "POST /checkout", "TypeError: card is undefined",
            id="node-static",
        ),
    ],
)  # fmt: skip
def test_an_error_and_a_transaction_come_back(
    tenant: Tenant, sender: tuple[str, ...], release: str, transaction: str, title: str
) -> None:
    program, script, *options = sender
    run(program, script, tenant.dsn, *options)
    fields = ["transaction", "release", "environment", "count()", "p95(transaction.duration)"]
    transactions = eventually(lambda: rows(tenant, dataset="transactions", field=fields))
    assert [
        (r["transaction"], r["release"], r["environment"], r["count()"]) for r in transactions
    ] == [(transaction, release, "production", 1)]
    assert 25 <= transactions[0]["p95(transaction.duration)"] <= 5_000

    errors = eventually(
        lambda: rows(tenant, dataset="errors", field=["title", "release", "count()"])
    )
    assert [(r["title"], r["release"], r["count()"]) for r in errors] == [(title, release, 1)]

    spans = eventually(
        lambda: rows(
            tenant, dataset="spans", field=["span.op", "transaction", "count()"], query="span.op:db"
        )
    )
    assert [(r["transaction"], r["count()"]) for r in spans] == [(transaction, 1)]

    series = tenant.get(
        "events-stats/", statsPeriod="1h", dataset="transactions", partial="1", yAxis="count()"
    ).json()
    assert sum(bucket[1][0]["count"] for bucket in series["data"]) == 1
