"""What this process does again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from groundswell.charts.snapshots import Snapshots
from groundswell.http.alerting import DELIVER_S, EVALUATE_S
from groundswell.http.services import Services
from groundswell.scheduler import Job
from groundswell.store.lifecycle.retention import drop_expired
from groundswell.telemetry import logger

WARM_AFTER_S = 5.0
EXPIRE_AFTER_S = 600.0
log = logger("jobs")


def jobs_of(services: Services) -> tuple[Job, ...]:
    """List the recurring jobs of a process."""
    alerting = services.alerting
    return (
        Job("slack-upkeep", 60.0, services.slack.upkeep),
        Job("alerts", EVALUATE_S, alerting.evaluate, lease=alerting.may_evaluate),
        Job("notices", DELIVER_S, alerting.deliver, lease=alerting.may_deliver),
        Job("notice-records", 3600.0, alerting.notices.forget),
        Job("retention", 86_400.0, partial(_drop_expired, services), first_after_s=EXPIRE_AFTER_S),
        Job("chart-images", 3600.0, partial(_forget_images, services)),
        # Once the first requests are answered: readiness does not wait for the helper.
        Job("chart-helper", 86_400.0, services.renderer.warm, first_after_s=WARM_AFTER_S),
    )


async def _drop_expired(services: Services) -> None:
    """Drop whole weeks of events that are past their retention, between two batches."""
    expire = partial(drop_expired, services.engine, datetime.now(UTC))
    for part in await services.ingest.between_batches(expire):
        log.info("expired", table=part.table, partition=part.partition, rows=part.rows)


async def _forget_images(services: Services) -> None:
    """Drop stored chart images when the events that they show are dropped."""
    kept = timedelta(days=services.settings.integer("RETENTION_DAYS"))
    await Snapshots(services.metadata).revoke_older(datetime.now(UTC) - kept)
