"""The statistics against the best hand-written SQL for the same answers, in one run.

`python -m benchmarks.queries [ROWS]` runs it alone; BENCH_ROWS and BENCH_DATA say how many
transactions and where they are kept, BENCH_DUCKDB=0 leaves DuckDB out. CPU is that of this process
(the engine is in it), the best of several runs each with other values, so that no cache answers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from benchmarks.million import END, PROJECTS, WINDOW, Store, open_store
from benchmarks.questions import QUESTIONS, Asked, longest_search
from groundswell.model.tenancy import Caller, Organization, OrgId, Project, ProjectId, Scope
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile as compile_question
from groundswell.query.question import Dataset, Question
from groundswell.stats import serialize
from groundswell.stats.request import parse_series, parse_table
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata

ROWS = 5_000_000
RUNS = 5
CLIENTS = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """The cheapest of some runs, in milliseconds."""

    cpu_ms: float
    wall_ms: float


def run() -> None:
    """Print the tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows = int(os.environ.get("BENCH_ROWS", ROWS))
    folder = os.environ.get("BENCH_DATA")
    with tempfile.TemporaryDirectory() as temporary:
        store = open_store(Path(folder or temporary), rows)
        metadata = Metadata.open(f"sqlite:///{temporary}/metadata.db")
        metadata.migrate()
        try:
            statistics = Statistics(store.engine, metadata, store.settings)
            ours = asyncio.run(_measure(store, statistics))
            if os.environ.get("BENCH_DUCKDB", "1") != "0":
                from benchmarks.duck import compare

                compare(store, ours, Path(temporary))
        finally:
            store.engine.close()
            metadata.close()


async def _measure(store: Store, statistics: Statistics) -> dict[str, float]:
    """Print what our answers cost; gives their CPU by question."""
    costs = {}
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{store.rows:,} transactions, {os.cpu_count()} cores, load before {load}\n")
    print("| question | ours, CPU ms | SQL, CPU ms | ratio | target | wall ms, ours / SQL |")
    print("|---|---|---|---|---|---|")
    for asked in QUESTIONS:
        ours = await _ours(asked, statistics)
        costs[asked.name] = ours.cpu_ms
        theirs = _theirs(asked, store)
        ratio = ours.cpu_ms / max(theirs.cpu_ms, 0.01)
        print(
            f"| {asked.name} | {ours.cpu_ms:.1f} | {theirs.cpu_ms:.1f} | {ratio:.2f} "
            f"| {asked.target} | {ours.wall_ms:.1f} / {theirs.wall_ms:.1f} |",
            flush=True,
        )
    print()
    await _many_clients(statistics)
    _compile_time()
    return costs


async def answer(asked: Asked, statistics: Statistics, turn: int) -> bytes:
    """Answer a question as the API does, from parameters to JSON."""
    params = {**asked.params(turn), "project": ["1"]}
    if asked.is_table:
        table = parse_table(params, SCOPE, END, statistics.retention)
        return msgspec.json.encode(serialize.events(await statistics.table(table)))

    series = parse_series(params, SCOPE, END, statistics.retention)
    return msgspec.json.encode(serialize.events_stats(await statistics.series(series)))


async def _ours(asked: Asked, statistics: Statistics) -> Cost:
    costs = []
    for turn in range(RUNS + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        await answer(asked, statistics, turn)
        costs.append((time.process_time() - cpu, time.perf_counter() - wall))
    return _best(costs[1:])


def _theirs(asked: Asked, store: Store) -> Cost:
    """The cheapest of the ways to write it."""
    ways = []
    for way in range(len(asked.sql(0))):
        costs = []
        for turn in range(RUNS + 1):
            statements = asked.sql(turn + 100)[way]
            cpu, wall = time.process_time(), time.perf_counter()
            for statement in statements:
                store.engine.execute(statement)
            costs.append((time.process_time() - cpu, time.perf_counter() - wall))
        ways.append(_best(costs[1:]))
    return min(ways, key=lambda cost: cost.cpu_ms)


def _best(costs: Iterable[tuple[float, float]]) -> Cost:
    cpu, wall = zip(*costs, strict=True)
    return Cost(min(cpu) * 1000, min(wall) * 1000)


async def _many_clients(statistics: Statistics) -> None:
    """Throughput of many clients against one, and a light question beside heavy ones."""
    work = [(asked, turn) for turn in range(200, 204) for asked in QUESTIONS]
    again = [(asked, turn + 100) for asked, turn in work]
    one = await _seconds(lambda: _drain(iter(work), statistics))
    queue = iter(again)
    many = await _seconds(
        lambda: asyncio.gather(*(_drain(queue, statistics) for _ in range(CLIENTS)))
    )
    print(
        f"{CLIENTS} clients, {len(work)} questions: {len(work) / many:.1f} answers/s, one client "
        f"{len(work) / one:.1f}: {one / many:.2f} x (target >= 0.9)"
    )
    light, heavy = QUESTIONS[0], QUESTIONS[1]
    stop = asyncio.Event()
    turns = iter(range(1000, 100_000))

    async def keep_asking() -> None:
        while not stop.is_set():
            await answer(heavy, statistics, next(turns))

    busy = [asyncio.create_task(keep_asking()) for _ in range(CLIENTS - 1)]
    await asyncio.sleep(0.5)
    waits = await _waits(light, statistics, range(400, 440))
    stop.set()
    await asyncio.gather(*busy)
    print(
        f"{light.name}, while {CLIENTS - 1} ask for {heavy.name}: median "
        f"{waits[len(waits) // 2]:.3f} s, p95 {waits[int(len(waits) * 0.95)]:.3f} s "
        "(target <= 0.5 s)"
    )
    waits = await _waits(light, statistics, range(500, 560))
    print(f"{light.name}, alone: p95 of 60 requests {waits[56] * 1000:.1f} ms")


async def _waits(asked: Asked, statistics: Statistics, turns: Iterable[int]) -> list[float]:
    """Ask again and again, and give the seconds in order."""
    return sorted([await _seconds(partial(answer, asked, statistics, turn)) for turn in turns])


async def _drain(work: Any, statistics: Statistics) -> None:
    for asked, turn in work:
        await answer(asked, statistics, turn)


async def _seconds(do: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await do()
    return time.perf_counter() - begun


def _compile_time() -> None:
    search = longest_search()
    question = Question(
        Dataset.TRANSACTIONS, WINDOW, (ProjectId(1),), ("p95()",), search, interval_s=3600
    )
    catalog = Catalog(projects={ProjectId(1): "web"})
    costs = []
    for turn in range(30):
        fresh = search.replace("a0000", f"a{turn:04}")
        begun = time.perf_counter()
        compile_question(replace(question, search=fresh), catalog)
        costs.append(time.perf_counter() - begun)
    print(
        f"compile the longest allowed search ({len(search)} characters): "
        f"{min(costs) * 1000:.2f} ms (target <= 2 ms)"
    )


SCOPE = Scope(
    organization=Organization(OrgId(1), "bench", "Bench", WINDOW.start),
    caller=Caller(user=None, org_id=OrgId(1), scopes=frozenset()),
    role=None,
    projects=tuple(
        Project(ProjectId(id), OrgId(1), slug, slug.title(), "python", WINDOW.start)
        for id, slug in PROJECTS.items()
    ),
    member_projects=(),
)

if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ["BENCH_ROWS"] = sys.argv[1]
    run()
