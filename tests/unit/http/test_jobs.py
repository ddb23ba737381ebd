"""Jobs as the scheduler runs them: retention drops whole weeks, by project and kind of data."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.http.jobs import DAY_S, EXPIRE_AFTER_S, retention_job
from groundswell.ingest.recovery import Checkpoint
from groundswell.ingest.storing import Storer
from groundswell.scheduler import Scheduler
from groundswell.store.engine import Engine

# (kind, days): how long two projects keep what they sent in the week of the test.
SHORT = {"errors": 3, "spans": 1}
LONG = {"errors": 17, "spans": 3}


async def _count(engine: Engine, table: str, project: int) -> int:
    answer = await engine.query(
        f"SELECT count() FROM {table} WHERE project_id = {{p:UInt64}}", {"p": project}
    )
    return int(answer.scalar())


@pytest.mark.parametrize(
    ("days_later", "left"),
    [
        (1, {"short errors", "short spans", "long errors", "long spans"}),
        (8, {"short errors", "long errors", "long spans"}),
        (10, {"long errors"}),
    ],
)
async def test_weeks_go_when_all_in_them_is_past_its_time(
    engine: Engine, tmp_path: Path, days_later: int, left: set[str]
) -> None:
    now = datetime.now(UTC)
    monday = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=now.weekday())
    projects = {"short": uuid.uuid4().int % 2**40, "long": uuid.uuid4().int % 2**40}
    for name, kinds in (("short", SHORT), ("long", LONG)):
        for table, days in kinds.items():
            engine.execute(
                f"INSERT INTO {table} (project_id, timestamp, retention_days)"
                " VALUES ({p:UInt64}, {t:DateTime}, {d:UInt16})",
                {"p": projects[name], "t": now, "d": days},
            )
    storer = Storer(engine, tmp_path, Checkpoint("spool"))
    done = asyncio.Event()

    def clock() -> datetime:
        # The scheduler asks for the time once in every run.
        if next(runs):
            done.set()
        return monday + timedelta(days=days_later)

    runs = itertools.count()
    # Time flies: whenever the scheduler looks, the next run is due.
    seconds = itertools.count(0, max(DAY_S, EXPIRE_AFTER_S))
    job = retention_job(engine, storer.run, clock)
    running = asyncio.create_task(Scheduler((job,), clock=lambda: float(next(seconds))).run())
    await asyncio.wait_for(done.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    storer.close()
    found = {
        f"{name} {table}"
        for name, project in projects.items()
        for table in SHORT
        if await _count(engine, table, project)
    }
    assert found == left
