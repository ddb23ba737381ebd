"""Slack in the metadata: workspaces, who attaches to them, who is whom, and what was done.

Tokens are stored encrypted by their caller; nothing here can read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    false,
    insert,
    select,
    update,
)

from groundswell.model.tenancy import OrgId, User, UserId
from groundswell.store.metadata.columns import BigId, UtcTime, insert_missing, registry, upsert
from groundswell.store.metadata.tables import memberships, organizations, users

# How an organization came to a workspace: by a token that Slack confirmed or an administrator who
# is linked there, by a token that waits for that, or by one that is another workspace's.
PROVEN, UNPROVEN, REFUSED = "token", "unproven", "refused"


def _ref(
    name: str, table: str, *, primary_key: bool = False, nullable: bool = False
) -> Column[Any]:
    foreign = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, BigId, foreign, primary_key=primary_key, nullable=nullable)


installations = Table(
    "slack_installations",
    registry,
    Column("id", BigId, primary_key=True),
    Column("team", String(32), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("token", Text, nullable=False),
    Column("bot_user", String(32)),
    Column("scopes", Text, nullable=False),
    Column("broken", String(255)),
    Column("rung", String(8)),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
attachments = Table(
    "slack_attachments",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    _ref("org_id", "organizations", primary_key=True),
    # A token that waits for its proof, where the workspace has one that works.
    Column("token", Text),
    Column("proof", String(16), nullable=False, server_default="token"),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "org_id"),
)
identities = Table(
    "slack_identities",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    Column("slack_user", String(32), primary_key=True),
    _ref("user_id", "users"),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "user_id"),
)
team_channels = Table(
    "slack_team_channels",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    _ref("team_id", "teams", primary_key=True),
    _ref("org_id", "organizations"),
    Column("channel", String(32), nullable=False),
    Column("channel_name", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "installation_id", "channel"),
)
channel_orgs = Table(
    "slack_channel_orgs",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    Column("channel", String(32), primary_key=True),
    _ref("org_id", "organizations"),
    # Whether somebody said so; else it is the organization of the first team linked here.
    Column("is_chosen", Boolean, nullable=False, server_default=false()),
)
analytics = Table(
    "slack_analytics",
    registry,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("org_id", BigId),
    Column("user_id", BigId),
    Column("data", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace. `token` is encrypted; `broken` says why it does not work, None when it does;
    `rung` is the way by which images last reached it. `unproven`: the organizations that attached
    with a token of which Slack has not said yet whose it is."""

    id: int
    team: str
    name: str
    token: str
    bot_user: str | None
    scopes: str
    broken: str | None
    rung: str | None
    org_ids: tuple[OrgId, ...] = ()
    unproven: tuple[OrgId, ...] = ()

    @property
    def health(self) -> str:
        """Say in a word or two whether it works: ok, unverified, or broken and why."""
        if self.broken:
            return f"broken: {self.broken}"

        return "ok" if self.bot_user and not self.unproven else "unverified"


def install(
    connection: Connection,
    *,
    team: str,
    token: str,
    org_id: OrgId,
    now: datetime,
    name: str = "",
    bot_user: str | None = None,
    scopes: str = "",
) -> int:
    """Record a workspace with its token and attach an organization; both may exist already.

    bot_user: the app's own user, known where Slack has said that the token is this workspace's.
    """
    facts: dict[str, Any] = {"token": token, "broken": None, "rung": None, "bot_user": None}
    facts |= {k: v for k, v in (("name", name), ("bot_user", bot_user), ("scopes", scopes)) if v}
    full = {"name": "", "scopes": "", "created_at": now, **facts}
    if not insert_missing(connection, installations, {"team": team, **full}):
        connection.execute(
            update(installations).where(installations.c.team == team).values(**facts)
        )
    found = connection.execute(
        select(installations.c.id).where(installations.c.team == team)
    ).scalar_one()
    attach(connection, found, org_id, now, proof=PROVEN if bot_user else UNPROVEN)
    return int(found)


