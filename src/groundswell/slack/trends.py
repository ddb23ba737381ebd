"""A link to the trends → what changed most, for somebody who may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import Caller, Scope, User
from groundswell.slack.links import Link
from groundswell.slack.messages.unfurls import Told, chart_unfurl
from groundswell.slack.workspaces import utc_now
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.tenancy import list_features
from groundswell.trends.rows import Row
from groundswell.trends.transactions import DEFAULT_FUNCTION, find_trends, parse_trends

if TYPE_CHECKING:
    from groundswell.slack.unfurl import Shared

FEATURE = "performance-new-trends"
DEFAULT_PERIOD = "14d"
SHOWN = 5
_DATES = ("statsPeriod", "start", "end")


class TrendLinks:
    """Unfurls links to the page of trends."""

    def __init__(self, metadata: Metadata, statistics: Statistics) -> None:
        self._metadata = metadata
        self._statistics = statistics

    async def unfurl(self, link: Link, user: User | None, shared: Shared) -> dict[str, Any] | None:
        """Tell the strongest changes; None where the sharer may see none of it."""
        if user is None or shared.is_external or shared.is_composer:
            return None

        params = {name: list(values) for name, values in link.params.items()}
        if not any(link.first(name) for name in _DATES):
            params["statsPeriod"] = [DEFAULT_PERIOD]
        try:
            scope = await self._metadata.run(_scope, link, user)
            asked = parse_trends(params, scope, utc_now(), self._statistics.retention)
            found = await find_trends(self._statistics, asked) if asked is not None else None
        except UserError:
            return None

        if found is None:
            return None

        function = link.first("trendFunction") or DEFAULT_FUNCTION
        period = link.first("statsPeriod") or (DEFAULT_PERIOD if "start" not in params else "")
        changed = len(found.rows)
        sentence = "No change."
        if changed:
            strongest = found.rows[0]
            sentence = (
                f"{changed} of {len(found.panel.groups)} changed, most of all "
                f"{strongest['transaction']}: {_words(strongest)}."
            )
        told = Told(
            url=link.url.replace("&amp;", "&"),
            title=" · ".join(part for part in (f"Trends · {function}", period) if part),
            sentence=sentence,
            top=tuple((str(row["transaction"]), _words(row)) for row in found.rows[:SHOWN]),
            query=link.first("query") or "",
            details=("UTC",),
        )
        return chart_unfurl(told)


def _scope(connection: Connection, link: Link, user: User) -> Scope:
    caller = Caller(user=user, org_id=None, scopes=frozenset())
    scope = access.scope(connection, caller, link.org)
    if not list_features(connection, scope.organization.id).get(FEATURE, True):
        raise NotFound

    return scope


def _words(row: Row) -> str:
    at = f"{datetime.fromtimestamp(float(row['breakpoint']), UTC):%Y-%m-%d %H:%M} UTC"
    ratio = row["trend_percentage"]
    change = f"{(float(ratio) - 1) * 100:+,.0f}%" if ratio is not None else "changed"
    return f"{change} since {at} ({row['change']}, {row['project']})"
