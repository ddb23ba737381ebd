"""Mail: real SMTP over a socket, one line of subject, one thread for an incident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from groundswell.errors import UpstreamError
from groundswell.notify.mail import Mailer
from tests.unit.notify.test_webhooks import BODY, delivery


class Server:
    """A mail server that takes everything but what it was told to refuse."""

    def __init__(self) -> None:
        self.refusal = b""
        self.messages: list[bytes] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go\r\n")
                self.messages.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
            elif word == b"RCPT" and self.refusal:
                writer.write(self.refusal)
                continue
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 ok\r\n")
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield made


def mailer(server: Server) -> Mailer:
    return Mailer(f"smtp://127.0.0.1:{server.port}", "gs@example.com", "https://gs.example")


async def test_a_notice_is_a_mail_in_the_thread_of_its_incident(server: Server) -> None:
    body = BODY | {"name": "High <b>\r\nBcc: x@example.com", "notes": "Ask <Ada>"}
    sent = replace(delivery("ada@example.com"), channel="email", body=body)
    assert "127.0.0.1" in await mailer(server).send(sent)
    message = message_from_bytes(server.messages[0], policy=policy.default)
    assert message["Subject"] == "Critical: High <b> Bcc: x@example.com"
    assert message["Bcc"] is None
    assert message["References"] == "<incident-1-3@example.com>"
    text = message.get_body(("plain",)).get_content()
    assert "count() is 120 in the last 5 minutes" in text
    assert "/alerts/rules/details/7/?alert=3" in text
    assert "Ask &lt;Ada&gt;" in message.get_body(("html",)).get_content()


@pytest.mark.parametrize(("said", "retryable"), [(b"450 later\r\n", True), (b"550 no\r\n", False)])
async def test_refusals_tell_whether_to_try_again(
    server: Server, said: bytes, retryable: bool
) -> None:
    server.refusal = said
    with pytest.raises(UpstreamError) as caught:
        await mailer(server).send(delivery("ada@example.com"))
    assert caught.value.retryable is retryable


async def test_without_a_server_it_is_said_why() -> None:
    with pytest.raises(UpstreamError, match="SMTP_URL"):
        await Mailer("", "gs@example.com", "").send(delivery("ada@example.com"))
