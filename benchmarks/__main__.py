"""`python -m benchmarks [NAME …]`: run the named measurements, or all of them, in order."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement: a module with `run() -> None` that prints its table."""

    name: str
    module: str
    about: str


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("startup", "benchmarks.startup", "start-up time and idle memory, per process"),
    Benchmark("ingest", "benchmarks.ingest", "events per second, HTTP in to queryable"),
    Benchmark("queries", "benchmarks.queries", "statistics against hand-written SQL"),
    Benchmark("charts", "benchmarks.charts", "chart PNG, cold and warm"),
    Benchmark("trends", "benchmarks.trends", "breakpoint detection: quality and speed"),
    Benchmark("slack", "benchmarks.slack", "acknowledgement and unfurl latency"),
    Benchmark("lists", "benchmarks.lists", "lists of the API, tags of many events"),
    Benchmark("alerts", "benchmarks.alerts", "rules evaluated per minute"),
)


def main(names: list[str]) -> int:
    """Run the benchmarks; unknown names are listed with what there is."""
    known = {each.name for each in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"unknown: {', '.join(unknown)}. There are:\n")
        sys.stderr.writelines(f"  {each.name:<9} {each.about}\n" for each in BENCHMARKS)
        return 2

    for each in BENCHMARKS:
        if not names or each.name in names:
            print(f"\n## {each.name}: {each.about}\n", flush=True)
            run: Callable[[], None] = importlib.import_module(each.module).run
            run()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main(sys.argv[1:]))
