"""What is wrong now, as the answer to the command `incidents`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from groundswell import access
from groundswell.alerts import desk
from groundswell.errors import GroundswellError, NotFound
from groundswell.model.tenancy import Caller, OrgId, User
from groundswell.slack.messages.blocks import link
from groundswell.store.metadata import incidents

MOST = 20
NOTHING = "Nothing is wrong: there are no open incidents."


def open_incidents_text(
    connection: Connection, org_ids: Sequence[OrgId], user: User, base_url: str
) -> str:
    """List the open incidents of organizations that a person may see, newest first."""
    lines = []
    for org_id in org_ids:
        caller = Caller(user=user, org_id=None, scopes=frozenset())
        try:
            scope = access.scope(connection, caller, org_id)
        except GroundswellError:
            continue
        for one in incidents.list_incidents(connection, org_id, is_open=True, limit=200):
            try:
                desk.find(connection, scope, one.rule_id)
            except NotFound:
                continue
            path = f"/organizations/{scope.organization.slug}/alerts/rules/details/{one.rule_id}/"
            url = f"{base_url}{path}?alert={one.number}"
            since = f"{one.started_at:%Y-%m-%d %H:%M} UTC"
            known = " · acknowledged" if one.acknowledged_at else ""
            lines.append(f"{link(url, f'*{one.level.word}: {one.title}*')} since {since}{known}")
    if not lines:
        return NOTHING

    more = f"\n… and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "\n".join(lines[:MOST]) + more
