"""Millions of transactions of 14 days in 4 projects, made inside the engine.

Project 1 has half of the rows; 500 transactions, the first five of which are half of the rows;
durations are lognormal; eight tags, one of them different in each of a million rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from groundswell.config import Settings, load
from groundswell.store.engine import Engine, open_engine
from groundswell.store.schema import migrate
from groundswell.timeframe import TimeRange

DAYS = 14
PROJECTS = {1: "web", 2: "api", 3: "jobs", 4: "app"}
CHUNK = 500_000
# The end is a midnight, so that rows made today can be used until tomorrow.
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WINDOW = TimeRange(END - timedelta(days=DAYS), END)
_INSERT = """
INSERT INTO transactions
    (project_id, timestamp, start_timestamp, received, event_id, trace_id, span_id, transaction,
     op, status, duration, platform, environment, release, sdk_name, user, user_id, http_method,
     tags)
WITH
    cityHash64(number) AS h,
    (h % 1000003) / 1000003 AS u,
    (intDiv(h, 1000003) % 1000003) / 1000003 AS v,
    toDateTime64({start:Float64} + number * {step:Float64}, 3, 'UTC') AS at,
    toString(cityHash64(number, 1) % {users:UInt64}) AS who,
    toUInt32(least(exp(4.6 + 0.8 * randNormal(0, 1, number)), 600000)) AS took
SELECT
    multiIf(u < 0.5, 1, u < 0.75, 2, u < 0.9, 3, 4),
    at, toDateTime64(at, 6, 'UTC') - took / 1000, at,
    generateUUIDv4(number), generateUUIDv4(number + 1), h,
    concat('/t/', toString(toUInt16(pow(500, pow(v, 1.8))))),
    'http.server',
    multiIf(h % 100 < 95, 'ok', h % 100 < 98, 'internal_error', 'not_found'),
    took, 'python',
    if(h % 10 < 8, 'production', 'staging'),
    concat('shop@1.', toString(intDiv(number * 14, {rows:UInt64}))),
    'sentry.python',
    concat('id:', who), who,
    if(h % 4 = 0, 'POST', 'GET'),
    map('browser', ['Chrome', 'Safari', 'Firefox', 'Edge', 'Opera'][1 + h % 5],
        'os.name', ['Windows', 'macOS', 'Linux', 'iOS', 'Android'][1 + intDiv(h, 5) % 5],
        'device', concat('d', toString(intDiv(h, 7) % 30)),
        'region', concat('r', toString(intDiv(h, 11) % 12)),
        'customer', concat('c', toString(cityHash64(number, 2) % 20000)),
        'plan', ['free', 'team', 'business'][1 + intDiv(h, 13) % 3],
        'server_name', concat('srv-', toString(intDiv(h, 17) % 50)),
        'request', concat('q', toString(number % 1000000)))
FROM numbers({first:UInt64}, {count:UInt64})
"""


@dataclass(frozen=True, slots=True)
class Store:
    """An engine with the rows in it."""

    engine: Engine
    settings: Settings
    rows: int


def open_store(folder: Path, rows: int) -> Store:
    """Open the store of so many rows; they are made where they are missing."""
    data = folder / f"{rows}-{END:%Y%m%d}"
    settings = load({"DATA": str(data), "QUERY_MEMORY_MB": 3000}, environ={})
    engine = open_engine(settings)
    migrate(engine)
    stored = engine.execute("SELECT count() AS n FROM transactions").column("n")[0]
    if stored == 0:
        fill(engine, rows)
        engine.execute("OPTIMIZE TABLE transactions FINAL")
    elif stored != rows:
        raise SystemExit(f"{data} holds {stored:,} rows of another run: remove it")

    return Store(engine, settings, rows)


def fill(engine: Engine, rows: int) -> None:
    """Insert so many rows."""
    begun = time.perf_counter()
    step_s = WINDOW.seconds / rows
    for first in range(0, rows, CHUNK):
        params = {
            "start": WINDOW.start.timestamp(),
            "step": step_s,
            "users": max(rows // 9, 1),
            "rows": rows,
            "first": first,
            "count": min(CHUNK, rows - first),
        }
        engine.execute(_INSERT, params)
    print(f"made {rows:,} rows in {time.perf_counter() - begun:.0f} s", flush=True)
