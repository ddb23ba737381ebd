"""Recurring work: no overlap, failures stay alone, leases decide."""

from __future__ import annotations

import asyncio

from groundswell.scheduler import Job, Scheduler


async def run_for(job: Job, seconds: float) -> None:
    task = asyncio.create_task(Scheduler((job,)).run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_job_never_overlaps_itself() -> None:
    running = 0
    most = 0
    runs = 0

    async def slow() -> None:
        nonlocal running, most, runs
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.03)
        running -= 1
        runs += 1

    await run_for(Job("slow", 0.01, slow, first_after_s=0), 0.2)
    assert most == 1
    assert runs >= 2


async def test_a_failing_job_runs_again() -> None:
    runs = 0

    async def failing() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("on purpose")

    await run_for(Job("failing", 0.01, failing, first_after_s=0), 0.1)
    assert runs >= 2


async def test_without_the_lease_nothing_runs() -> None:
    runs = 0

    async def job() -> None:
        nonlocal runs
        runs += 1

    async def refused() -> bool:
        return False

    await run_for(Job("leased", 0.01, job, first_after_s=0, lease=refused), 0.05)
    assert runs == 0
