"""Where people may send a service: row 38 of the list of faults, against receivers that count.

Nothing but a public address is connected to, the address that was looked at is the one connected
to, no redirect is followed, and no answer is read for long.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from groundswell.errors import UpstreamError
from groundswell.model.notices import Notice
from groundswell.model.tenancy import OrgId
from groundswell.notify import webhooks
from groundswell.notify.queue import Notices
from groundswell.notify.webhooks import MAX_ANSWER_BYTES, Webhooks
from groundswell.store.metadata import Metadata, notify, tenancy
from groundswell.store.metadata.notify import Delivery

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "org": "acme", "rule_id": 7, "number": 3, "status": "Critical", "name": "High errors",
    "aggregate": "count()", "window_min": 5, "value": 120.0, "started_at": 1_770_000_000,
}  # fmt: skip


class Inside:
    """A service of the inner network: it must never be reached. `answer` is what it says."""

    def __init__(self) -> None:
        self.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        self.connections = 0
        self.sent = 0
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            for part in self.answer:
                writer.write(part)
                await writer.drain()
                self.sent += len(part)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    made = Inside()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def delivery(target: str) -> Delivery:
    return Delivery(
        1, OrgId(1), "incident:1:3:1|webhook", "incident:1:3:1", "incident", "webhook", target,
        BODY, "waiting", 0, None, NOW, NOW, NOW, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "10.0.0.1", "172.16.0.1",
        "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
async def test_38_nothing_private_is_connected_to(inside: Inside, host: str) -> None:
    hooks = Webhooks("key", "https://gs.example", allow_private=False)
    with pytest.raises(UpstreamError) as refused:
        await hooks.send(delivery(f"http://{host}:{inside.port}/latest/meta-data/"))
    assert "not a public address" in refused.value.message or "is unknown" in refused.value.message
    assert inside.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "http://",
        "http://user@example.org/", "http://user:secret@example.org/", "http://exa mple.org/",
        "http://example.org:99999/", "javascript:alert(1)", "//example.org/",
    ],
)  # fmt: skip
async def test_38_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(UpstreamError) as refused:
        await Webhooks("key", "https://gs.example", allow_private=True).send(delivery(url))
    assert not refused.value.retryable or "is unknown" in refused.value.message


async def test_38_a_name_that_answers_differently_the_second_time_leads_nowhere_else(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is looked at, private whenever it is asked for again."""
    looked_up: list[str] = []
    connected: list[Any] = []

    async def resolve(host: Any, port: Any, **_: Any) -> list[Any]:
        name = host if isinstance(host, str) else host.decode()
        looked_up.append(name)
        number = name
        if name == "rebind.example":
            number = "127.0.0.1" if looked_up.count(name) > 1 else "8.8.8.8"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    async def connect(_: socket.socket, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "sock_connect", connect)
    hooks = Webhooks("key", "https://gs.example", allow_private=False)
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await hooks.send(delivery(f"http://rebind.example:{inside.port}/hook"))
    assert connected == ["8.8.8.8"]
    assert looked_up.count("rebind.example") == 2, "once for each of two attempts"
    assert inside.connections == 0


async def test_38_a_redirect_is_not_followed(inside: Inside) -> None:
    other = Inside()
    server = await asyncio.start_server(other.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = ("HTTP/1.1 302 Found", f"Location: http://127.0.0.1:{port}/", "Content-Length: 0")
    inside.answer = ["\r\n".join((*lines, "", "")).encode()]
    async with server:
        with pytest.raises(UpstreamError, match="302"):
            await Webhooks("key", "https://gs.example", allow_private=True).send(
                delivery(f"http://127.0.0.1:{inside.port}/")
            )
    assert (inside.connections, other.connections) == (1, 0)


async def test_38_an_answer_of_ten_gigabytes_is_not_read(inside: Inside) -> None:
    part = b"x" * 65_536
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"
    inside.answer = [head, *[part] * 1000]
    hooks = Webhooks("key", "https://gs.example", allow_private=True)
    assert await hooks.send(delivery(f"http://127.0.0.1:{inside.port}/")) == "200"
    # What the system buffers on the way was sent too.
    assert inside.sent < 12 * MAX_ANSWER_BYTES


async def test_38_a_receiver_that_says_nothing_is_left_after_five_seconds(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhooks.TIMEOUT_S == 5.0
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.1)
    inside.answer = []
    with pytest.raises(UpstreamError) as failed:
        await Webhooks("key", "https://gs.example", allow_private=True).send(
            delivery(f"http://127.0.0.1:{inside.port}/")
        )
    assert failed.value.retryable


async def test_38_a_refused_address_is_recorded_and_not_tried_again(
    sqlite_metadata: Metadata, inside: Inside
) -> None:
    hooks = Webhooks("key", "https://gs.example", allow_private=False)
    notices = Notices(sqlite_metadata, {"webhook": hooks.send})
    with sqlite_metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
    target = f"http://127.0.0.1:{inside.port}/"
    await notices.notify(Notice("incident", "incident:1:1:1", org.id, BODY, (("webhook", target),)))
    assert await notices.deliver() == 1
    assert await notices.deliver() == 0
    with sqlite_metadata.begin() as connection:
        (record,) = notify.records(connection, org.id)
    assert (record.state, record.attempts) == ("failed", 1)
    assert "not a public address" in (record.answer or "")
    assert inside.connections == 0
