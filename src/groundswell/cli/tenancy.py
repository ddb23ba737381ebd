"""`org`, `project`, `team`, `user`, `token`: who owns what. They work while the server runs."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.cli.options import AsJson, Data, address_of, metadata_of
from groundswell.cli.output import show, show_all
from groundswell.errors import UserError
from groundswell.model.tenancy import Role, TeamRole
from groundswell.store.metadata import tenancy

org = App(name="org", help="Create and list organizations.")
project = App(name="project", help="Create and list projects.")
team = App(name="team", help="Create and list teams.")
user = App(name="user", help="Create and list people.")
token = App(name="token", help="Create and list API tokens.")

# Scopes that tools written for Sentry ask for and that nothing here needs.
_ASKED_BY_TOOLS = frozenset({"org:ci", "member:invite", "project:distribution"})

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]
Slug = Annotated[str, Parameter(help="Lower-case letters, digits, dashes and underscores.")]


@org.command(name="create")
def create_org(
    slug: Slug, *, name: str | None = None, data: Data = None, json: AsJson = False
) -> None:
    """Make an organization, or show the one that has the slug."""
    with metadata_of(data) as connection:
        made = tenancy.create_organization(connection, slug, now=_now(), name=name)
    show({"id": str(made.id), "slug": made.slug}, json=json)


@org.command(name="list")
def list_orgs(*, data: Data = None, json: AsJson = False) -> None:
    """List the organizations."""
    with metadata_of(data) as connection:
        found = tenancy.list_organizations(connection)
    show_all([{"id": str(o.id), "slug": o.slug, "name": o.name} for o in found], json=json)


@org.command(name="membership")
def membership(
    org: Org,
    mode: Annotated[str, Parameter(help="open: members see every project; teams: only theirs.")],
    *,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Say whether members see every project or only those of their teams."""
    if mode not in {"open", "teams"}:
        raise UserError(f"membership is open or teams, not {mode!r}", field="mode")

    with metadata_of(data) as connection:
        found = tenancy.get_organization(connection, org)
        tenancy.set_open_membership(connection, found.id, mode == "open")
    show({"id": str(found.id), "slug": found.slug, "membership": mode}, json=json)


@project.command(name="create")
def create_project(
    org: Org, slug: Slug, *, platform: str | None = None, name: str | None = None,
    data: Data = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Make a project with its first key, or show the one that has the slug."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        made = tenancy.create_project(
            connection, owner.id, slug, now=_now(), name=name, platform=platform
        )
        key = tenancy.default_key(connection, made.id)
    dsn = None if key is None else tenancy.dsn(address_of(data), key)
    show({"id": str(made.id), "slug": made.slug, "dsn": dsn}, json=json)


