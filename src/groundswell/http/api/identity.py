"""Who asks: `/api/0/`, `auth/`, `users/me/`."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell import access
from groundswell.errors import NotAuthenticated, NotFound
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_of, services_of
from groundswell.http.shapes import UserShape, user_shape
from groundswell.model.tenancy import Caller, User, UserId
from groundswell.store.metadata import tenancy


@get("/api/0/", opt={"access": "public"})
async def index(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell the version of the API and who asks, if anybody."""
    try:
        caller = await caller_of(request)
    except NotAuthenticated:
        if "authorization" in request.headers:
            raise
        return json_response({"version": "0", "auth": None, "user": None})

    user = await _person(request, caller)
    return json_response(
        {"version": "0", "auth": {"scopes": access.held(caller)}, "user": user_shape(user)}
    )


@get("/api/0/auth/", opt={"access": "any"})
async def auth(request: Request[Any, Any, Any]) -> Response[UserShape]:
    """Tell who asks."""
    caller = await caller_of(request)
    return Response(user_shape(await _person(request, caller)))


@get("/api/0/users/{user:str}/", opt={"access": "any"})
async def me(request: Request[Any, Any, Any], user: FromPath[str]) -> Response[UserShape]:
    """Tell who asks (`me`), or about oneself by id."""
    caller = await caller_of(request)
    person = await _person(request, caller)
    if user not in {"me", str(person.id)}:
        raise NotFound

    return Response(user_shape(person))


async def _person(request: Request[Any, Any, Any], caller: Caller) -> User:
    if caller.user is not None:
        return caller.user

    metadata = services_of(request).metadata
    assert caller.org_id is not None
    owner = await metadata.run(tenancy.get_organization, int(caller.org_id))
    return User(
        id=UserId(0),
        email=f"token@{owner.slug}.invalid",
        name=f"Token of {owner.name}",
        is_active=True,
        created_at=owner.created_at,
    )


ROUTES = [index, auth, me]
