"""From a question to its HTTP answer: stop when the client goes, write the format, tag the body."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from groundswell.stats import export
from groundswell.stats.export import Format

T = TypeVar("T")

# nginx's number for a client that closed the connection; only logs ever see it.
CLIENT_GONE = 499
PRIVATE = "private, no-cache"
_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.JSONL: "application/x-ndjson",
}


class ClientGone(Exception):
    """Raised when the client closed the connection before its answer was ready."""


async def unless_gone(request: Request[Any, Any, Any], work: Awaitable[T]) -> T:
    """Wait for `work`; cancel it when the client goes away first.

    Raises ClientGone, and whatever `work` raises.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone

        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def tagged(
    request: Request[Any, Any, Any],
    body: bytes,
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Answer with a body and its tag, or 304 where the client has that very body.

    The tag is of the body itself, so it can never stand for an older answer.
    """
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    known = request.headers.get("if-none-match", "")
    same = tag in {part.strip().removeprefix("W/") for part in known.split(",")}
    return Response(
        content=b"" if same else body,
        status_code=304 if same else 200,
        media_type=media_type,
        headers={"ETag": tag, "Cache-Control": PRIVATE, "Vary": "Authorization, Cookie"}
        | dict(headers or {}),
    )


def written(
    request: Request[Any, Any, Any],
    format_: Format,
    body: Callable[[], object],
    records: Callable[[], tuple[tuple[str, ...], Iterable[Mapping[str, Any]]]],
    *,
    name: str,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Write an answer in the format that was asked for; only that one is made.

    name: of the file that CSV and JSON lines are saved as.
    """
    if format_ is Format.JSON:
        return tagged(request, msgspec.json.encode(body()), headers=headers)

    columns, rows = records()
    write = export.write_csv if format_ is Format.CSV else export.write_jsonl
    return tagged(
        request,
        write(columns, rows),
        media_type=_MEDIA_TYPES[format_],
        headers={
            **(headers or {}),
            "Content-Disposition": f'attachment; filename="{name}.{format_}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def gone() -> Response[bytes]:
    """The answer that nobody reads."""
    return Response(content=b"", status_code=CLIENT_GONE)
