"""GET organizations/{org}/events-stats/chart.{png,svg}: the same question, answered as an image."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.spec import vega_lite
from groundswell.charts.summary import summarize
from groundswell.http.answering import ClientGone, gone, tagged, unless_gone
from groundswell.http.charting import ask_chart, look_of
from groundswell.http.requests import caller_scope, multi, services_of


@get(
    [
        "/api/0/organizations/{org:str}/events-stats/chart.png",
        "/api/0/organizations/{org:str}/events-stats/chart.svg",
    ],
    opt={"access": "org:read"},
)
async def chart(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Draw the series that the same parameters give on events-stats.

    `display`, `title`, `theme` (light, dark), `width` and `height` say how. Access is decided and
    the question asked before any image is looked up.
    """
    scope = await caller_scope(request, org)
    services = services_of(request)
    params = multi(request)
    look = look_of(params)
    try:
        answer, drawn = await unless_gone(
            request, ask_chart(services.statistics, params, scope, look)
        )
    except ClientGone:
        return gone()

    spec = vega_lite(drawn, theme=look.theme)
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "X-Chart-Alt": summarize(answer, title=drawn.title).alt.encode("ascii", "replace").decode(),
    }
    if request.url.path.rstrip("/").endswith(".svg"):
        # An SVG opened by itself is a document: it may not run or load anything.
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        image, media_type = await services.renderer.svg(spec), "image/svg+xml"
    else:
        image, media_type = await services.renderer.png(spec), "image/png"
    return tagged(request, image, media_type=media_type, headers=headers)


ROUTES = [chart]
