"""GET /c/<name>.png: a stored chart image, for whoever holds its random name."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.snapshots import Snapshots, is_name, placeholder
from groundswell.errors import NotFound
from groundswell.http.requests import services_of

# Revoking must count soon, also where a chat keeps copies.
MAX_AGE_S = 300


@get("/c/{file:str}", include_in_schema=False, opt={"access": "public"})
async def snapshot(request: Request[Any, Any, Any], file: FromPath[str]) -> Response[bytes]:
    """Give the image, or a neutral one when it is gone, so that old messages keep their form."""
    name, dot, kind = file.partition(".")
    if kind != "png" or not dot or not is_name(name):
        raise NotFound

    png = await Snapshots(services_of(request).metadata).find(name)
    return Response(
        content=png or placeholder(),
        media_type="image/png",
        headers={
            "Cache-Control": f"public, max-age={MAX_AGE_S}",
            "X-Robots-Tag": "noindex, noarchive",
            "X-Content-Type-Options": "nosniff",
        },
    )


ROUTES = [snapshot]
