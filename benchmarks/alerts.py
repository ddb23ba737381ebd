"""Rules per minute: 1,000 rules over millions of events, judged with every query there is to ask.

`ALERTS_EVENTS` sets how many events there are.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from groundswell.alerts.evaluator import Evaluator
from groundswell.config import load
from groundswell.model.alerts import Level, Rule, Side, Trigger
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine, open_engine
from groundswell.store.metadata import Metadata, alerts, tenancy
from groundswell.store.schema import migrate

RULES = 1000
PROJECTS = 20
BATCH = 500_000
SPAN = timedelta(days=7)
AGGREGATES = ("count()", "p95(transaction.duration)", "failure_rate()", "count_unique(user)")


def run() -> None:
    """Print the table."""
    events = int(os.environ.get("ALERTS_EVENTS", "20000000"))
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as home:
        asyncio.run(_run(Path(home), events))


async def _run(home: Path, events: int) -> None:
    settings = load({"DATA": str(home)}, environ={})
    engine = open_engine(settings)
    migrate(engine)
    metadata = Metadata.open(f"sqlite:///{home / 'metadata.db'}")
    metadata.migrate()
    now = datetime.now(UTC).replace(second=30, microsecond=0)
    _fill(engine, events, now)
    _make_rules(metadata, now)
    statistics = Statistics(engine, metadata, settings)
    evaluator = Evaluator(metadata, statistics, delay_s=60, max_phase_s=0)
    print(f"{events:,} events, {RULES:,} rules of {PROJECTS} projects")
    for minute in range(3):
        started = time.perf_counter()
        judged = await evaluator.evaluate(now + timedelta(minutes=minute))
        took = time.perf_counter() - started
        print(f"minute {minute + 1}: {judged:>5} rules in {took:6.1f} s")
    metadata.close()
    engine.close()


def _fill(engine: Engine, events: int, now: datetime) -> None:
    chance = np.random.default_rng(7)
    first = (now - SPAN).timestamp()
    for done in range(0, events, BATCH):
        count = min(BATCH, events - done)
        at = np.sort(chance.uniform(first, now.timestamp(), count))
        stamps = pa.array((at * 1e6).astype("int64"), pa.timestamp("us", tz="UTC"))
        names = [f"/page/{n}" for n in range(50)]
        pages = pa.array(names).take(pa.array(chance.integers(0, 50, count)))
        columns = {
            "project_id": pa.array(chance.integers(1, PROJECTS + 1, count), pa.uint64()),
            "event_id": pa.array([f"{done + n:032x}" for n in range(count)]),
            "timestamp": stamps,
            "transaction": pages,
            "status": pa.array(["ok"] * count),
            "duration": pa.array(chance.lognormal(5, 0.5, count).astype("uint32"), pa.uint32()),
        }
        engine.insert("transactions", pa.table(columns), f"bench-{done}")


def _make_rules(metadata: Metadata, now: datetime) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=now)
        projects = [
            tenancy.create_project(connection, org.id, f"p{n}", now=now).id for n in range(PROJECTS)
        ]
        first = Rule(
            id=0, org_id=org.id, name="rule", dataset="transactions", aggregate="count()",
            query="", window_min=5, side=Side.ABOVE,
            triggers=(Trigger(Level.CRITICAL, 1e9),), projects=(), created_at=now, changed_at=now,
        )  # fmt: skip
        for n in range(RULES):
            # Four numbers of one page of one project share a query: 250 are left to ask.
            page = n // len(AGGREGATES) % 50
            rule = replace(
                first,
                name=f"rule {n}",
                aggregate=AGGREGATES[n % len(AGGREGATES)],
                query=f"transaction:/page/{page}",
                projects=(projects[n // (len(AGGREGATES) * 50) % PROJECTS],),
            )
            alerts.create_rule(connection, rule)
