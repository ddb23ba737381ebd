"""The simulator's sockets: Web API, uploads, response addresses and Socket Mode on one port."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from aiohttp import WSMsgType, web

from groundswell.slack.simulator.web_api import Api
from groundswell.slack.simulator.world import Call, Failure, World


class Simulator:
    """Serves one world. `async with Simulator() as slack: … slack.api_url …`."""

    def __init__(
        self, world: World | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.world = world or World()
        self.origin = ""
        self.acknowledged: list[dict[str, Any]] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._connected = asyncio.Event()
        self._address = (host, port)
        self._runner: web.AppRunner | None = None
        self._api = Api(self.world, "")

    @property
    def api_url(self) -> str:
        return self.origin + "/api/"

    async def start(self, routes: list[web.RouteDef] | None = None) -> None:
        """Listen; `routes` are further pages on the same port."""
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/api/{method}", self._call),
                web.get("/api/{method}", self._call),
                web.post("/upload/{id}", self._upload),
                web.post("/response/{id}", self._response),
                web.get("/socket", self._socket),
                *(routes or []),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self._address)
        await site.start()
        server = site._server
        assert isinstance(server, asyncio.Server)
        port = server.sockets[0].getsockname()[1]
        self.origin = f"http://{self._address[0]}:{port}"
        self._api.origin = self.origin

    async def stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def response_url(self) -> str:
        """Give an address that takes answers to a command or a button."""
        return f"{self.origin}/response/{self.world.next_id('R')}"

    async def connected(self) -> None:
        """Wait until a client listens over Socket Mode."""
        await self._connected.wait()

    async def push(self, kind: str, payload: dict[str, Any], **extra: Any) -> str:
        """Send an envelope over Socket Mode to one of the connected clients."""
        await self._connected.wait()
        envelope_id = self.world.next_id("E")
        envelope = {"type": kind, "envelope_id": envelope_id, "payload": payload, **extra}
        await next(iter(self._sockets)).send_json(envelope)
        return envelope_id

    async def drop_sockets(self) -> None:
        """Break every Socket Mode connection without a goodbye."""
        self._connected.clear()
        for socket in list(self._sockets):
            self._sockets.discard(socket)
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def refresh_sockets(self) -> None:
        """Ask every client to connect anew, as Slack does every few hours."""
        self._connected.clear()
        for socket in list(self._sockets):
            self._sockets.discard(socket)
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        args = {**request.query, **await _arguments(request)}
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = bearer if scheme == "Bearer" else str(args.pop("token", ""))
        queue = self.world.behaviour.failures.get(name)
        if queue:
            return await self._fail(request, queue.popleft(), name, token, args)

        answer = await self._api.call(name, token, args)
        self.world.calls.append(Call(name, token, args, answer))
        if answer.get("error") == "ratelimited":
            return web.json_response(answer, status=429, headers={"Retry-After": "1"})

        return web.json_response(answer)

    async def _fail(
        self, request: web.Request, failure: Failure, name: str, token: str, args: dict[str, Any]
    ) -> web.StreamResponse:
        body = dict(failure.body or {"ok": False, "error": "internal_error"})
        self.world.calls.append(Call(name, token, args, {"failure": failure.kind, **body}))
        if failure.kind == "hang":
            await asyncio.sleep(3600)
        if failure.kind == "drop" and request.transport is not None:
            request.transport.abort()
        return web.json_response(body, status=failure.status, headers=dict(failure.headers))

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.world.files.get(request.match_info["id"])
        content = await request.read()
        if request.content_type == "multipart/form-data" or file is None:
            return web.Response(status=400, text="expected the bytes of a known file")

        if len(content) != file.length:
            return web.Response(status=400, text="length does not match")

        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _response(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)

        self.world.responses.append((request.match_info["id"], body))
        return web.Response(text="ok")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._sockets.add(socket)
        self._connected.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.acknowledged.append(json.loads(message.data))
        finally:
            self._sockets.discard(socket)
            if not self._sockets:
                self._connected.clear()
        return socket


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return {}

    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    return dict(await request.post())
