"""Who sees what: one table of people and tokens against the projects of an organization."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotAllowed, NotAuthenticated, NotFound
from groundswell.model.tenancy import Caller, Role
from groundswell.store.metadata import Metadata, tenancy

NOW = datetime(2026, 3, 4, tzinfo=UTC)
ALL = ["api", "cron", "web"]


def build(connection: Connection, *, is_open: bool = True) -> None:
    """Organization "acme" with three projects; team "core" has `web` and everybody's `…@core`."""
    org = tenancy.create_organization(connection, "acme", now=NOW)
    tenancy.create_organization(connection, "other", now=NOW)
    tenancy.set_open_membership(connection, org.id, is_open)
    projects = {slug: tenancy.create_project(connection, org.id, slug, now=NOW) for slug in ALL}
    team = tenancy.create_team(connection, org.id, "core", now=NOW)
    tenancy.add_team_project(connection, team, projects["web"].id)
    for role in Role:
        for domain in ("core", "none"):
            user = tenancy.create_user(connection, f"{role}@{domain}.org", now=NOW)
            tenancy.add_member(connection, org.id, user.id, role, now=NOW)
            if domain == "core":
                tenancy.add_team_member(connection, team, user.id)
    tenancy.create_user(connection, "stranger@x.org", now=NOW)


def personal(connection: Connection, email: str, *scopes: str) -> Caller:
    user = tenancy.get_user(connection, email)
    token, _ = tenancy.create_token(connection, now=NOW, user_id=user.id, scopes=scopes)
    return access.authenticate(connection, token, NOW)


def of_organization(connection: Connection, slug: str, *scopes: str) -> Caller:
    org = tenancy.get_organization(connection, slug)
    token, _ = tenancy.create_token(connection, now=NOW, org_id=org.id, scopes=scopes)
    return access.authenticate(connection, token, NOW)


@pytest.mark.parametrize(
    ("who", "is_open", "sees", "without_project"),
    [
        ("owner@none.org", False, ALL, ALL),
        ("manager@none.org", False, ALL, ALL),
        ("admin@none.org", False, ALL, ALL),
        ("owner@core.org", False, ALL, ["web"]),
        ("member@core.org", True, ALL, ["web"]),
        ("member@none.org", True, ALL, ALL),
        ("member@core.org", False, ["web"], ["web"]),
        ("member@none.org", False, [], []),
    ],
)
def test_a_role_and_its_teams_decide_what_a_person_sees(
    sqlite_metadata: Metadata, who: str, is_open: bool, sees: list[str], without_project: list[str]
) -> None:
    with sqlite_metadata.begin() as connection:
        build(connection, is_open=is_open)
        granted = access.scope(connection, personal(connection, who), "acme")
        assert [project.slug for project in granted.projects] == sees
        assert [project.slug for project in granted.member_projects] == without_project
        assert granted.role == who.split("@")[0]


def test_a_token_of_the_organization_is_member_of_everything(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        build(connection, is_open=False)
        caller = of_organization(connection, "acme")
        granted = access.scope(connection, caller, "acme")
        assert [project.slug for project in granted.member_projects] == ALL
        assert granted.projects == granted.member_projects
        by_id = access.scope(connection, caller, str(granted.organization.id))
        assert by_id == granted


def test_what_is_not_granted_is_refused(sqlite_metadata: Metadata) -> None:
    with sqlite_metadata.begin() as connection:
        build(connection)
        nobody = Caller(user=None, org_id=None, scopes=frozenset())
        for caller, org, error in [
            (of_organization(connection, "other"), "acme", NotAuthenticated),
            (of_organization(connection, "acme"), "nope", NotFound),
            (personal(connection, "stranger@x.org"), "acme", NotAllowed),
            (personal(connection, "owner@core.org"), "other", NotAllowed),
            (nobody, "acme", NotAuthenticated),
        ]:
            with pytest.raises(error):
                access.scope(connection, caller, org)


def test_a_token_that_is_wrong_expired_or_of_somebody_barred_is_refused(
    metadata: Metadata,
) -> None:
    with metadata.begin() as connection:
        build(connection)
        user = tenancy.get_user(connection, "owner@core.org")
        end = NOW + timedelta(days=1)
        token, kept = tenancy.create_token(connection, now=NOW, user_id=user.id, expires_at=end)
        assert access.authenticate(connection, token, NOW).user == user
        with pytest.raises(NotAuthenticated, match="Token expired"):
            access.authenticate(connection, token, end)
        with pytest.raises(NotAuthenticated, match="Invalid token"):
            access.authenticate(connection, token[:-1], NOW)
        tenancy.set_user_active(connection, user.id, False)
        with pytest.raises(NotAuthenticated, match="Invalid token"):
            access.authenticate(connection, token, NOW)
        with pytest.raises(NotAuthenticated):
            access.session_caller(connection, user.id)
        tenancy.set_user_active(connection, user.id, True)
        tenancy.delete_token(connection, kept.id)
        with pytest.raises(NotAuthenticated, match="Invalid token"):
            access.authenticate(connection, token, NOW)


@pytest.mark.parametrize(
    ("who", "scopes", "needs", "allowed"),
    [
        ("member@core.org", (), ("org:read",), True),
        ("member@core.org", (), ("org:write", "org:admin"), False),
        ("member@core.org", ("org:write",), ("org:write",), False),
        ("manager@core.org", (), ("org:write",), True),
        ("manager@core.org", ("org:read",), ("org:write",), False),
        ("owner@core.org", (), ("org:admin",), True),
        ("owner@core.org", (), ("org:superuser",), False),
        (None, (), ("org:write",), True),
        (None, ("event:read",), ("org:read", "org:write"), False),
        (None, ("org:write",), ("org:read", "org:write", "org:admin"), True),
    ],
)
def test_the_token_and_the_role_must_both_allow(
    sqlite_metadata: Metadata,
    who: str | None,
    scopes: tuple[str, ...],
    needs: tuple[str, ...],
    allowed: bool,
) -> None:
    with sqlite_metadata.begin() as connection:
        build(connection)
        caller = (
            personal(connection, who, *scopes)
            if who
            else of_organization(connection, "acme", *scopes)
        )
        granted = access.scope(connection, caller, "acme")
        if allowed:
            access.require_scope(granted, *needs)
        else:
            with pytest.raises(NotAllowed):
                access.require_scope(granted, *needs)


def test_a_project_is_found_only_where_it_may_be_seen(sqlite_metadata: Metadata) -> None:
    with sqlite_metadata.begin() as connection:
        build(connection, is_open=False)
        granted = access.scope(connection, personal(connection, "member@core.org"), "acme")
        web = access.project(granted, "web")
        assert access.project(granted, str(web.id)) == web
        with pytest.raises(NotFound):
            access.project(granted, "api")


def test_a_caller_lists_only_organizations_of_its_own(sqlite_metadata: Metadata) -> None:
    with sqlite_metadata.begin() as connection:
        build(connection)
        for caller, slugs in [
            (personal(connection, "owner@core.org"), ["acme"]),
            (personal(connection, "stranger@x.org"), []),
            (of_organization(connection, "other"), ["other"]),
        ]:
            listed = access.organizations(connection, caller)
            assert [org.slug for org in listed] == slugs
