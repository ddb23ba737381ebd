"""What SDKs are told: bodies, the headers they read, and what browsers need to read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from groundswell.errors import UserError
from groundswell.ingest.quotas import Refusal, header_of

Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after"),
)
PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST"),
    (
        b"access-control-allow-headers",
        b"x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, "
        b"authentication, authorization, content-encoding, transfer-encoding, sentry-trace, "
        b"baggage, x-csrftoken",
    ),
    (b"access-control-max-age", b"3600"),
)
encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer to an SDK."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Overloaded(UserError):
    """Raised when nothing can be taken now; `retry_after_s` says when to come back."""

    def __init__(self, message: str, retry_after_s: int, status: int = 503) -> None:
        super().__init__(message, code="overloaded", status=status)
        self.retry_after_s = retry_after_s


def preflight() -> Answer:
    """Tell a browser what it may send."""
    return Answer(200, b"", PREFLIGHT)


def accepted(event_id: str) -> Answer:
    """Say that everything is kept, or that there was nothing to keep."""
    return Answer(200, b'{"id":"%b"}' % event_id.encode() if event_id else b"{}")


def limited(event_id: str, refused: Mapping[str, Refusal]) -> Answer:
    """Say which categories are over a limit, and for how long."""
    longest = max(row.retry_after_s for row in refused.values())
    detail = f"Rate limit reached for {', '.join(sorted(refused))}."
    body = {"detail": detail} | ({"id": event_id} if event_id else {})
    return Answer(
        429,
        encode(body),
        (
            (b"retry-after", str(longest).encode()),
            (b"x-sentry-rate-limits", header_of(refused.values()).encode()),
            (b"x-sentry-error", detail.encode()),
        ),
    )


def failed(error: UserError) -> Answer:
    """Say why nothing was taken."""
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"x-sentry-error", error.message.encode("ascii", "replace").replace(b"\n", b" ")[:500]),
    )
    if isinstance(error, Overloaded):
        seconds = str(error.retry_after_s).encode()
        headers += ((b"retry-after", seconds),)
        if error.status == 429:
            headers += ((b"x-sentry-rate-limits", seconds + b"::organization:backlog"),)
    if error.status == 405:
        headers += ((b"allow", b"POST, OPTIONS"),)
    if error.status == 413 or error.status == 408:
        # What is left of the body is not read: the connection cannot be used again.
        headers += ((b"connection", b"close"),)
    return Answer(error.status, encode({"detail": error.message, "causes": []}), headers)


async def send_answer(send: Send, answer: Answer) -> None:
    """Write an answer."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    if answer.headers is not PREFLIGHT:
        headers += CORS
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
