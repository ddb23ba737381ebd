"""Releases: those that were announced and those that events speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotFound
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import instant
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.store.metadata import releases as store
from groundswell.store.metadata.releases import Release

ORGANIZATION = "/api/0/organizations/{org:str}/releases/"
PROJECT = "/api/0/projects/{org:str}/{slug:str}/releases/"
WRITE = ("project:releases", "project:write", "org:write", "org:admin")
MAX_VERSION = 250


class NewRelease(msgspec.Struct, rename="camel"):
    """What a release is called, and whose it is."""

    version: str
    projects: list[str] = []
    ref: str | None = None
    url: str | None = None
    date_released: datetime | None = None
    commits: list[Any] = []


class ReleaseChange(msgspec.Struct, rename="camel"):
    """What changes; what is absent stays."""

    ref: str | None = None
    url: str | None = None
    date_released: datetime | None = None
    projects: list[str] | None = None


@dataclass(slots=True)
class _Known:
    """What is known of one version."""

    announced: Release | None
    projects: set[int]
    first: datetime | None = None
    last: datetime | None = None
    new_issues: dict[int, int] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        at = self.announced.created_at if self.announced else self.first
        assert at is not None
        return at

    @property
    def newest(self) -> datetime:
        released = self.announced.released_at if self.announced else None
        return released or self.began


@get(ORGANIZATION, opt={"access": "project:releases"})
async def releases(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List releases, the newest first; `query` says what their versions hold."""
    scope = await caller_scope(request, org)
    return await _listed(request, scope, parameters.projects(multi(request), scope))


