"""What this process does again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

from groundswell.charts.snapshots import Snapshots
from groundswell.http.alerting import DELIVER_S, EVALUATE_S, SUSPECT_S
from groundswell.http.services import Services
from groundswell.scheduler import Job
from groundswell.store.engine import Engine
from groundswell.store.lifecycle.retention import Expired, drop_expired
from groundswell.store.metadata import alerts
from groundswell.telemetry import logger
from groundswell.trends.watch import Watch

WARM_AFTER_S = 5.0
DAY_S = 86_400.0
EXPIRE_AFTER_S = 600.0
# How often it is looked whether the scan of a project is due.
WATCH_S = 300.0
WATCH_LEASE = timedelta(minutes=15)
BetweenBatches: TypeAlias = Callable[[Callable[[], list[Expired]]], Awaitable[list[Expired]]]
log = logger("jobs")


def jobs_of(services: Services) -> tuple[Job, ...]:
    """List the recurring jobs of a process."""
    alerting = services.alerting
    return (
        Job("slack-upkeep", 60.0, services.slack.upkeep),
        Job("alerts", EVALUATE_S, alerting.evaluate, lease=alerting.may_evaluate),
        Job("suspects", SUSPECT_S, alerting.suspect),
        Job("notices", DELIVER_S, alerting.deliver, lease=alerting.may_deliver),
        Job("notice-records", 3600.0, alerting.notices.forget),
        Job("trends", WATCH_S, partial(_watch, services), lease=partial(_may_watch, services)),
        retention_job(services.engine, services.ingest.between_batches),
        Job("chart-images", 3600.0, partial(_forget_images, services)),
        # Once the first requests are answered: readiness does not wait for the helper.
        Job("chart-helper", DAY_S, services.renderer.warm, first_after_s=WARM_AFTER_S),
    )


async def _watch(services: Services) -> None:
    """Look for trends in the projects that are due."""
    watch = Watch(
        services.metadata,
        services.statistics,
        services.alerting.notices,
        services.settings.base_url,
    )
    await watch.run(datetime.now(UTC))


async def _may_watch(services: Services) -> bool:
    """Take the lease, so that one of several processes looks for trends."""
    return await services.metadata.run(
        alerts.take_lease, "trends", services.alerting.holder, datetime.now(UTC), WATCH_LEASE
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def retention_job(
    engine: Engine, between_batches: BetweenBatches, clock: Callable[[], datetime] = _utc_now
) -> Job:
    """Make the job that drops whole weeks of events past their retention, between two batches."""

    async def drop() -> None:
        expire = partial(drop_expired, engine, clock())
        for part in await between_batches(expire):
            log.info("expired", table=part.table, partition=part.partition, rows=part.rows)

    return Job("retention", DAY_S, drop, first_after_s=EXPIRE_AFTER_S)


async def _forget_images(services: Services) -> None:
    """Drop stored chart images when the events that they show are dropped."""
    kept = timedelta(days=services.settings.integer("RETENTION_DAYS"))
    await Snapshots(services.metadata).revoke_older(datetime.now(UTC) - kept)
