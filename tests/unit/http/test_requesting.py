"""What holds for every request: its id, HEAD, and the time that its body may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar, Request, get, post
from litestar.datastructures import State

from groundswell.http import requesting
from groundswell.http.failures import HANDLERS
from groundswell.http.requesting import Bodies, identified
from groundswell.http.server import listen, make_server


@get("/thing")
async def thing() -> str:
    return "thing"


@post("/size", status_code=200)
async def size(request: Request[Any, Any, Any], state: State) -> str:
    state.began.set()
    return str(len(await request.body()))


@pytest.fixture
def bodies() -> Bodies:
    return Bodies()


@pytest.fixture
def began() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def port(bodies: Bodies, began: asyncio.Event) -> AsyncIterator[int]:
    app = Litestar(
        [thing, size],
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
        state=State({"began": began}),
    )
    sock = listen("127.0.0.1", 0)
    server = make_server(identified(app, bodies))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    yield sock.getsockname()[1]
    server.should_exit = True
    await task


async def exchange(port: int, request: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer.decode().lower()


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        pytest.param("abc-1", True, id="plain"),
        pytest.param("a" * 129, False, id="too-long"),
        pytest.param("a b;c", False, id="other-characters"),
        pytest.param("", False, id="empty"),
    ],
)
async def test_the_id_of_a_request_stands_in_its_answer(
    port: int, sent: str, is_kept: bool
) -> None:
    head = f"GET /thing HTTP/1.1\r\nhost: x\r\nx-request-id: {sent}\r\nconnection: close\r\n\r\n"
    answer = await exchange(port, head.encode())
    found = answer.partition("x-request-id: ")[2].partition("\r\n")[0]
    assert (found == sent) is is_kept
    assert found


async def test_head_is_answered_like_get_without_a_body(port: int) -> None:
    answer = await exchange(port, b"HEAD /thing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("http/1.1 200")
    assert "content-length: 5" in head
    assert body == ""


HALF = b"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"


async def test_a_body_that_does_not_arrive_gets_408(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requesting, "BODY_IDLE_S", 0.05)
    answer = await exchange(port, HALF)
    assert answer.startswith("http/1.1 408")
    assert '{"detail":"the body did not arrive in time."}' in answer


async def test_half_sent_bodies_are_let_go_when_the_service_stops(
    port: int, bodies: Bodies, began: asyncio.Event
) -> None:
    answering = asyncio.create_task(exchange(port, HALF))
    await began.wait()
    bodies.close()
    assert (await answering).startswith("http/1.1 503")
