"""`python -m benchmarks [NAME …] [--seconds N] [--rows N]`: run the named measurements, or all of
them, in order. Each takes the options that its `run` names.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement: a module with a `run` that prints its table."""

    name: str
    module: str
    about: str


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("startup", "benchmarks.startup", "start-up time and idle memory, per process"),
    Benchmark("ingest", "benchmarks.ingest", "events per second, HTTP in to queryable"),
    Benchmark("workers", "benchmarks.workers", "transactions per second by digest workers"),
    Benchmark("restart", "benchmarks.restart", "start to ready on 10 million rows"),
    Benchmark("queries", "benchmarks.queries", "statistics against hand-written SQL"),
    Benchmark("charts", "benchmarks.charts", "chart PNG, cold and warm"),
    Benchmark("trends", "benchmarks.trends", "breakpoint detection: quality and speed"),
    Benchmark("slack", "benchmarks.slack", "acknowledgement and unfurl latency"),
    Benchmark("lists", "benchmarks.lists", "lists of the API, tags of many events"),
    Benchmark("alerts", "benchmarks.alerts", "rules evaluated per minute"),
    Benchmark("likely", "benchmarks.likely", "rules that learn: false alarms, changes noticed"),
)


def main(arguments: list[str]) -> int:
    """Run the benchmarks; unknown names are listed with what there is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=float, help="how long ingest and workers send")
    parser.add_argument("--rows", type=int, help="how many rows restart makes")
    given = vars(parser.parse_args(arguments))
    names = given.pop("names")
    options = {name: value for name, value in given.items() if value is not None}
    known = {each.name for each in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"unknown: {', '.join(unknown)}. There are:\n")
        sys.stderr.writelines(f"  {each.name:<9} {each.about}\n" for each in BENCHMARKS)
        return 2

    for each in BENCHMARKS:
        if not names or each.name in names:
            print(f"\n## {each.name}: {each.about}\n", flush=True)
            run: Callable[..., None] = importlib.import_module(each.module).run
            taken = inspect.signature(run).parameters
            run(**{name: value for name, value in options.items() if name in taken})
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main(sys.argv[1:]))
