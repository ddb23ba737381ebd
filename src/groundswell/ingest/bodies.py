"""The body of a request, bounded in size and in time; whoever stops lets the half-sent ones go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from groundswell.errors import GroundswellError, UserError
from groundswell.ingest import limits
from groundswell.ingest.answers import Overloaded
from groundswell.ingest.compression import TooLarge

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(GroundswellError):
    """Raised when the sender has gone; there is nobody to answer."""


class Bodies:
    """Reads bodies. `close` ends those that are being sent."""

    def __init__(self) -> None:
        self._reading: set[asyncio.Timeout] = set()
        self.is_closed = False

    def close(self) -> None:
        """Whoever is still sending gets 503 now."""
        self.is_closed = True
        now = asyncio.get_running_loop().time()
        for deadline in self._reading:
            deadline.reschedule(now)

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Give a whole body. Raises TooLarge, Overloaded, Disconnected, UserError (408)."""
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limits.BODY_COMPRESSED:
            raise _too_large()

        try:
            async with asyncio.timeout(limits.BODY_IDLE_S) as deadline:
                self._reading.add(deadline)
                try:
                    return await self._parts(receive, deadline)
                finally:
                    self._reading.discard(deadline)
        except TimeoutError:
            if self.is_closed:
                raise Overloaded("The service is stopping.", 5) from None

            raise UserError(
                "The request body came too slowly.", code="timeout", status=408
            ) from None

    async def _parts(self, receive: Receive, deadline: asyncio.Timeout) -> bytes:
        loop = asyncio.get_running_loop()
        last = loop.time() + limits.BODY_TOTAL_S
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected

            part = message.get("body", b"")
            size += len(part)
            if size > limits.BODY_COMPRESSED:
                raise _too_large()

            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

            if not self.is_closed:
                deadline.reschedule(min(last, loop.time() + limits.BODY_IDLE_S))


def _too_large() -> TooLarge:
    return TooLarge(
        f"Request body is larger than {limits.BODY_COMPRESSED} bytes.", "too_large:body"
    )
