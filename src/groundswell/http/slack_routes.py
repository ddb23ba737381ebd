"""The HTTP door of Slack, and the pages behind signed links."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post, route
from litestar.exceptions import MethodNotAllowedException
from litestar.params import FromPath

from groundswell.errors import NotAuthenticated, NotFound
from groundswell.http.failures import json_response
from groundswell.http.requests import services_of
from groundswell.http.sessions import session_caller
from groundswell.http.web.frame import page
from groundswell.model.tenancy import User
from groundswell.slack.inbound import Door, Meta
from groundswell.slack.linking import Page
from groundswell.slack.pages import Shown

# OPTIONS too, because the framework would answer it by itself.
SIGNED: dict[str, Any] = {
    "http_method": ["POST", "OPTIONS"],
    "include_in_schema": False,
    "status_code": 200,
    "opt": {"access": "signature"},
}
MAX_FORM_FIELDS = 20


@route("/extensions/slack/event/", **SIGNED)
async def event(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take an event."""
    return await _receive(request, Door.EVENT)


@route("/extensions/slack/commands/", **SIGNED)
async def command(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take a slash command."""
    return await _receive(request, Door.COMMAND)


@route("/extensions/slack/action/", **SIGNED)
async def action(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take the press of a button."""
    return await _receive(request, Door.ACTION)


@route("/extensions/slack/options-load/", **SIGNED)
async def options(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Offer the options of a select."""
    return await _receive(request, Door.OPTIONS)


@get("/extensions/slack/setup/", include_in_schema=False, opt={"access": "public"})
async def setup(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Say how a workspace is installed here."""
    lines = (
        "Workspaces are installed by an administrator of this service:",
        "groundswell slack manifest, then groundswell slack install.",
    )
    return await _page(request, Shown(400, "Install from the command line", lines))


@route(
    "/extensions/slack/{name:str}/{signed:str}/",
    http_method=["GET", "OPTIONS"],
    include_in_schema=False,
    status_code=200,
    opt={"access": "session"},
)
async def show(
    request: Request[Any, Any, Any], name: FromPath[str], signed: FromPath[str]
) -> Response[bytes]:
    """Show the page behind a signed link."""
    if request.method != "GET":
        raise MethodNotAllowedException

    kind = _kind(name)
    user = await _user(request)
    if user is None:
        return _to_login(request)

    slack = services_of(request).slack
    return await _page(request, await slack.pages.show(kind, signed, user))


@post(
    "/extensions/slack/{name:str}/{signed:str}/",
    include_in_schema=False,
    status_code=200,
    opt={"access": "session"},
)
async def submit(
    request: Request[Any, Any, Any], name: FromPath[str], signed: FromPath[str]
) -> Response[bytes]:
    """Do what the page behind a signed link is for."""
    kind = _kind(name)
    user = await _user(request)
    if user is None:
        return _to_login(request)

    form = await request.form()
    fields = {k: v for k, v in list(form.items())[:MAX_FORM_FIELDS] if isinstance(v, str)}
    slack = services_of(request).slack
    return await _page(request, await slack.pages.submit(kind, signed, user, fields))


async def _receive(request: Request[Any, Any, Any], door: Door) -> Response[bytes]:
    if request.method != "POST":
        raise MethodNotAllowedException

    body = await request.body()
    headers = request.headers
    number = headers.get("x-slack-retry-num", "")
    meta = Meta(
        retry_number=int(number)
        if number.isascii() and number.isdigit() and len(number) < 4
        else 0,
        retry_reason=headers.get("x-slack-retry-reason", ""),
    )
    reply = await services_of(request).slack.receive(
        door,
        headers.get("x-slack-request-timestamp"),
        headers.get("x-slack-signature"),
        body,
        meta,
    )
    if reply.body is not None:
        return json_response(reply.body, reply.status)

    return Response(content=b"", status_code=reply.status, media_type="text/plain")


def _kind(name: str) -> Page:
    try:
        return Page(name)
    except ValueError:
        raise NotFound from None


async def _user(request: Request[Any, Any, Any]) -> User | None:
    try:
        return (await session_caller(request)).user
    except NotAuthenticated:
        return None


def _to_login(request: Request[Any, Any, Any]) -> Response[bytes]:
    target = f"/login/?next={quote(request.url.path, safe='')}"
    return Response(content=b"", status_code=302, headers={"Location": target})


async def _page(request: Request[Any, Any, Any], shown: Shown) -> Response[bytes]:
    answer = await page(request, "slack/page.html", status=shown.status, shown=shown)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


ROUTES = [event, command, action, options, setup, show, submit]
