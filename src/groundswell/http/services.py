"""The parts of one process, built once and handed to every handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell.charts.render import Renderer
    from groundswell.config import Settings
    from groundswell.http.alerting import Alerting
    from groundswell.ingest.pipeline import Ingest
    from groundswell.slack.service import Slack
    from groundswell.stats.activity import Activity
    from groundswell.stats.statistics import Statistics
    from groundswell.store.engine import Engine
    from groundswell.store.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Services:
    """What this process is made of.

    secret_keys: the signing key first. control_token: opens the door of admin commands; closed
    while it is empty.
    """

    settings: Settings
    secret_keys: tuple[str, ...]
    engine: Engine
    metadata: Metadata
    ingest: Ingest
    statistics: Statistics
    activity: Activity
    renderer: Renderer
    slack: Slack
    alerting: Alerting
    control_token: str = ""
