"""Socket Mode: what Slack sends comes over a connection that we open; no public address is needed.

A watchdog rebuilds the whole client when it has been without a connection for too long: the
library's own reconnecting has been seen to give up.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from groundswell.config import Settings
from groundswell.slack.inbound import Door, Meta
from groundswell.telemetry import gauge, logger

PING_S = 5.0
WATCH_S = 5.0
DEAD_AFTER_S = 60.0
CONNECT_TIMEOUT_S = 30.0
LONGEST_PAUSE_S = 60.0

log = logger("slack")
_connected = gauge("slack_socket_connected", "Whether Socket Mode is connected.")


class Reply(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Mapping[str, Any] | None: ...


Handle = Callable[[Door, Mapping[str, Any], Meta], Awaitable[Reply]]


class Socket:
    """Keeps one connection to Slack. start() and stop() own it."""

    def __init__(
        self,
        settings: Settings,
        api_url: str,
        handle: Handle,
        *,
        ping_s: float = PING_S,
        watch_s: float = WATCH_S,
        dead_after_s: float = DEAD_AFTER_S,
    ) -> None:
        self._token = settings.text("SLACK_APP_TOKEN")
        self._api_url = api_url
        self._handle = handle
        self._ping_s = ping_s
        self._watch_s = watch_s
        self._dead_after_s = dead_after_s
        self._task: asyncio.Task[None] | None = None
        self.rebuilt = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        pause_s = 1.0
        while True:
            client = self._client()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await client.connect()  # type: ignore[no-untyped-call]
                pause_s = 1.0
                await self._watch(client)
            except TimeoutError:
                log.warning("slack_socket_no_connection", again_in_s=pause_s)
            finally:
                _connected.set(0)
                with contextlib.suppress(Exception):
                    await client.close()  # type: ignore[no-untyped-call]
            self.rebuilt += 1
            # Opening connections is limited by Slack: never in a tight loop.
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _watch(self, client: SocketModeClient) -> None:
        """Return when the connection has been dead for too long."""
        alive_at = time.monotonic()
        while time.monotonic() - alive_at < self._dead_after_s:
            if await client.is_connected():
                alive_at = time.monotonic()
                _connected.set(1)
            else:
                _connected.set(0)
            await asyncio.sleep(self._watch_s)
        log.warning("slack_socket_rebuilt", after_s=self._dead_after_s)

    def _client(self) -> SocketModeClient:
        client = SocketModeClient(
            self._token,
            web_client=AsyncWebClient(base_url=self._api_url),
            ping_interval=self._ping_s,
        )
        client.socket_mode_request_listeners.append(self._arrived)
        return client

    async def _arrived(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        door = door_of(request.type, request.payload)
        if door is None:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
            return

        meta = Meta("socket", request.retry_attempt or 0, request.retry_reason or "")
        reply = await self._handle(door, request.payload, meta)
        if reply.status == 503:
            # Without an acknowledgement Slack sends it again.
            return

        body = dict(reply.body) if reply.body else None
        await client.send_socket_mode_response(
            SocketModeResponse(request.envelope_id, payload=body)
        )


def door_of(kind: str, payload: Mapping[str, Any]) -> Door | None:
    """Tell which door an envelope belongs to."""
    if kind == "interactive":
        return Door.OPTIONS if payload.get("type") == "block_suggestion" else Door.ACTION

    return {"events_api": Door.EVENT, "slash_commands": Door.COMMAND}.get(kind)
