"""Start to ready on many rows: after an orderly stop, and after `kill -9` under load.

The rows are made inside the engine, as in `benchmarks.million`; the service then starts, takes
transactions, and is killed amid them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.driving import Case, address_of, count, tenant
from benchmarks.load import endless, send
from benchmarks.million import fill
from groundswell.config import load
from groundswell.demo.service import ServiceProcess
from groundswell.store.engine import open_engine

ROWS = 10_000_000
LOAD_S = 6.0
LOAD = Case("under load", "transactions", "transaction", 1_000, 1_000)
STARTS = 3


def run(rows: int = ROWS) -> None:
    """Print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        service = ServiceProcess(Path(folder) / "d")
        with service:
            path, token = tenant(service)
        engine = open_engine(load({"DATA": str(service.data), "QUERY_MEMORY_MB": 3000}))
        fill(engine, rows)
        engine.close()
        orderly = []
        for _ in range(STARTS):
            orderly.append(_start(service))
            service.stop()
        killed, acknowledged = [], 0
        for _ in range(STARTS):
            service.start()
            acknowledged += _kill_under_load(service, path)
            killed.append(_start(service))
            if len(killed) < STARTS:
                service.stop()
        service.wait_until_queryable()
        found = {
            "case": "start to ready on many rows",
            "rows": rows,
            "seconds_after_stop": orderly,
            "seconds_after_kill_under_load": killed,
            "acknowledged_while_loaded": acknowledged,
            "queryable_in_one_project": count(service, token, "30d"),
            "target": "5 s on 10 million rows",
        }
        service.stop()
        print(json.dumps(found), flush=True)


def _start(service: ServiceProcess) -> float:
    begun = time.perf_counter()
    service.start()
    return round(time.perf_counter() - begun, 2)


def _kill_under_load(service: ServiceProcess, path: str) -> int:
    """Send transactions, kill the service amid them, and say how many it had acknowledged."""
    host, port = address_of(service)
    source = endless(LOAD.file, LOAD.kind, 5_000)
    # The first makes them all.
    next(source)
    timer = threading.Timer(LOAD_S, service.kill)
    timer.start()
    sent = asyncio.run(send(host, port, path, source, seconds=LOAD_S * 2, per_second=LOAD.offered))
    timer.join()
    return sent.accepted
