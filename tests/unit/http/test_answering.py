"""Answers over HTTP: a client that goes cancels its question, a known body is not sent again."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from litestar import Request

from groundswell.http.answering import ClientGone, tagged, unless_gone, written
from groundswell.stats.export import Format


def request_of(messages: asyncio.Queue[dict[str, Any]], **headers: str) -> Request[Any, Any, Any]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }
    return Request(cast("Any", scope), receive=cast("Any", messages.get))


@pytest.fixture
def messages() -> asyncio.Queue[dict[str, Any]]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    queue.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    return queue


async def test_the_answer_of_a_client_that_stays(messages: asyncio.Queue[dict[str, Any]]) -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 42

    assert await unless_gone(request_of(messages), work()) == 42


async def test_a_client_that_goes_cancels_its_question(
    messages: asyncio.Queue[dict[str, Any]],
) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(unless_gone(request_of(messages), work()))
    await started.wait()
    messages.put_nowait({"type": "http.disconnect"})

    with pytest.raises(ClientGone):
        await waiting
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_failure_is_the_answer(messages: asyncio.Queue[dict[str, Any]]) -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await unless_gone(request_of(messages), work())


def test_a_known_body_is_not_sent_again(messages: asyncio.Queue[dict[str, Any]]) -> None:
    first = tagged(request_of(messages), b"{}")
    tag = first.headers["ETag"]

    assert first.status_code == 200
    assert "private" in first.headers["Cache-Control"]
    again = tagged(request_of(messages, **{"if-none-match": f'"x", W/{tag}'}), b"{}")
    assert (again.status_code, again.content) == (304, b"")
    changed = tagged(request_of(messages, **{"if-none-match": tag}), b"[]")
    assert (changed.status_code, changed.content) == (200, b"[]")


@pytest.mark.parametrize(
    ("format_", "media_type", "content"),
    [
        (Format.JSON, "application/json", b'{"data":1}'),
        (Format.CSV, "text/csv", b"a\r\n'=1\r\n"),
        (Format.JSONL, "application/x-ndjson", b'{"a":"=1"}\n'),
    ],
)
def test_formats(
    messages: asyncio.Queue[dict[str, Any]], format_: Format, media_type: str, content: bytes
) -> None:
    response = written(
        request_of(messages),
        format_,
        lambda: {"data": 1},
        lambda: (("a",), [{"a": "=1"}]),
        name="events",
    )

    assert response.content == content
    assert response.media_type == media_type
    assert ("Content-Disposition" in response.headers) is (format_ is not Format.JSON)
