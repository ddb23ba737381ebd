"""What Slack sends us: signed requests with a deadline of 3 s and three resends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from groundswell.slack.simulator.world import World

DEADLINE_S = 3.0
RESEND_AFTER_S = (0.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: `status` is None when no answer came in time."""

    status: int | None
    body: bytes
    seconds: float
    reason: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Sender:
    """Sends to one service. `time_scale` shortens the waits between resends, not the deadline."""

    def __init__(
        self,
        world: World,
        service_url: str,
        signing_secret: str,
        *,
        time_scale: float = 1.0,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.world = world
        self.service_url = service_url.rstrip("/")
        self._secret = signing_secret.encode()
        self._scale = time_scale
        self._deadline_s = deadline_s

    def signed(self, body: bytes, *, at: int | None = None) -> dict[str, str]:
        """Give the headers that prove that a body is Slack's."""
        stamp = str(int(time.time()) if at is None else at)
        digest = hmac.new(self._secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        return {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": "v0=" + digest.hexdigest(),
        }

    async def event(
        self, event: Mapping[str, Any], *, event_id: str | None = None
    ) -> list[Delivery]:
        """Deliver an event until a 2xx comes or the resends are used up."""
        payload = self.envelope(event, event_id=event_id)
        body = json.dumps(payload).encode()
        attempts: list[Delivery] = []
        for number, wait_s in enumerate((None, *RESEND_AFTER_S)):
            extra = {}
            if wait_s is not None:
                await asyncio.sleep(wait_s * self._scale)
                extra = {
                    "X-Slack-Retry-Num": str(number),
                    "X-Slack-Retry-Reason": attempts[-1].reason,
                }
            attempt = await self.post("/extensions/slack/event/", body, "application/json", extra)
            attempts.append(attempt)
            if attempt.status is not None and 200 <= attempt.status < 300:
                break
        return attempts

    async def share(
        self,
        *urls: str,
        channel: str = "C0001",
        user: str = "U0001",
        extra: Mapping[str, Any] | None = None,
        event_id: str | None = None,
    ) -> list[Delivery]:
        """Write a message with links and deliver its `link_shared`, with `&` escaped."""
        message = self.world.share(channel, user, *(escaped(url) for url in urls))
        return await self.event(
            link_shared(message.links, channel, user, message.ts, **(extra or {})),
            event_id=event_id,
        )

    async def say(self, text: str, *, user: str = "U0001") -> list[Delivery]:
        """Write a direct message to the app."""
        channel = "D" + user[1:]
        self.world.channels.setdefault(channel, {"id": channel, "is_im": True, "is_member": True})
        return await self.event(
            {
                "type": "message",
                "channel": channel,
                "channel_type": "im",
                "user": user,
                "text": text,
                "ts": self.world.next_ts(),
            }
        )

    async def command(
        self,
        text: str,
        *,
        channel: str = "C0001",
        channel_name: str = "general",
        user: str = "U0001",
        response_url: str = "",
    ) -> Delivery:
        """Type a slash command."""
        form = {
            "team_id": self.world.team,
            "channel_id": channel,
            "channel_name": channel_name,
            "user_id": user,
            "user_name": "ada",
            "command": "/groundswell",
            "text": text,
            "response_url": response_url,
            "trigger_id": "1.2.3",
        }
        return await self.post(
            "/extensions/slack/commands/",
            urlencode(form).encode(),
            "application/x-www-form-urlencoded",
        )

    async def press(self, payload: Mapping[str, Any]) -> Delivery:
        """Press a button: `payload` is merged over what Slack always sends."""
        full = {"type": "block_actions", "team": {"id": self.world.team}, **payload}
        body = urlencode({"payload": json.dumps(full)}).encode()
        return await self.post(
            "/extensions/slack/action/", body, "application/x-www-form-urlencoded"
        )

    def envelope(self, event: Mapping[str, Any], *, event_id: str | None = None) -> dict[str, Any]:
        return {
            "type": "event_callback",
            "team_id": self.world.team,
            "api_app_id": "A0001",
            "event_id": event_id or self.world.next_id("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {"team_id": self.world.team, "user_id": self.world.bot_user, "is_bot": True}
            ],
            "event": dict(event),
        }

    async def post(
        self, path: str, body: bytes, content_type: str, extra: Mapping[str, str] | None = None
    ) -> Delivery:
        headers = {**self.signed(body), "Content-Type": content_type, **(extra or {})}
        timeout = aiohttp.ClientTimeout(total=self._deadline_s)
        started = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.service_url + path, data=body, headers=headers) as response,
            ):
                answer = await response.read()
                status = response.status
        except TimeoutError:
            return Delivery(None, b"", time.monotonic() - started, "http_timeout")
        except aiohttp.ClientError:
            return Delivery(None, b"", time.monotonic() - started, "connection_failed")

        reason = "" if 200 <= status < 300 else "http_error"
        return Delivery(status, answer, time.monotonic() - started, reason)


def link_shared(
    links: Sequence[str], channel: str, user: str, ts: str, **extra: Any
) -> dict[str, Any]:
    """Describe that links were shared, as the Events API does."""
    return {
        "type": "link_shared",
        "channel": channel,
        "is_bot_user_member": True,
        "user": user,
        "message_ts": ts,
        "unfurl_id": ts,
        "source": "conversations_history",
        "links": [{"domain": "groundswell.example", "url": url} for url in links],
        **extra,
    }


def escaped(url: str) -> str:
    """Write an address as Slack does in events: `&` becomes `&amp;`."""
    return url.replace("&amp;", "&").replace("&", "&amp;")
