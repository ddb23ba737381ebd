"""Time trends and explanations over stored transactions, beside their own statements."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta

import msgspec

from groundswell.config import load
from groundswell.model.tenancy import Caller, Organization, OrgId, Project, ProjectId, Scope
from groundswell.query.question import Statement
from groundswell.stats.statistics import Statistics
from groundswell.stats.timeseries import Columns
from groundswell.store.engine import open_engine
from groundswell.store.metadata import Metadata
from groundswell.store.schema import migrate
from groundswell.timeframe import TimeRange
from groundswell.trends.explain import explain, parse_explain
from groundswell.trends.transactions import find_trends, parse_trends, trends_body

ROWS = int(os.environ.get("BENCH_TRENDS_ROWS", "3000000"))
SPANS = ROWS // 3
NAMES, DAYS = 45, 28
REPEATS = 3
# Every fifth transaction becomes slower ten days before the end, with a release of its own.
_FILL = """
INSERT INTO transactions (project_id, event_id, timestamp, start_timestamp, transaction, op,
  status, duration, release, environment, tags)
SELECT 1, generateUUIDv4(), fromUnixTimestamp64Milli(
  toInt64({start:UInt64} * 1000 + intDiv(number * {span_ms:UInt64}, {rows:UInt64})), 'UTC') AS at,
  at, concat('/page/', toString(cityHash64(number) % 45)), 'http.server',
  if(cityHash64(number, 1) % 50 = 0, 'internal_error', 'ok'),
  toUInt32(100 * exp(0.5 * randNormal(0, 1)) *
    if((cityHash64(number) % 5 = 0) AND (number > {rows:UInt64} * 18 / 28), 1.6, 1)),
  if(number > {rows:UInt64} * 18 / 28, 'shop@2.0', 'shop@1.0'),
  if(cityHash64(number, 2) % 4 = 0, 'dev', 'prod'),
  map('tenant', toString(cityHash64(number, 3) % 20))
FROM numbers({rows:UInt64})
"""
_FILL_SPANS = """
INSERT INTO spans (project_id, span_id, timestamp, start_timestamp, transaction, op,
  normalized_description, duration, exclusive_time, release, environment)
SELECT 1, number + 1, fromUnixTimestamp64Milli(
  toInt64({start:UInt64} * 1000 + intDiv(number * {span_ms:UInt64}, {rows:UInt64})), 'UTC') AS at,
  at, concat('/page/', toString(cityHash64(number) % 45)), 'db',
  concat('SELECT * FROM t', toString(cityHash64(number, 4) % 9)), 20, 20,
  if(number > {rows:UInt64} * 18 / 28, 'shop@2.0', 'shop@1.0'), 'prod'
FROM numbers({rows:UInt64})
"""  # fmt: skip


class Timed(Statistics):
    """Statistics that add up the time of their statements."""

    spent = 0.0

    async def run(self, statement: Statement, window: TimeRange) -> Columns:
        start = time.perf_counter()
        try:
            return await super().run(statement, window)
        finally:
            self.spent += time.perf_counter() - start


def print_times() -> None:
    """Fill a store, ask, print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"DATA": folder, "QUERY_TIMEOUT_S": 300}, environ={})
        engine = open_engine(settings)
        migrate(engine)
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        start = end - timedelta(days=DAYS)
        for sql, rows in ((_FILL, ROWS), (_FILL_SPANS, SPANS)):
            bound = {
                "start": int(start.timestamp()),
                "span_ms": DAYS * 86_400_000,
                "rows": rows,
            }
            engine.execute(sql, bound)
        metadata = Metadata.open(f"sqlite:///{folder}/metadata.db")
        metadata.migrate()
        try:
            asyncio.run(_measure(Timed(engine, metadata, settings), end))
        finally:
            metadata.close()
            engine.close()


async def _measure(statistics: Timed, end: datetime) -> None:
    made = Organization(OrgId(1), "acme", "Acme", end)
    project = Project(ProjectId(1), OrgId(1), "web", "Web", None, end)
    scope = Scope(made, Caller(None, OrgId(1), frozenset()), None, (project,), (project,))
    window = {"start": [(end - timedelta(days=14)).isoformat()], "end": [end.isoformat()]}
    asked = parse_trends(
        {**window, "trendFunction": ["p95(transaction.duration)"], "interval": ["1h"]},
        scope, end, statistics.retention,
    )  # fmt: skip
    assert asked is not None
    changed = 0

    async def trends() -> None:
        nonlocal changed
        found = await find_trends(statistics, asked)
        changed = len(found.rows)
        msgspec.json.encode(trends_body(found))

    why = parse_explain(
        {
            **window,
            "transaction": ["/page/0"],
            "trendFunction": ["p95(transaction.duration)"],
            "breakpoint": [str(int((end - timedelta(days=10)).timestamp()))],
        },
        scope, end, statistics.retention,
    )  # fmt: skip
    assert why is not None

    async def causes() -> None:
        await explain(statistics, why)

    print(f"over {ROWS:,} transactions of {DAYS} days, {NAMES} names")
    for name, work in (("trends, 14 d", trends), ("explain, 14 d", causes)):
        best = (float("inf"), 0.0)
        for _ in range(REPEATS):
            statistics.spent = 0.0
            began = time.perf_counter()
            await work()
            best = min(best, (time.perf_counter() - began, statistics.spent))
        whole, own = best
        print(f"  {name:<16} {whole:6.2f} s, its statements {own:6.2f} s"
              f" (ratio {whole / own:.2f})")  # fmt: skip
    print(f"  changes found    {changed}")