def attach(
    connection: Connection,
    installation_id: int,
    org_id: OrgId,
    now: datetime,
    *,
    proof: str = PROVEN,
    token: str | None = None,
) -> None:
    """Let an organization answer in a workspace. token: one that waits for its proof."""
    keys = {"installation_id": installation_id, "org_id": org_id}
    facts = {"proof": proof, "token": token}
    if not insert_missing(connection, attachments, {**keys, **facts, "created_at": now}):
        _update_attachment(connection, installation_id, org_id, facts)


def prove(connection: Connection, installation_id: int) -> None:
    """Record that Slack has confirmed a workspace's token, and so who attached with it."""
    connection.execute(
        update(attachments)
        .where(
            attachments.c.installation_id == installation_id,
            attachments.c.proof == UNPROVEN,
            attachments.c.token.is_(None),
        )
        .values(proof=PROVEN)
    )


def waiting_for_proof(connection: Connection) -> list[tuple[Installation, OrgId, str]]:
    """List the attachments with a token of their own that nobody has proven yet."""
    query = select(attachments).where(attachments.c.token.is_not(None))
    found = [
        (by_id(connection, row.installation_id), OrgId(row.org_id), row.token)
        for row in connection.execute(query).all()
    ]
    return [(one, org, token) for one, org, token in found if one is not None]


def settle_proof(
    connection: Connection, installation: Installation, org_id: OrgId, *, is_ours: bool
) -> None:
    """Record what Slack said of an attachment's own token: it is the workspace's, or not."""
    facts = {"proof": PROVEN if is_ours else REFUSED, "token": None}
    _update_attachment(connection, installation.id, org_id, facts)


def _update_attachment(
    connection: Connection, installation_id: int, org_id: OrgId, facts: Mapping[str, Any]
) -> None:
    match = attachments.c.installation_id == installation_id
    connection.execute(
        update(attachments).where(match, attachments.c.org_id == org_id).values(**facts)
    )


def detach(connection: Connection, installation_id: int, org_id: OrgId) -> None:
    """Take an organization out of a workspace; the others stay."""
    for table in (attachments, team_channels, channel_orgs):
        connection.execute(
            delete(table).where(
                table.c.installation_id == installation_id, table.c.org_id == org_id
            )
        )


def by_team(connection: Connection, team: str) -> Installation | None:
    """Find a workspace with the organizations that attach to it, the first one first."""
    row = connection.execute(select(installations).where(installations.c.team == team)).first()
    return _installation(connection, row) if row is not None else None


def by_id(connection: Connection, installation_id: int) -> Installation | None:
    query = select(installations).where(installations.c.id == installation_id)
    row = connection.execute(query).first()
    return _installation(connection, row) if row is not None else None


def every(connection: Connection) -> list[Installation]:
    """List the workspaces."""
    rows = connection.execute(select(installations).order_by(installations.c.id)).all()
    return [_installation(connection, row) for row in rows]


def troubled_workspaces(
    connection: Connection, org_id: OrgId
) -> tuple[list[tuple[str, str]], list[str]]:
    """List the workspaces of an organization that do not work, each with the reason, and those of
    which Slack has not said yet whose token we hold."""
    query = (
        select(installations, attachments.c.proof)
        .join(attachments, attachments.c.installation_id == installations.c.id)
        .where(attachments.c.org_id == org_id)
        .where(installations.c.broken.is_not(None) | (attachments.c.proof != PROVEN))
        .order_by(installations.c.id)
    )
    found = connection.execute(query).all()
    broken = [(row.name or row.team, row.broken) for row in found if row.broken]
    broken += [
        (row.name or row.team, "the token belongs to another workspace")
        for row in found
        if row.proof == REFUSED and not row.broken
    ]
    return broken, [
        row.name or row.team for row in found if row.proof == UNPROVEN and not row.broken
    ]


