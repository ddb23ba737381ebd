"""Organizations, their members, environments and feature switches."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotFound, UserError
from groundswell.http import features
from groundswell.http.api.projects import described
from groundswell.http.api.teams import member_shapes, team_shapes
from groundswell.http.bodies import body_of
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import WRITE_SCOPES, caller_of, caller_scope, multi, services_of
from groundswell.http.shapes import (
    MemberShape,
    OrganizationDetail,
    OrganizationShape,
    organization_detail,
    organization_shape,
)
from groundswell.model.tenancy import Caller, Organization, Scope
from groundswell.store.metadata import tenancy


class FeatureChange(msgspec.Struct):
    """Which switch, and which way."""

    name: str
    enabled: bool


@get("/api/0/organizations/", opt={"access": "any"})
async def organizations(request: Request[Any, Any, Any]) -> Response[list[OrganizationShape]]:
    """List the organizations that the caller belongs to; `query` filters by name or slug."""
    caller = await caller_of(request)
    params = multi(request)
    here = page(params)
    services = services_of(request)
    word = params.get("query", [""])[0].strip().lower()

    def read(connection: Connection, caller: Caller) -> list[tuple[Organization, list[str]]]:
        return [
            (each, features.enabled(connection, each.id))
            for each in access.organizations(connection, caller)
            if word in each.slug.lower() or word in each.name.lower()
        ]

    found = await services.metadata.run(read, caller)
    shown = found[here.offset : here.offset + here.limit]
    more = len(found) > here.offset + here.limit
    return Response(
        [organization_shape(o, services.settings.base_url, enabled) for o, enabled in shown],
        headers=link_header(request, here, has_more=more),
    )


@get("/api/0/organizations/{org:str}/", opt={"access": "org:read"})
async def organization(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[OrganizationDetail]:
    """Describe one organization; `detailed=0` leaves out projects and teams."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    detailed = multi(request).get("detailed", ["1"])[0] != "0"
    enabled = await services.metadata.run(features.enabled, scope.organization.id)
    return Response(
        organization_detail(
            scope.organization,
            services.settings.base_url,
            enabled,
            role=scope.role,
            access=access.held(scope),
            projects=await described(request, scope, scope.projects) if detailed else [],
            teams=await services.metadata.run(team_shapes, scope) if detailed else [],
        )
    )


@get("/api/0/organizations/{org:str}/members/", opt={"access": "member:read"})
async def members(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[list[MemberShape]]:
    """List the people of an organization; `query` filters by name or address."""
    scope = await caller_scope(request, org)
    params = multi(request)
    here = page(params)
    word = params.get("query", [""])[0].strip().lower()
    every = await services_of(request).metadata.run(member_shapes, scope)
    found = [each for each in every if word in each.email or word in each.name.lower()]
    end = here.offset + here.limit
    return Response(
        found[here.offset : end], headers=link_header(request, here, has_more=len(found) > end)
    )


@get("/api/0/organizations/{org:str}/members/{member:str}/", opt={"access": "member:read"})
async def member(
    request: Request[Any, Any, Any], org: FromPath[str], member: FromPath[str]
) -> Response[MemberShape]:
    """Describe one member, by id or as `me`."""
    scope = await caller_scope(request, org)
    user = scope.caller.user
    wanted = str(user.id) if member == "me" and user else member
    every = await services_of(request).metadata.run(member_shapes, scope)
    found = next((each for each in every if each.id == wanted), None)
    if found is None:
        raise NotFound

    return Response(found)


@get("/api/0/organizations/{org:str}/environments/", opt={"access": "org:read"})
async def environments(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the environments that events came from."""
    scope = await caller_scope(request, org)
    found = await services_of(request).activity.environments(scope)
    names = sorted({name for each in found.values() for name in each})
    return json_response([{"id": name, "name": name} for name in names])


@get("/api/0/organizations/{org:str}/features/", opt={"access": "org:read"})
async def list_features(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List every switch with its meaning and state."""
    scope = await caller_scope(request, org)
    return json_response(await _features(request, scope))


@put("/api/0/organizations/{org:str}/features/", opt={"access": "org:write"})
async def change_feature(
    request: Request[Any, Any, Any],
    org: FromPath[str],
) -> Response[bytes]:
    """Turn a switch on or off."""
    data = await body_of(request, FeatureChange)
    scope = await caller_scope(request, org, needs=WRITE_SCOPES)
    if data.name not in features.BY_NAME:
        names = ", ".join(features.BY_NAME)
        raise UserError(f"name: {data.name!r} is no feature; there are {names}", field="name")

    await services_of(request).metadata.run(
        tenancy.set_feature, scope.organization.id, data.name, data.enabled
    )
    return json_response(await _features(request, scope))


async def _features(request: Request[Any, Any, Any], scope: Scope) -> list[dict[str, object]]:
    enabled = await services_of(request).metadata.run(features.enabled, scope.organization.id)
    return [
        {"name": each.name, "enabled": each.name in enabled, "default": each.default,
         "help": each.help}
        for each in features.FEATURES
    ]  # fmt: skip


ROUTES = [organizations, organization, members, member, environments, list_features, change_feature]
