"""Recurring work: due times with jitter, never two runs of one job at a time, one process by lease.

Due times rest on a monotonic clock, so a wall clock that jumps neither skips nor repeats a run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from groundswell.telemetry import counter, logger

log = logger("scheduler")
RUNS = counter("scheduler_runs", "Runs of recurring jobs.", ("job", "result"))


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again.

    every_s: time between the starts of two runs; a run that takes longer delays the next one.
    lease: answers whether this process may run the job now (several processes share one database).
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    first_after_s: float | None = None
    lease: Callable[[], Awaitable[bool]] | None = None


class Scheduler:
    """Runs jobs until `run` is cancelled; one failing job never stops another."""

    def __init__(
        self,
        jobs: tuple[Job, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.jobs = jobs
        self._clock = clock
        self._jitter = jitter

    async def run(self) -> None:
        """Run every job on its own due times."""
        async with asyncio.TaskGroup() as group:
            for job in self.jobs:
                group.create_task(self._repeat(job), name=f"job:{job.name}")

    async def _repeat(self, job: Job) -> None:
        first = job.every_s * self._jitter() if job.first_after_s is None else job.first_after_s
        due = self._clock() + first
        while True:
            await asyncio.sleep(max(0.0, due - self._clock()))
            await self._once(job)
            due = max(due + job.every_s, self._clock())

    async def _once(self, job: Job) -> None:
        try:
            if job.lease is not None and not await job.lease():
                return

            await job.run()
        except Exception:
            RUNS.labels(job.name, "failed").inc()
            log.exception("job_failed", job=job.name)
        else:
            RUNS.labels(job.name, "done").inc()
