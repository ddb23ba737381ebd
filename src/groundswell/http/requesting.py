"""What holds for every request beside ingest: its id, the time its body may take, and HEAD."""

from __future__ import annotations

import asyncio
import re
import uuid

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send
from structlog.contextvars import bind_contextvars

from groundswell.errors import UserError

BODY_IDLE_S = 30.0
BODY_TOTAL_S = 120.0
_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Bodies:
    """Reads bodies within their time; `close` lets go of those that are still on their way."""

    def __init__(self) -> None:
        self._reading: set[asyncio.Timeout] = set()
        self._closed = False

    def close(self) -> None:
        """Wait for no body any more: who is still sending one gets 503."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for deadline in self._reading:
            deadline.reschedule(now)

    def timed(self, receive: Receive) -> tuple[Receive, asyncio.Event]:
        """Bound a request's `receive`; the event is set once the body is complete.

        Reading raises UserError (408, or 503 while the service stops) when it takes too long.
        """
        complete = asyncio.Event()
        started = asyncio.get_running_loop().time()

        async def bounded() -> ReceiveMessage:
            if complete.is_set():
                return await receive()

            until = min(started + BODY_TOTAL_S, asyncio.get_running_loop().time() + BODY_IDLE_S)
            message = await self._within(receive, until)
            if not message.get("more_body", False):
                complete.set()
            return message

        return bounded, complete

    async def _within(self, receive: Receive, until: float) -> ReceiveMessage:
        deadline = asyncio.timeout_at(0 if self._closed else until)
        try:
            async with deadline:
                self._reading.add(deadline)
                return await receive()
        except TimeoutError:
            if self._closed:
                raise UserError("The service is stopping.", status=503) from None

            raise UserError("The body did not arrive in time.", status=408) from None
        finally:
            self._reading.discard(deadline)


def identified(app: ASGIApp, bodies: Bodies) -> ASGIApp:
    """Give every request an id, its own or a new one, that stands in its answer and in the log.

    HEAD is answered like GET; the server leaves the body away.
    """

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return

        request_id = _id_of(scope)
        bind_contextvars(request_id=request_id.decode())
        if scope["method"] == HttpMethod.HEAD:
            scope = {**scope, "method": HttpMethod.GET}
        bounded, complete = bodies.timed(receive)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"x-request-id", request_id)]
                if not complete.is_set() and message["status"] in {408, 503}:
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        await app(scope, bounded, marked)

    return outermost


def _id_of(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return value

    return uuid.uuid4().hex.encode()
