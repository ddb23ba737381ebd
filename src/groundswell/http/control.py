"""The door of admin commands, for who can read DATA/control; for everybody else there is none."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.response import Stream

from groundswell.errors import NotFound, UserError
from groundswell.http import upkeep
from groundswell.http.extracts import Extract, Page, extract
from groundswell.http.failures import json_response
from groundswell.http.requests import now, services_of

CONTROL = {"access": "control"}


@post("/control/work", include_in_schema=False, status_code=200, opt=CONTROL)
async def work(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Do one piece of upkeep and say what came of it."""
    _require_token(request)
    services = services_of(request)
    asked = await _body(request, upkeep.Work)
    store = upkeep.Store(services.settings, services.engine, services.metadata)
    if isinstance(asked, upkeep.Backup):
        done = await services.ingest.between_batches(lambda: upkeep.perform(store, asked))
    else:
        done = await asyncio.to_thread(upkeep.perform, store, asked)
    return json_response(done)


@post("/control/export", include_in_schema=False, status_code=200, opt=CONTROL)
async def export(request: Request[Any, Any, Any]) -> Stream:
    """Answer with rows as they are found: one JSON text per page and line."""
    _require_token(request)
    services = services_of(request)
    asked = await _body(request, Extract)
    pages = extract(services.statistics, services.metadata, asked, now())
    # What is wrong with the question is said before the answer begins.
    first = await anext(pages)
    return Stream(_lines(first, pages), media_type="application/x-ndjson")


async def _lines(first: Page, rest: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    yield msgspec.json.encode(first) + b"\n"
    async for page in rest:
        yield msgspec.json.encode(page) + b"\n"


def _require_token(request: Request[Any, Any, Any]) -> None:
    token = services_of(request).control_token
    given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
    if not token or not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise NotFound


async def _body(request: Request[Any, Any, Any], kind: Any) -> Any:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise UserError(f"The command and the service are of two versions: {error}") from None


ROUTES = [work, export]
