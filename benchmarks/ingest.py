"""Events per second from HTTP in to queryable, drain included, with scrubbing, grouping and fsync.

`python -m benchmarks.ingest [SECONDS]` runs it alone. The load generator shares the cores.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from benchmarks.bugsink import queryable_per_second as bugsinks
from benchmarks.load import bodies, send
from benchmarks.processes import Memory, family
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
    ("transactions", "transactions", "transaction", 2_000, 0),
    ("errors 2.9 kB", "errors", "event", 4_000, 0),
    ("errors 5 kB", "errors", "event", 3_500, 5_000),
)


def run(seconds: float = SECONDS) -> None:
    """Print one JSON object per case."""
    ours = 0.0
    for name, file, kind, target, pad_to in CASES:
        # A fresh directory for each: the merges of one case do not slow the next.
        with tempfile.TemporaryDirectory() as folder:
            service = ServiceProcess(Path(folder) / "d")
            with service:
                found = _measure(service, name, file, kind, target, pad_to, seconds)
                _print(found)
                if kind == "transaction":
                    _print(_restart(service, found))
            if kind == "transaction":
                _print(_disk(service.data))
            ours = float(str(found["queryable_per_s"]))
    with tempfile.TemporaryDirectory() as folder, ServiceProcess(Path(folder) / "d") as service:
        _print(_latency(service))
    # The last case was that of the same bodies: both sides ran on this machine in this run.
    with tempfile.TemporaryDirectory() as folder:
        bugsink = bugsinks(Path(folder), bodies("errors", "event", BUGSINK_EVENTS, 5_000))
        ratio = round(ours / float(str(bugsink["queryable_per_s"])), 1)
        _print(bugsink | {"groundswell_is_times_as_fast": ratio, "target": 40})


def _print(found: dict[str, object]) -> None:
    print(json.dumps(found), flush=True)


def _restart(service: ServiceProcess, before: dict[str, object]) -> dict[str, object]:
    """Kill it as a power button would, and start it on what it left."""
    service.kill()
    begun = time.perf_counter()
    service.start()
    ready_s = time.perf_counter() - begun
    return {
        "case": "start to ready after kill -9",
        "transactions": before["queryable"],
        "seconds": round(ready_s, 2),
        "target": "5 s on 10 million rows",
    }


def _disk(data: Path) -> dict[str, object]:
    """What the parts of the store weigh, per transaction with its spans."""
    engine = open_engine(load({"DATA": str(data)}))
    try:
        count = asyncio.run(engine.query("SELECT count() FROM transactions")).scalar()
        weights = asyncio.run(engine.query(WEIGHTS)).rows()
    finally:
        engine.close()
    megabytes = {str(table): round(int(size) / 1e6, 1) for table, size in weights if size}
    return {
        "case": "disk, merged or not",
        "transactions": count,
        "mb": megabytes,
        "gb_per_million": round(sum(megabytes.values()) / 1e3 / int(count) * 1e6, 2),
        "target": 1.2,
    }


def _measure(
    service: ServiceProcess,
    name: str,
    file: str,
    kind: str,
    target: int,
    pad_to: int,
    seconds: float,
) -> dict[str, object]:
    path, token = _tenant(service)
    address = urlsplit(service.url)
    assert address.hostname
    assert address.port
    asyncio.run(
        send(
            address.hostname, address.port, path, bodies(file, kind, 50), seconds=1.0, per_second=50
        )
    )
    service.wait_until_queryable()
    before = _count(service, token)
    prepared = bodies(file, kind, int(target * seconds * 1.02), pad_to)
    peak: list[Memory] = []
    threading.Timer(seconds * 0.9, lambda: peak.extend(family(service.pid))).start()
    begun = time.perf_counter()
    sent = asyncio.run(
        send(
            address.hostname,
            address.port,
            path,
            prepared,
            seconds=seconds,
            per_second=target,
        )
    )
    ended = time.perf_counter()
    service.wait_until_queryable()
    drained = time.perf_counter()
    stored = _count(service, token) - before
    return {
        "case": name,
        "bytes_gzip": round(statistics.mean(map(len, prepared))),
        "offered_per_s": target,
        "accepted": sent.accepted,
        "statuses": sent.statuses,
        "accepted_per_s": round(sent.accepted / sent.seconds),
        "queryable": stored,
        "queryable_per_s": round(stored / (drained - begun)),
        "of_target": round(stored / seconds / target, 3),
        "drain_s": round(drained - ended, 2),
        "post_ms_p50_p95_p99": [round(sent.percentile(share), 1) for share in (0.5, 0.95, 0.99)],
        "resident_mb": {_name(row.command): round(row.resident_mb) for row in peak},
        "resident_mb_in_all": round(sum(row.resident_mb for row in peak)),
        "spool_mb": _spool_mb(service.data),
    }


def _name(command: str) -> str:
    found = re.search(r"(groundswell(?:\.[\w.]+)?|resource_tracker)", command)
    return found[1] if found else command[:40]


def _latency(service: ServiceProcess, samples: int = 20) -> dict[str, object]:
    """One event at a time: how long until the API counts it."""
    path, token = _tenant(service)
    seconds = []
    for number, body in enumerate(bodies("errors", "event", samples)):
        begun = time.perf_counter()
        answer = httpx.post(
            service.url + path, content=body, headers={"content-encoding": "gzip"}, timeout=10
        )
        answer.raise_for_status()
        while _count(service, token) <= number:
            time.sleep(0.02)
        seconds.append(time.perf_counter() - begun)
        time.sleep(0.137)
    return {
        "case": "accepted to queryable, one at a time",
        "seconds_p50": round(statistics.median(seconds), 2),
        "seconds_p95": round(sorted(seconds)[int(samples * 0.95) - 1], 2),
        "target_p95": 1.5,
    }


def _tenant(service: ServiceProcess) -> tuple[str, str]:
    service.cli("org", "create", "bench")
    made = msgspec.json.decode(service.cli("project", "create", "bench", "web"))
    token = msgspec.json.decode(service.cli("token", "create", "bench"))["token"]
    dsn = urlsplit(made["dsn"])
    return f"/api/{made['id']}/envelope/?sentry_key={dsn.username}", token


def _count(service: ServiceProcess, token: str) -> int:
    answer = httpx.get(
        f"{service.url}/api/0/organizations/bench/events/",
        params={"field": "count()", "statsPeriod": "24h", "dataset": "discover"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    answer.raise_for_status()
    return int(answer.json()["data"][0]["count()"])


def _spool_mb(data: Path) -> int:
    return sum(path.stat().st_size for path in (data / "spool").glob("*.seg")) // 1_000_000


if __name__ == "__main__":
    run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
