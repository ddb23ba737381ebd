"""The bounds of a request's head, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from litestar.types import Receive, Scope, Send

from groundswell.http import protocol
from groundswell.http.server import listen, make_server


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    sock = listen("127.0.0.1", 0)
    server = make_server(echo)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    yield sock.getsockname()[1]
    server.should_exit = True
    await task


async def exchange(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(4096), 10)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_ordinary_head_is_answered_and_the_connection_stays(port: int) -> None:
    request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(request)
        answer = await reader.readuntil(b"ok")
        assert answer.startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"x: " + b"a" * 70_000 + b"\r\n\r\n", id="one-long-header"),
        pytest.param(b"".join(b"x%d: y\r\n" % n for n in range(20_000)) + b"\r\n", id="many"),
        pytest.param(b"x: " + b"a" * 70_000, id="never-complete"),
    ],
)
async def test_a_head_over_the_limit_is_refused(port: int, head: bytes) -> None:
    answer = await exchange(port, b"GET / HTTP/1.1\r\nhost: x\r\n", head)
    assert answer.startswith(b"HTTP/1.1 431")


async def test_a_head_that_never_ends_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.1)
    assert await exchange(port, b"GET / HTTP/1.1\r\nhost: ") == b""