@get(PROJECT, opt={"access": "project:releases"})
async def project_releases(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """List the releases of one project."""
    scope = await caller_scope(request, org)
    return await _listed(request, scope, [access.project(scope, slug)])


@post(ORGANIZATION, opt={"access": "project:releases"}, status_code=201)
async def announce(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Announce a release: 201 where it is new, 208 where it was known."""
    scope = await caller_scope(request, org, needs=WRITE)
    data = await body_of(request, NewRelease)
    if not data.projects:
        raise FieldErrors({"projects": ["This field is required."]})

    return await _announce(request, scope, data)


@post(PROJECT, opt={"access": "project:releases"}, status_code=201)
async def announce_of_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """Announce a release of one project."""
    scope = await caller_scope(request, org, needs=WRITE)
    data = await body_of(request, NewRelease)
    return await _announce(request, scope, msgspec.structs.replace(data, projects=[slug]))


@get([ORGANIZATION + "{version:str}/", PROJECT + "{version:str}/"],
     opt={"access": "project:releases"})  # fmt: skip
async def one_release(
    request: Request[Any, Any, Any], org: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """Describe one release."""
    scope = await caller_scope(request, org)
    known = await _known(request, scope, scope.projects)
    if version not in known:
        raise NotFound

    return json_response(_shape(version, known[version], scope))


@put([ORGANIZATION + "{version:str}/", PROJECT + "{version:str}/"],
     opt={"access": "project:releases"})  # fmt: skip
async def change_release(
    request: Request[Any, Any, Any], org: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """Change a release, for example when it was released."""
    scope = await caller_scope(request, org, needs=WRITE)
    data = await body_of(request, ReleaseChange)
    found = (await _known(request, scope, scope.projects)).get(version)
    if found is None:
        raise NotFound

    ids = sorted(found.projects)
    if data.projects is not None:
        ids = [int(access.project(scope, slug).id) for slug in data.projects]

    def change(connection: Connection) -> None:
        made, _ = store.announce_release(
            connection, scope.organization.id, version, ids, now=found.began
        )
        values = {"ref": data.ref, "url": data.url, "released_at": _utc(data.date_released)}
        given = {name: value for name, value in values.items() if value is not None}
        store.change_release(connection, made.id, given)

    await services_of(request).metadata.run(change)
    known = await _known(request, scope, scope.projects)
    return json_response(_shape(version, known[version], scope))


@delete([ORGANIZATION + "{version:str}/", PROJECT + "{version:str}/"],
        opt={"access": "project:releases"}, status_code=204)  # fmt: skip
async def remove_release(
    request: Request[Any, Any, Any], org: FromPath[str], version: FromPath[str]
) -> None:
    """Take an announcement back."""
    scope = await caller_scope(request, org, needs=WRITE)

    def remove(connection: Connection) -> None:
        found = store.find_release(connection, scope.organization.id, version)
        if found is None:
            raise NotFound
        store.delete_release(connection, found.id)

    await services_of(request).metadata.run(remove)


@get(
    [ORGANIZATION + "{version:str}/deploys/", ORGANIZATION + "{version:str}/commits/",
     ORGANIZATION + "{version:str}/files/"],
    opt={"access": "project:releases"},
)  # fmt: skip
async def nothing_of_release(
    request: Request[Any, Any, Any], org: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """List what a release never has here: deploys, commits, files."""
    scope = await caller_scope(request, org)
    if version not in await _known(request, scope, scope.projects):
        raise NotFound

    return json_response([])


async def _announce(
    request: Request[Any, Any, Any], scope: Scope, data: NewRelease
) -> Response[bytes]:
    version = data.version.strip()
    if not version or len(version) > MAX_VERSION or set(version) & set("/\\\n\t\r") or (
        version in {".", "..", "latest"}
    ):  # fmt: skip
        raise FieldErrors(
            {"version": [f"Invalid version {data.version!r}: no slashes, tabs or line breaks, "
                         f"at most {MAX_VERSION} characters."]}
        )  # fmt: skip

    slugs = {project.slug: project.id for project in scope.projects}
    slugs |= {str(project.id): project.id for project in scope.projects}
    unknown = [slug for slug in data.projects if slug not in slugs]
    if unknown:
        raise FieldErrors({"projects": [f"Invalid project slugs: {', '.join(unknown)}"]})

    ids = sorted({int(slugs[slug]) for slug in data.projects})

    def make(connection: Connection) -> bool:
        made, is_new = store.announce_release(
            connection, scope.organization.id, version, ids, now=now()
        )
        values = {"ref": data.ref, "url": data.url, "released_at": _utc(data.date_released)}
        given = {name: value for name, value in values.items() if value is not None}
        store.change_release(connection, made.id, given)
        return is_new

    is_new = await services_of(request).metadata.run(make)
    known = await _known(request, scope, scope.projects)
    return json_response(_shape(version, known[version], scope), 201 if is_new else 208)


async def _listed(
    request: Request[Any, Any, Any], scope: Scope, projects: Sequence[Any]
) -> Response[bytes]:
    params = multi(request)
    here = page(params)
    word = (parameters.first(params, "query") or "").strip().lower()
    known = await _known(request, scope, projects)
    found = sorted(
        ((version, each) for version, each in known.items() if word in version.lower()),
        key=lambda pair: (pair[1].newest, pair[0]),
        reverse=True,
    )
    end = here.offset + here.limit
    return json_response(
        [_shape(version, each, scope) for version, each in found[here.offset : end]],
        headers=link_header(request, here, has_more=len(found) > end),
    )


async def _known(
    request: Request[Any, Any, Any], scope: Scope, projects: Sequence[Any]
) -> dict[str, _Known]:
    services = services_of(request)
    ids = {int(project.id) for project in projects}
    visible = {int(project.id) for project in scope.projects}
    announced = await services.metadata.run(store.list_releases, scope.organization.id)
    found = {
        each.version: _Known(each, {*each.projects} & visible)
        for each in announced
        if {*each.projects} & ids
    }
    for seen in await services.activity.releases(scope):
        if seen.project not in ids:
            continue

        each = found.setdefault(seen.version, _Known(None, set()))
        each.projects.add(seen.project)
        each.new_issues[seen.project] = seen.new_issues
        each.first = min(each.first or seen.first, seen.first)
        each.last = max(each.last or seen.last, seen.last)
    return found


def _utc(at: datetime | None) -> datetime | None:
    if at is None or at.tzinfo is not None:
        return at

    return at.replace(tzinfo=now().tzinfo)


def _shape(version: str, known: _Known, scope: Scope) -> Mapping[str, Any]:
    announced = known.announced
    released = announced.released_at if announced else None
    return {
        "id": str(announced.id) if announced else version,
        "version": version,
        "shortVersion": version.rpartition("@")[2],
        "status": "open",
        "dateCreated": instant(known.began),
        "dateReleased": instant(released) if released else None,
        "firstEvent": instant(known.first) if known.first else None,
        "lastEvent": instant(known.last) if known.last else None,
        "ref": announced.ref if announced else None,
        "url": announced.url if announced else None,
        "newGroups": sum(known.new_issues.values()),
        "commitCount": 0,
        "deployCount": 0,
        "authors": [],
        "owner": None,
        "data": {},
        "lastCommit": None,
        "lastDeploy": None,
        "versionInfo": {
            "package": version.rpartition("@")[0] or None,
            "version": {"raw": version.rpartition("@")[2]},
            "description": version.rpartition("@")[2],
            "buildHash": None,
        },
        "projects": [
            {
                "id": str(project.id), "slug": project.slug, "name": project.name,
                "platform": project.platform,
                "platforms": [project.platform] if project.platform else [],
                "newGroups": known.new_issues.get(int(project.id), 0), "hasHealthData": False,
            }
            for project in scope.projects
            if int(project.id) in known.projects
        ],
    }  # fmt: skip


ROUTES = [
    releases,
    project_releases,
    announce,
    announce_of_project,
    one_release,
    change_release,
    remove_release,
    nothing_of_release,
]
