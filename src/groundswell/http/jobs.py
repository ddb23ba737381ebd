"""What this process does again and again."""

from __future__ import annotations

from groundswell.http.services import Services
from groundswell.scheduler import Job


def jobs_of(services: Services) -> tuple[Job, ...]:
    """List the recurring jobs of a process."""
    return (Job("slack-upkeep", 60.0, services.slack.upkeep),)
