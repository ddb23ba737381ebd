"""Webhooks go to public addresses only, signed, once, and believe nobody's redirect."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from groundswell.errors import UpstreamError
from groundswell.model.tenancy import OrgId
from groundswell.notify.addresses import is_public, pin
from groundswell.notify.webhooks import SIGNATURE, Webhooks
from groundswell.store.metadata.notify import Delivery

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "org": "acme", "rule_id": 7, "number": 3, "status": "Critical", "name": "High errors",
    "aggregate": "count()", "window_min": 5, "value": 120.0, "started_at": 1_770_000_000,
}  # fmt: skip


def delivery(target: str) -> Delivery:
    return Delivery(
        1, OrgId(1), "incident:1:3:1|webhook", "incident:1:3:1", "incident", "webhook", target,
        BODY, "waiting", 0, None, NOW, NOW, NOW, None,
    )  # fmt: skip


class Receiver:
    """A web server of a few lines that remembers requests."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((headers, body))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


async def test_a_notice_is_signed_json_with_the_name_of_the_host(receiver: Receiver) -> None:
    hooks = Webhooks("key", "https://gs.example", allow_private=True)
    await hooks.send(delivery(f"http://localhost:{receiver.port}/hook?a=1"))
    ((headers, body),) = receiver.requests
    said = json.loads(body)
    assert (said["title"], said["data"]["number"]) == ("Critical: High errors", 3)
    assert said["url"].startswith("https://gs.example/organizations/acme/alerts/rules/details/7/")
    assert headers["host"] == f"localhost:{receiver.port}"
    at, _, signature = headers[SIGNATURE.lower()].partition(",v1=")
    secret = hooks.secret(OrgId(1)).encode()
    expected = hmac.new(secret, f"{at[2:]}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == expected


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 429 Oh\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 410 Oh\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 302 Oh\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", False),
        (b"garbage\r\n\r\n", True),
    ],
)
async def test_other_answers_are_failures(
    receiver: Receiver, answer: bytes, retryable: bool
) -> None:
    receiver.answer = answer
    hooks = Webhooks("key", "https://gs.example", allow_private=True)
    with pytest.raises(UpstreamError) as caught:
        await hooks.send(delivery(f"http://127.0.0.1:{receiver.port}/"))
    assert caught.value.retryable is retryable
    assert len(receiver.requests) == 1


async def test_an_endless_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n" + b"x" * 3_000_000
    hooks = Webhooks("key", "https://gs.example", allow_private=True)
    assert await hooks.send(delivery(f"http://127.0.0.1:{receiver.port}/")) == "200"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
        "ftp://example.com/",
        "http://user@8.8.8.8/",
        "http:///",
        "http://8.8.8.8:99999/",
    ],
)
async def test_private_addresses_are_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        await pin(url, allow_private=False)
    assert not caught.value.retryable


async def test_the_connection_goes_to_the_number_that_was_looked_at() -> None:
    pinned = await pin("https://8.8.8.8/x?y=1", allow_private=False)
    assert (pinned.url, pinned.host) == ("https://8.8.8.8:443/x?y=1", "8.8.8.8")
    assert is_public("2606:4700:4700::1111")
