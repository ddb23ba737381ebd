"""What handlers read from a request: repeated parameters, the caller, and what they may see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.connection import ASGIConnection

from groundswell import access
from groundswell.errors import NotAuthenticated, UserError
from groundswell.http import features
from groundswell.http.services import Services
from groundswell.http.sessions import session_caller
from groundswell.model.tenancy import Caller, Scope

MAX_PARAMETERS = 2_000


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Give the parts of this process."""
    services: Services = connection.app.state.services
    return services


def multi(request: ASGIConnection[Any, Any, Any, Any]) -> dict[str, list[str]]:
    """Read the query string as a multi-map, with empty values kept."""
    raw = request.scope.get("query_string", b"").decode("latin-1")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise UserError(
            f"The query string has more than {MAX_PARAMETERS} parameters", code="too_many"
        ) from None

    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def now() -> datetime:
    """Give the present instant; the only clock of the handlers."""
    return datetime.now(UTC)


async def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Tell who asks, from the bearer token or the session cookie.

    Raises NotAuthenticated when there is neither, or what there is is not valid.
    """
    services = services_of(request)
    header = request.headers.get("authorization")
    if header is None:
        return await session_caller(request)

    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or " " in token:
        raise NotAuthenticated("Invalid token")

    return await services.metadata.run(access.authenticate, token)


READ_SCOPES = ("org:read", "org:write", "org:admin")
WRITE_SCOPES = ("org:write", "org:admin")


async def caller_scope(
    request: Request[Any, Any, Any], org: str, *, needs: tuple[str, ...] = ()
) -> Scope:
    """Tell what the caller may see of one organization, by slug or id.

    needs: scopes of which the token and the person's role must hold one; those that read what the
    route is about where nothing is given. A route of a feature that is off is not there.
    Raises NotAuthenticated, NotAllowed or NotFound.
    """
    services = services_of(request)
    caller = await caller_of(request)
    granted = await services.metadata.run(access.scope, caller, org)
    options = request.route_handler.opt
    access.require_scope(granted, *(needs or _reading(str(options.get("access", "")))))
    feature = options.get("feature")
    if feature is not None:
        await services.metadata.run(features.require, granted.organization.id, feature)
    return granted


def _reading(need: str) -> tuple[str, ...]:
    """Scopes that read what a route with this need is about: `event:read` → event:write, …"""
    what, _, _ = need.partition(":")
    return (*READ_SCOPES, need, f"{what}:read", f"{what}:write", f"{what}:admin")
