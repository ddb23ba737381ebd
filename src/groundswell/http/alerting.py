"""Alerts of one process, put together: evaluator, queue of notices, and their ways out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from groundswell.alerts.charts import Span, chart_of, span_of_incident
from groundswell.alerts.evaluator import Evaluator
from groundswell.alerts.scopes import scope_of
from groundswell.alerts.suspects import Suspects
from groundswell.charts.render import Renderer
from groundswell.charts.spec import vega_lite
from groundswell.config import Settings
from groundswell.ingest.pipeline import Ingest
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import OrgId, Scope
from groundswell.notify.mail import Mailer
from groundswell.notify.queue import Notices
from groundswell.notify.webhooks import Webhooks
from groundswell.slack.alerts import AlertLinks, IncidentButtons
from groundswell.slack.images import Picture
from groundswell.slack.links import Kind, Link
from groundswell.slack.notices import SlackNotices
from groundswell.slack.service import Slack
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata, alerts, incidents
from groundswell.telemetry import logger
from groundswell.timeframe import parse_instant, parse_period

log = logger("alerts")
EVALUATE_S, DELIVER_S, SUSPECT_S = 5.0, 2.0, 1.0
# Whoever takes over from a process that died waits so long. A judgement that took longer is not
# written down twice; a message that took longer might be sent twice.
EVALUATING, DELIVERING = timedelta(seconds=20), timedelta(seconds=60)
WIDTH, HEIGHT = 800, 320
DEFAULT_SPAN_S = 10_000 * 60


@dataclass(frozen=True, slots=True)
class Alerting:
    """What the jobs run and the pages ask."""

    metadata: Metadata
    evaluator: Evaluator
    suspects: Suspects
    notices: Notices
    webhooks: Webhooks
    pictures: Pictures
    holder: str

    async def evaluate(self) -> None:
        """Judge what is due."""
        await self.evaluator.evaluate(datetime.now(UTC))

    async def suspect(self) -> None:
        """Look for what new incidents may come from."""
        await self.suspects.look(datetime.now(UTC))

    async def deliver(self) -> None:
        """Tell what there is to tell."""
        await self.notices.deliver()

    async def may_evaluate(self) -> bool:
        """Take the lease, so that one of several processes evaluates."""
        return await self._lease("alerts", EVALUATING)

    async def may_deliver(self) -> bool:
        return await self._lease("notices", DELIVERING)

    async def _lease(self, name: str, length: timedelta) -> bool:
        now = datetime.now(UTC)
        return await self.metadata.run(alerts.take_lease, name, self.holder, now, length)


class Pictures:
    """Draws charts of rules and incidents for messages."""

    def __init__(self, metadata: Metadata, statistics: Statistics, renderer: Renderer) -> None:
        self._metadata = metadata
        self._statistics = statistics
        self._renderer = renderer

    async def of_incident(self, org_id: int, rule_id: int, number: int) -> Picture | None:
        """Draw an incident; None when it is gone."""

        def read(connection: Connection) -> tuple[Scope, Rule, Incident] | None:
            scope = scope_of(connection, OrgId(org_id))
            watched = alerts.find_rule(connection, OrgId(org_id), rule_id)
            incident = incidents.find_incident(connection, OrgId(org_id), number)
            if scope is None or watched is None or incident is None:
                return None
            return scope, watched.rule, incident

        found = await self._metadata.run(read)
        if found is None:
            return None

        scope, rule, incident = found
        span = span_of_incident(rule, incident, datetime.now(UTC))
        return await self._draw(scope, rule, span, incident.group)

    async def of_link(self, rule: Rule, incident: Incident | None, link: Link) -> Picture | None:
        """Draw what a link to a rule shows."""
        scope = await self._metadata.run(scope_of, rule.org_id)
        if scope is None:
            return None

        now = datetime.now(UTC)
        chosen = incident if link.first("alert") else None
        span = span_of_page(rule, chosen, now, {k: list(v) for k, v in link.params.items()})
        return await self._draw(scope, rule, span, incident.group if incident else "")

    async def _draw(self, scope: Scope, rule: Rule, span: Span, group: str) -> Picture:
        known = await self._metadata.run(
            lambda c: incidents.list_incidents(c, rule.org_id, rule_ids=[rule.id], limit=200)
        )
        shown = [one for one in known if one.group == group]
        chart = await chart_of(
            self._statistics, rule, scope, span, shown, group=group, width=WIDTH, height=HEIGHT
        )
        png = await self._renderer.png(vega_lite(chart))
        return Picture(png, f"Chart of {rule.name}", rule.org_id, rule.projects)


def span_of_page(
    rule: Rule, incident: Incident | None, now: datetime, params: dict[str, list[str]]
) -> Span:
    """Choose what a page or link shows: the incident, start and end, a period, or a week."""
    first = {name: values[0] for name, values in params.items() if values and values[0]}
    if incident is not None:
        return span_of_incident(rule, incident, now)

    start, end = parse_instant(first.get("start", "")), parse_instant(first.get("end", ""))
    last = int(now.timestamp())
    if start is not None and end is not None and start < end:
        return Span(int(start.timestamp()), min(int(end.timestamp()), last))

    period = parse_period(first.get("period", ""))
    return Span(last - min(period or DEFAULT_SPAN_S, 90 * 86_400), last)


def open_alerting(
    settings: Settings,
    secret_keys: tuple[str, ...],
    metadata: Metadata,
    statistics: Statistics,
    renderer: Renderer,
    ingest: Ingest,
    slack: Slack,
) -> Alerting:
    """Put the parts together and give Slack its handlers."""
    pictures = Pictures(metadata, statistics, renderer)

    def progress() -> tuple[int, int]:
        balance = ingest.balance()
        return balance.accepted, balance.stored + balance.dropped

    webhooks = Webhooks(
        secret_keys[0], settings.base_url, allow_private=settings.flag("WEBHOOK_ALLOW_PRIVATE")
    )
    mailer = Mailer(settings.text("SMTP_URL"), settings.text("MAIL_FROM"), settings.base_url)
    to_slack = SlackNotices(slack.incidents, pictures.of_incident)
    links = AlertLinks(metadata, slack.ladder, pictures.of_link)
    slack.unfurler.handlers[Kind.ALERT] = links.unfurl
    IncidentButtons(metadata).register(slack)
    return Alerting(
        metadata=metadata,
        evaluator=Evaluator(
            metadata,
            statistics,
            delay_s=settings.integer("ALERT_DELAY_S"),
            progress=progress,
        ),
        suspects=Suspects(metadata, statistics),
        notices=Notices(
            metadata,
            {"slack": to_slack.send, "email": mailer.send, "webhook": webhooks.send},
        ),
        webhooks=webhooks,
        pictures=pictures,
        holder=uuid.uuid4().hex,
    )
