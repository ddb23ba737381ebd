"""Rate limits of the API: so many requests a minute for each token or address; off unless set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from groundswell.http.services import Services

WINDOW_S = 60
MAX_CALLERS = 10_000
_KEY = "rate_limit"


@dataclass(slots=True)
class RateLimit:
    """Counts the requests of each caller in windows that begin with the minute."""

    limit: int
    clock: Callable[[], float] = time.time
    _window: int = 0
    _counts: dict[bytes, int] = field(default_factory=dict)

    def take(self, caller: bytes) -> tuple[int, int]:
        """Count one request; give what is left (negative: refused) and when the window ends."""
        window = int(self.clock()) // WINDOW_S
        if window != self._window or len(self._counts) > MAX_CALLERS:
            self._window, self._counts = window, {}
        count = self._counts.get(caller, 0) + 1
        self._counts[caller] = count
        return self.limit - count, (window + 1) * WINDOW_S


def limited(app: ASGIApp) -> ASGIApp:
    """Refuse requests over the limit with 429; tell every answer what is left."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        limit = _limit_of(scope)
        if limit is None or scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return

        left, reset = limit.take(_caller(scope))
        headers = [
            (b"x-sentry-rate-limit-limit", str(limit.limit).encode()),
            (b"x-sentry-rate-limit-remaining", str(max(0, left)).encode()),
            (b"x-sentry-rate-limit-reset", str(reset).encode()),
        ]
        if left < 0:
            await _refuse(send, limit, headers, reset)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await app(scope, receive, telling)

    return middleware


def _limit_of(scope: Scope) -> RateLimit | None:
    state: Any = scope["litestar_app"].state
    services: Services = state.services
    limit = services.settings.integer("API_RATE_LIMIT")
    if not limit:
        return None

    if _KEY not in state:
        state[_KEY] = RateLimit(limit)
    found: RateLimit = state[_KEY]
    return found


def _caller(scope: Scope) -> bytes:
    """A token, as a digest; else the address."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return blake2b(value, digest_size=16).digest()

    client = scope.get("client")
    return client[0].encode() if client else b""


async def _refuse(
    send: Send, limit: RateLimit, headers: list[tuple[bytes, bytes]], reset: int
) -> None:
    detail = (
        f"You are attempting to use this endpoint too frequently. Limit is {limit.limit} requests "
        f"in {WINDOW_S} seconds"
    )
    retry = str(max(1, reset - int(limit.clock()))).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 429,
            "headers": [
                (b"content-type", b"application/json"), (b"retry-after", retry), *headers,
            ],
        }
    )  # fmt: skip
    body = msgspec.json.encode({"detail": detail})
    await send({"type": "http.response.body", "body": body, "more_body": False})
