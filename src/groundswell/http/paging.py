"""`Link` headers: the previous and the next page of a list, as RFC 5988 links with cursors."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request

from groundswell.http.requests import multi, services_of
from groundswell.stats.parameters import Page, page

__all__ = ["Page", "link_header", "page"]


def link_header(request: Request[Any, Any, Any], here: Page, *, has_more: bool) -> dict[str, str]:
    """Make the header that leads to the pages before and after `here`.

    Both links are always there; `results` tells whether that page has rows. The links keep every
    parameter of the request but the cursor.
    """
    pairs = [
        (name, value)
        for name, values in multi(request).items()
        for value in values
        if name != "cursor"
    ]
    # The router strips the slash that every path of the API ends with.
    address = f"{_origin(request)}{request.scope['path'].rstrip('/')}/"

    def link(rel: str, offset: int, is_previous: bool, has_results: bool) -> str:
        cursor = f"0:{offset}:{int(is_previous)}"
        query = urlencode([*pairs, ("cursor", cursor)], safe=":")
        return (
            f'<{address}?{query}>; rel="{rel}"; '
            f'results="{str(has_results).lower()}"; cursor="{cursor}"'
        )

    previous = link("previous", max(0, here.offset - here.limit), True, here.offset > 0)
    following = link("next", here.offset + here.limit, False, has_more)
    return {"Link": f"{previous}, {following}"}


def _origin(request: Request[Any, Any, Any]) -> str:
    """The address that people use, or the one that this request used where none is set."""
    settings = services_of(request).settings
    if settings.text("BASE_URL"):
        return settings.base_url

    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
