"""Chart PNG time: the helper cold, then warm with new data each time, then from the cache."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Callable

from groundswell.charts.render import Renderer
from groundswell.charts.spec import Chart, Kind, Line, vega_lite
from groundswell.config import load

RUNS = 12
POINTS = 336
HOUR_S = 3600


def run() -> None:
    """Print the table."""
    asyncio.run(_run())


async def _run() -> None:
    print(f"{'chart':<14}{'cold ms':>9}{'warm median ms':>16}{'cached ms':>11}{'PNG kB':>8}")
    for name, make in KINDS.items():
        renderer = Renderer(load({}, {}))
        cold_ms, _ = await _timed(renderer, make(0))
        warm = [await _timed(renderer, make(seed)) for seed in range(1, RUNS + 1)]
        cached_ms, image = await _timed(renderer, make(RUNS))
        await renderer.close()
        warm_ms = statistics.median(ms for ms, _ in warm)
        print(
            f"{name:<14}{cold_ms:>9.0f}{warm_ms:>16.0f}{cached_ms:>11.1f}{len(image) / 1e3:>8.0f}"
        )


async def _timed(renderer: Renderer, chart: Chart) -> tuple[float, bytes]:
    spec = vega_lite(chart)
    started = time.perf_counter()
    image = await renderer.png(spec)
    return (time.perf_counter() - started) * 1000, image


def _line(name: str, seed: int, scale: float) -> Line:
    starts = tuple(1_760_000_400 + HOUR_S * n for n in range(POINTS))
    values = tuple(
        scale * (1.5 + math.sin((n + seed) / 24 * 2 * math.pi) + 0.1 * ((n * 7919 + seed) % 11))
        for n in range(POINTS)
    )
    return Line(name, starts, values)


def _single(seed: int) -> Chart:
    return Chart("p95(transaction.duration)", (_line("p95", seed, 300),), type="duration",
                 unit="millisecond")  # fmt: skip


def _top5(seed: int) -> Chart:
    lines = tuple(_line(f"transaction-{n}", seed + n, 100 * (6 - n)) for n in range(6))
    return Chart("count() by transaction", lines, kind=Kind.STACKED_AREA, type="integer")


KINDS: dict[str, Callable[[int], Chart]] = {"line": _single, "stacked top 5": _top5}
