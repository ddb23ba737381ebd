"""Default deny: every route says what it needs, and without credentials none of them answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from groundswell.demo.service import ServiceProcess
from groundswell.http import control, health
from groundswell.http.api import ROUTES as API
from groundswell.http.slack_routes import ROUTES as SLACK
from groundswell.http.web import ROUTES as WEB

NEEDS = {"public", "any", "session", "signature", "control"}


def handlers() -> list[tuple[str, str, HTTPRouteHandler]]:
    app = Litestar(
        route_handlers=[*health.ROUTES, *control.ROUTES, *API, *SLACK, *WEB], openapi_config=None
    )
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                found[method, route.path_format] = handler
    return [(method, path, handler) for (method, path), handler in sorted(found.items())]


@pytest.mark.parametrize(("method", "path", "handler"), handlers())
def test_every_route_says_what_it_needs(method: str, path: str, handler: Any) -> None:
    need = handler.opt.get("access")
    assert need in NEEDS or (isinstance(need, str) and ":" in need), f"{method} {path}: {need!r}"


def test_without_credentials_nothing_is_told(service: ServiceProcess) -> None:
    told = []
    with httpx.Client(base_url=service.url, timeout=20) as client:
        for method, path, handler in handlers():
            if handler.opt["access"] == "public":
                continue
            address = path
            for name in ("org:str", "slug:str", "team:str", "key:str", "user:str"):
                address = address.replace("{" + name.partition(":")[0] + "}", "acme")
            answer = client.request(method, address.replace("{", "").replace("}", ""), json={})
            if answer.status_code not in {301, 302, 303, 307, 308, 400, 401, 403, 404, 405}:
                told.append((method, path, answer.status_code))
    assert told == []
