"""The simulator's page: paste a link, write to the app, type a command, press a button, and see
what a channel would see, without an account at Slack."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from groundswell.slack.simulator.delivery import Delivery, Sender
from groundswell.slack.simulator.server import Simulator
from groundswell.slack.simulator.world import Message

PAGE = Path(__file__).with_name("page.html")


class Stage:
    """Serves the page of one simulator that plays for one service."""

    def __init__(self, simulator: Simulator, sender: Sender) -> None:
        self._simulator = simulator
        self._sender = sender
        self._answers: list[dict[str, Any]] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._page),
            web.get("/stage", self._state),
            web.post("/stage/share", self._share),
            web.post("/stage/say", self._say),
            web.post("/stage/command", self._command),
            web.post("/stage/press", self._press),
            web.get("/file/{id}", self._file),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(body=PAGE.read_bytes(), content_type="text/html", charset="utf-8")

    async def _state(self, request: web.Request) -> web.Response:
        world = self._simulator.world
        return web.json_response(
            {
                "team": world.team,
                "messages": [_shown(message) for message in world.messages],
                "answers": self._answers,
                "responses": [body for _, body in world.responses],
                "refusals": world.refusals[-10:],
            }
        )

    async def _share(self, request: web.Request) -> web.Response:
        text = str((await request.json())["text"])
        urls = [word for word in text.split() if word.startswith(("http://", "https://"))]
        if not urls:
            return web.json_response({"status": "There is no link in this text."})

        return _told((await self._sender.share(*urls))[-1])

    async def _say(self, request: web.Request) -> web.Response:
        text = str((await request.json())["text"])
        world = self._simulator.world
        channel = "D0001"
        world.messages.append(Message(channel, world.next_ts(), "U0001", text))
        return _told((await self._sender.say(text))[-1])

    async def _command(self, request: web.Request) -> web.Response:
        text = str((await request.json())["text"])
        answer = await self._sender.command(text, response_url=self._simulator.response_url())
        if answer.status == 200:
            self._answers.append({"typed": text, **answer.json})
        return _told(answer)

    async def _press(self, request: web.Request) -> web.Response:
        given = await request.json()
        pressed = {
            "user": {"id": "U0001"},
            "channel": {"id": str(given.get("channel", ""))},
            "container": {
                "message_ts": str(given.get("ts", "")),
                "is_app_unfurl": bool(given.get("in_unfurl")),
            },
            "actions": [given["action"]],
            "response_url": self._simulator.response_url(),
        }
        return _told(await self._sender.press(pressed))

    async def _file(self, request: web.Request) -> web.Response:
        file = self._simulator.world.files.get(request.match_info["id"])
        if file is None or file.content is None:
            raise web.HTTPNotFound

        return web.Response(body=file.content, content_type="image/png")


def _told(answer: Delivery) -> web.Response:
    status = answer.status if answer.status is not None else answer.reason
    return web.json_response({"status": f"{status} in {answer.seconds * 1000:.0f} ms"})


def _shown(message: Message) -> dict[str, Any]:
    shown = asdict(message)
    del shown["unfurl_history"]
    found: dict[str, Any] = json.loads(json.dumps(shown))
    return found
