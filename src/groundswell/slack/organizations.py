"""The organizations of a workspace, as its people see and change them: `org …` → what is said."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from groundswell.model.tenancy import OrgId, Role, User
from groundswell.slack.messages import linking as words
from groundswell.slack.workspaces import utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_channels as channels
from groundswell.store.metadata import tenancy

MAY_LINK_TEAMS = frozenset({Role.ADMIN, Role.MANAGER, Role.OWNER})


def answer(
    connection: Connection,
    installation: rows.Installation,
    user: User,
    channel: str,
    typed: Sequence[str],
) -> str:
    """Answer `org`, `org default SLUG`, `org attach SLUG` and `org detach SLUG`.

    channel: "" in a direct message.
    """
    verb = typed[0].lower() if typed else ""
    slug = typed[1].lower().removeprefix("org:") if len(typed) > 1 else ""
    if not verb:
        return _present(connection, installation, user, channel)

    if verb not in {"default", "attach", "detach"} or not slug:
        return words.ORG_USAGE

    if verb == "default" and not channel:
        return words.CHANNEL_ONLY

    # Whoever may not is not told whether it exists.
    org_id = rows.org_id_of(connection, slug)
    role = None if org_id is None else tenancy.role_of(connection, org_id, user.id)
    if org_id is None or role not in MAY_LINK_TEAMS:
        return words.not_yours(slug)

    if verb == "attach":
        rows.attach(connection, installation.id, org_id, utc_now())
        return words.org_attached(slug)

    if org_id not in installation.org_ids:
        return words.org_not_attached(slug)

    if verb == "detach":
        rows.detach(connection, installation.id, org_id)
        return words.org_detached(slug)

    channels.choose_channel_org(connection, installation.id, channel, org_id)
    return words.org_chosen(slug)


def _present(
    connection: Connection, installation: rows.Installation, user: User, channel: str
) -> str:
    mine = rows.org_slugs(connection, tuple(rows.roles(connection, installation.org_ids, user.id)))
    if not mine:
        return words.NO_ORGANIZATION

    default: OrgId | None = None
    if channel:
        default = channels.channel_org(connection, installation.id, channel)
    chosen = next((slug for slug, org in mine.items() if org == default), "")
    return words.organizations_here(list(mine), chosen)
