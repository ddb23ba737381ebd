"""Sending to a service of its own, and what that cost: time, processor, memory, the writer."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import threading
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from benchmarks.load import bodies, endless, send
from benchmarks.processes import Memory, family
from groundswell.demo.service import ServiceProcess

DISTINCT = 30_000
_CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, and how many a second. `offered` is above the aim, or it could not be met."""

    name: str
    file: str
    kind: str
    aim: int
    offered: int
    pad_to: int = 0
    bare: bool = False


def tenant(service: ServiceProcess) -> tuple[str, str]:
    """Make an organization, and give the path of its ingest door and a token."""
    service.cli("org", "create", "bench")
    made = msgspec.json.decode(service.cli("project", "create", "bench", "web"))
    token = msgspec.json.decode(service.cli("token", "create", "bench"))["token"]
    dsn = urlsplit(made["dsn"])
    return f"/api/{made['id']}/envelope/?sentry_key={dsn.username}", token


def address_of(service: ServiceProcess) -> tuple[str, int]:
    address = urlsplit(service.url)
    assert address.hostname
    assert address.port
    return address.hostname, address.port


def count(service: ServiceProcess, token: str, period: str = "24h") -> int:
    """Ask the API how many events there are."""
    answer = httpx.get(
        f"{service.url}/api/0/organizations/bench/events/",
        params={"field": "count()", "statsPeriod": period, "dataset": "discover"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    answer.raise_for_status()
    return int(answer.json()["data"][0]["count()"])


def drive(service: ServiceProcess, case: Case, seconds: float) -> dict[str, object]:
    """Send for a while, wait until all of it can be queried, and say how it went."""
    path, token = tenant(service)
    host, port = address_of(service)
    few = bodies(case.file, case.kind, 50)
    asyncio.run(send(host, port, path, few, seconds=1.0, per_second=50))
    service.wait_until_queryable()
    before = count(service, token)
    distinct = min(DISTINCT, int(case.offered * seconds))
    source = endless(case.file, case.kind, distinct, case.pad_to, bare=case.bare)
    sizes = [len(body) for body in islice(source, 1_000)]
    peak: list[Memory] = []
    timer = threading.Timer(seconds * 0.9, lambda: peak.extend(family(service.pid)))
    cpu, busy = _cpu_s(service.pid), _writer_s(service)
    timer.start()
    begun = time.perf_counter()
    sent = asyncio.run(send(host, port, path, source, seconds=seconds, per_second=case.offered))
    ended = time.perf_counter()
    writer_share = (_writer_s(service) - busy) / (ended - begun)
    service.wait_until_queryable()
    drained = time.perf_counter()
    spent = {name: after - cpu.get(name, 0.0) for name, after in _cpu_s(service.pid).items()}
    timer.join()
    stored = count(service, token) - before
    return {
        "case": case.name,
        "seconds": seconds,
        "bytes_gzip": round(statistics.mean(sizes)),
        "offered_per_s": case.offered,
        "accepted": sent.accepted,
        "statuses": sent.statuses,
        "accepted_per_s": round(sent.accepted / sent.seconds),
        "queryable": stored,
        "queryable_per_s": round(stored / (drained - begun)),
        "aim_per_s": case.aim,
        "drain_s": round(drained - ended, 2),
        "post_ms_p50_p95_p99": [round(sent.percentile(share), 1) for share in (0.5, 0.95, 0.99)],
        "cpu_us_each": {name: round(used / max(stored, 1) * 1e6) for name, used in spent.items()},
        "writer_busy": round(writer_share, 2),
        "resident_mb": {_name(row.command): round(row.resident_mb) for row in peak},
        "resident_mb_in_all": round(sum(row.resident_mb for row in peak)),
        "spool_mb": _spool_mb(service.data),
    }


def _writer_s(service: ServiceProcess) -> float:
    """How long the thread that stores has been at work."""
    said = httpx.get(f"{service.url}/metrics", timeout=30).text
    found = re.search(r"^groundswell_ingest_store_seconds_total (\S+)$", said, re.MULTILINE)
    assert found
    return float(found[1])


def _cpu_s(pid: int) -> dict[str, float]:
    """Processor time of a service and of its helpers, by name."""
    sums: dict[str, float] = {}
    for row in family(pid):
        fields = Path(f"/proc/{row.pid}/stat").read_text().rpartition(")")[2].split()
        name = _name(row.command)
        sums[name] = sums.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / _CLOCK
    return sums


def _name(command: str) -> str:
    found = re.search(r"(groundswell(?:\.[\w.]+)?|resource_tracker)(?: |$)", command)
    return found[1] if found else command[:40]


def _spool_mb(data: Path) -> int:
    return sum(path.stat().st_size for path in (data / "spool").glob("*.seg")) // 1_000_000
