"""Start-up time to ready, and idle memory of every process, before and after the first chart."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx
import msgspec

from benchmarks.processes import family
from groundswell.demo.service import ServiceProcess

STARTS = 5


def run() -> None:
    """Print the table."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        for _ in range(STARTS):
            service = ServiceProcess(data)
            started = time.perf_counter()
            service.start()
            seconds.append(time.perf_counter() - started)
            service.stop()
        print(
            f"start to ready, {STARTS} starts: median {statistics.median(seconds):.2f} s, "
            f"first (empty directory) {seconds[0]:.2f} s, slowest {max(seconds):.2f} s"
        )
        with ServiceProcess(data) as service:
            time.sleep(3)
            _print_memory("idle after start", service.pid)
            _draw(service)
            time.sleep(1)
            _print_memory("after the first chart", service.pid)


def _draw(service: ServiceProcess) -> None:
    service.cli("org", "create", "bench")
    service.cli("project", "create", "bench", "web")
    token = msgspec.json.decode(service.cli("token", "create", "bench"))["token"]
    answer = httpx.get(
        f"{service.url}/api/0/organizations/bench/events-stats/chart.png?statsPeriod=24h",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    answer.raise_for_status()


def _print_memory(label: str, pid: int) -> None:
    processes = family(pid)
    print(f"\n{label}:")
    for each in processes:
        print(
            f"  {each.resident_mb:7.0f} MB ({each.anonymous_mb:.0f} anonymous)  {each.command[:80]}"
        )
    total = sum(each.resident_mb for each in processes)
    anonymous = sum(each.anonymous_mb for each in processes)
    print(f"  {total:7.0f} MB ({anonymous:.0f} anonymous)  all together")