def _installation(connection: Connection, row: Row[Any]) -> Installation:
    attached = connection.execute(
        select(attachments.c.org_id, attachments.c.proof)
        .where(attachments.c.installation_id == row.id, attachments.c.proof != REFUSED)
        .order_by(attachments.c.created_at, attachments.c.org_id)
    ).all()
    return Installation(
        row.id,
        row.team,
        row.name,
        row.token,
        row.bot_user,
        row.scopes,
        row.broken,
        row.rung,
        tuple(OrgId(one.org_id) for one in attached),
        tuple(OrgId(one.org_id) for one in attached if one.proof == UNPROVEN),
    )


def learn(connection: Connection, installation_id: int, /, **facts: str | None) -> None:
    """Remember what Slack told: `name`, `bot_user`, `scopes`, `broken`, `rung`."""
    connection.execute(
        update(installations).where(installations.c.id == installation_id).values(**facts)
    )


def org_slugs(connection: Connection, org_ids: tuple[OrgId, ...]) -> dict[str, OrgId]:
    """Map the slugs of organizations to their ids, in the order given."""
    rows = connection.execute(
        select(organizations.c.slug, organizations.c.id).where(organizations.c.id.in_(org_ids))
    ).all()
    slugs = {row.id: row.slug for row in rows}
    return {slugs[org_id]: org_id for org_id in org_ids if org_id in slugs}


def org_id_of(connection: Connection, slug: str) -> OrgId | None:
    found = connection.execute(
        select(organizations.c.id).where(organizations.c.slug == slug)
    ).scalar()
    return None if found is None else OrgId(found)


def user_of(connection: Connection, installation_id: int, slack_user: str) -> User | None:
    """Tell who a Slack user is here; None when nobody, or not active any more."""
    row = connection.execute(
        select(users)
        .join(identities, identities.c.user_id == users.c.id)
        .where(
            identities.c.installation_id == installation_id,
            identities.c.slack_user == slack_user,
            users.c.is_active,
        )
    ).first()
    if row is None:
        return None

    return User(UserId(row.id), row.email, row.name, row.is_active, row.created_at)


def is_linked(connection: Connection, installation_id: int, user_id: UserId) -> bool:
    """Say whether a person is linked in a workspace."""
    match = (identities.c.installation_id == installation_id) & (identities.c.user_id == user_id)
    return connection.execute(select(identities.c.user_id).where(match)).first() is not None


def link_identity(
    connection: Connection, installation_id: int, slack_user: str, user_id: UserId, now: datetime
) -> None:
    """Say that a Slack user is a person here."""
    upsert(
        connection,
        identities,
        {"installation_id": installation_id, "slack_user": slack_user},
        {"user_id": user_id, "created_at": now},
    )


def unlink_identity(connection: Connection, installation_id: int, slack_user: str) -> bool:
    found = connection.execute(
        delete(identities).where(
            identities.c.installation_id == installation_id, identities.c.slack_user == slack_user
        )
    )
    return found.rowcount > 0


def roles(connection: Connection, org_ids: tuple[OrgId, ...], user_id: UserId) -> dict[OrgId, str]:
    """Give a person's role in each of these organizations that they belong to, in order."""
    rows = connection.execute(
        select(memberships.c.org_id, memberships.c.role).where(
            memberships.c.user_id == user_id, memberships.c.org_id.in_(org_ids)
        )
    ).all()
    found = {row.org_id: row.role for row in rows}
    return {org_id: found[org_id] for org_id in org_ids if org_id in found}


def record(
    connection: Connection,
    name: str,
    data: Mapping[str, Any],
    now: datetime,
    *,
    org_id: int | None = None,
    user_id: int | None = None,
) -> None:
    """Record an analytics event."""
    row = {"name": name, "org_id": org_id, "user_id": user_id, "data": dict(data), "at": now}
    connection.execute(insert(analytics).values(**row))


def forget(connection: Connection, now: datetime) -> None:
    """Drop what is older than it needs to be remembered."""
    connection.execute(delete(analytics).where(analytics.c.at < now - timedelta(days=90)))