@project.command(name="list")
def list_projects(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List the projects of an organization with their DSNs."""
    rows = []
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        for each in tenancy.list_projects(connection, owner.id):
            key = tenancy.default_key(connection, each.id)
            dsn = None if key is None else tenancy.dsn(address_of(data), key)
            rows.append({"id": str(each.id), "slug": each.slug, "platform": each.platform,
                         "dsn": dsn})  # fmt: skip
    show_all(rows, json=json)


@project.command(name="keys")
def keys(
    org: Org,
    slug: Slug,
    *,
    create: Annotated[bool, Parameter(help="Make another key.", negative="")] = False,
    disable: Annotated[str | None, Parameter(help="Public key to switch off.")] = None,
    enable: Annotated[str | None, Parameter(help="Public key to switch on.")] = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """List the keys of a project; make, disable or enable one. In force within a second."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.get_project(connection, owner.id, slug)
        if create:
            tenancy.create_key(connection, found.id, now=_now())
        for public_key, is_active in ((disable, False), (enable, True)):
            if public_key is not None:
                key = tenancy.key_by_public_key(connection, public_key)
                if key is None or key.project_id != found.id:
                    raise UserError(f"project {slug} has no key {public_key}", field="key")
                tenancy.set_key_active(connection, key.id, is_active)
        rows = [
            {"key": key.public_key, "label": key.label, "active": key.is_active,
             "dsn": tenancy.dsn(address_of(data), key)}
            for key in tenancy.list_keys(connection, found.id)
        ]  # fmt: skip
    show_all(rows, json=json)


@project.command(name="option")
def option(
    org: Org, slug: Slug, name: str, value: Annotated[str, Parameter(help="JSON.")], *,
    data: Data = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Set one option of a project: scrubbing, filters, apdex threshold, retention."""
    import msgspec

    from groundswell.ingest.admission import check_option

    try:
        parsed = msgspec.json.decode(value)
    except msgspec.DecodeError:
        parsed = value
    check_option(name, parsed)
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.get_project(connection, owner.id, slug)
        tenancy.set_option(connection, found.id, name, parsed)
    show({"project": slug, "option": name, "value": parsed}, json=json)


@team.command(name="create")
def create_team(
    org: Org,
    slug: Slug,
    *,
    project: Annotated[tuple[str, ...], Parameter(help="Projects of the team.", negative="")] = (),
    member: Annotated[tuple[str, ...], Parameter(help="E-mail addresses.", negative="")] = (),
    admin: Annotated[
        tuple[str, ...],
        Parameter(help="E-mail addresses of members who look after the team.", negative=""),
    ] = (),
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Make a team, or add projects, members and admins to the one that has the slug."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        made = tenancy.create_team(connection, owner.id, slug, now=_now())
        for each in project:
            found = tenancy.get_project(connection, owner.id, each)
            tenancy.add_team_project(connection, made, found.id)
        for emails, role in ((member, None), (admin, TeamRole.ADMIN)):
            for email in emails:
                person = tenancy.get_user(connection, email)
                tenancy.add_team_member(connection, made, person.id, role)
    show({"id": str(made.id), "slug": made.slug}, json=json)


@team.command(name="member")
def team_member(
    org: Org,
    slug: Slug,
    email: Annotated[str, Parameter(help="E-mail address of a member of the organization.")],
    *,
    role: Annotated[
        TeamRole, Parameter(help="contributor, or admin: one who looks after the team.")
    ] = TeamRole.CONTRIBUTOR,
    remove: Annotated[bool, Parameter(help="Take the person out.", negative="")] = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Put a person into a team, say what they may do in it, or take them out."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.get_team(connection, owner.id, slug)
        person = tenancy.get_user(connection, email)
        if remove and not tenancy.remove_team_member(connection, found, person.id):
            raise UserError(f"{email} is not in the team {slug}.", field="email")
        if not remove:
            tenancy.add_team_member(connection, found, person.id, role)
    shown = {"team": found.slug, "user": person.email, "role": None if remove else role.value}
    show(shown, json=json)


@team.command(name="members")
def team_members(org: Org, slug: Slug, *, data: Data = None, json: AsJson = False) -> None:
    """List the people of a team with their roles in it."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        roles = tenancy.members_of_team(connection, tenancy.get_team(connection, owner.id, slug).id)
        people = [m.user for m in tenancy.list_members(connection, owner.id) if m.user.id in roles]
    show_all([{"id": str(u.id), "email": u.email, "role": roles[u.id].value} for u in people],
             json=json)  # fmt: skip


@team.command(name="list")
def list_teams(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List the teams of an organization."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.list_teams(connection, owner.id)
    show_all([{"id": str(t.id), "slug": t.slug, "name": t.name} for t in found], json=json)


@user.command(name="create")
def create_user(
    email: str,
    *,
    org: Org,
    role: Annotated[Role, Parameter(help="What the person may do.")] = Role.MEMBER,
    name: str | None = None,
    password_stdin: Annotated[
        bool, Parameter(help="Read the password from standard input.", negative="")
    ] = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Make a person, or give one another role or password."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if not password_stdin and sys.stdin.isatty():
        password = getpass.getpass("Password: ")
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        made = tenancy.create_user(connection, email, now=_now(), password=password, name=name)
        tenancy.add_member(connection, owner.id, made.id, role, now=_now())
    show({"id": str(made.id), "email": made.email}, json=json)


@user.command(name="list")
def list_users(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List the members of an organization."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.list_members(connection, owner.id)
    show_all(
        [{"id": str(m.user.id), "email": m.user.email, "role": m.role.value} for m in found],
        json=json,
    )


@token.command(name="create")
def create_token(
    org: Org,
    *,
    user: Annotated[str | None, Parameter(help="Act as this person, by e-mail.")] = None,
    scope: Annotated[tuple[str, ...], Parameter(help="What it may do; all when not given.",
                                                negative="")] = (),
    label: str = "",
    data: Data = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Make an API token. It is shown once."""
    _require_known(scope)
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        person = None if user is None else tenancy.get_user(connection, user)
        secret, _ = tenancy.create_token(
            connection,
            now=_now(),
            org_id=owner.id,
            user_id=None if person is None else person.id,
            scopes=scope,
            label=label,
        )
    show({"token": secret}, json=json)


@token.command(name="list")
def list_tokens(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List the tokens of an organization, by their last characters."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = tenancy.list_tokens(connection, org_id=owner.id)
    show_all(
        [
            {"id": str(t.id), "token": f"…{t.last_four}", "label": t.label,
             "scopes": sorted(t.scopes), "created": t.created_at.isoformat()}
            for t in found
        ],
        json=json,
    )  # fmt: skip


def _require_known(scopes: Iterable[str]) -> None:
    from groundswell.access import SCOPES

    known = SCOPES | _ASKED_BY_TOOLS
    for each in scopes:
        if each not in known:
            allowed = ", ".join(sorted(known))
            raise UserError(f"There is no scope {each!r}; there are {allowed}.", field="scope")


def _now() -> datetime:
    return datetime.now(UTC)
