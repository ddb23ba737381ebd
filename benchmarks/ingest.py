"""Events per second from HTTP in to queryable, drain included, with scrubbing, grouping and fsync.

`python -m benchmarks ingest --seconds 300` is the long run. The load generator shares the cores.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.bugsink import queryable_per_second as bugsinks
from benchmarks.driving import Case, count, drive, tenant
from benchmarks.load import bodies
from groundswell.config import load
from groundswell.demo.service import ServiceProcess
from groundswell.store.engine import open_engine

SECONDS = 10.0
BUGSINK_EVENTS = 300
WEIGHTS = (
    "SELECT table, sum(bytes_on_disk) FROM system.parts "
    "WHERE active AND table IN ('transactions', 'spans') GROUP BY table"
)
CASES = (
    Case("transactions", "transactions", "transaction", 2_000, 2_100),
    Case("errors 2.9 kB", "errors", "event", 4_000, 4_200, bare=True),
    Case("errors 4.8 kB, as captured", "errors", "event", 4_000, 4_200),
)
AGAINST = Case("errors 5 kB", "errors", "event", 40 * 55, 3_500, pad_to=5_000)


def run(seconds: float = SECONDS) -> None:
    """Print one JSON object per case."""
    for case in CASES:
        # A fresh directory for each: the merges of one case do not slow the next.
        with tempfile.TemporaryDirectory() as folder:
            service = ServiceProcess(Path(folder) / "d")
            with service:
                _print(drive(service, case, seconds))
            if case.kind == "transaction":
                _print(_disk(service.data))
    with tempfile.TemporaryDirectory() as folder, ServiceProcess(Path(folder) / "d") as service:
        _print(_latency(service))
    _against_bugsink(min(seconds, SECONDS))


def _against_bugsink(seconds: float) -> None:
    """Both sides run on this machine in this run, with the same bodies."""
    with tempfile.TemporaryDirectory() as folder, ServiceProcess(Path(folder) / "d") as service:
        found = drive(service, AGAINST, seconds)
        _print(found)
    with tempfile.TemporaryDirectory() as folder:
        bugsink = bugsinks(Path(folder), bodies("errors", "event", BUGSINK_EVENTS, 5_000))
    ratio = float(str(found["queryable_per_s"])) / float(str(bugsink["queryable_per_s"]))
    _print(bugsink | {"groundswell_is_times_as_fast": round(ratio, 1), "target": 40})


def _print(found: dict[str, object]) -> None:
    print(json.dumps(found), flush=True)


def _disk(data: Path) -> dict[str, object]:
    """What the parts of the store weigh, per transaction with its spans."""
    engine = open_engine(load({"DATA": str(data)}))
    try:
        stored = asyncio.run(engine.query("SELECT count() FROM transactions")).scalar()
        weights = asyncio.run(engine.query(WEIGHTS)).rows()
    finally:
        engine.close()
    megabytes = {str(table): round(int(size) / 1e6, 1) for table, size in weights if size}
    return {
        "case": "disk, merged or not",
        "transactions": stored,
        "mb": megabytes,
        "gb_per_million": round(sum(megabytes.values()) / 1e3 / int(stored) * 1e6, 2),
        "target": 1.2,
    }


def _latency(service: ServiceProcess, samples: int = 20) -> dict[str, object]:
    """One event at a time: how long until the API counts it."""
    path, token = tenant(service)
    seconds = []
    for number, body in enumerate(bodies("errors", "event", samples)):
        begun = time.perf_counter()
        answer = httpx.post(
            service.url + path, content=body, headers={"content-encoding": "gzip"}, timeout=10
        )
        answer.raise_for_status()
        while count(service, token) <= number:
            time.sleep(0.02)
        seconds.append(time.perf_counter() - begun)
        time.sleep(0.137)
    return {
        "case": "accepted to queryable, one at a time",
        "seconds_p50": round(statistics.median(seconds), 2),
        "seconds_p95": round(sorted(seconds)[int(samples * 0.95) - 1], 2),
        "target_p95": 1.5,
    }
