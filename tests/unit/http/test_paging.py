"""Link headers: both links, every parameter kept, the cursor of each page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Request

from groundswell.config import load
from groundswell.http.paging import Page, link_header


def request_of(query: str, base_url: str = "") -> Request[Any, Any, Any]:
    services = SimpleNamespace(settings=load({"BASE_URL": base_url}, environ={}))
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/api/0/organizations/acme/events/",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000")],
        "server": ("127.0.0.1", 8000),
        "litestar_app": SimpleNamespace(state=SimpleNamespace(services=services)),
        "state": {},
    }
    return Request(cast("Any", scope))


def test_both_links_keep_every_parameter_but_the_cursor() -> None:
    request = request_of("field=title&field=count%28%29&per_page=50&cursor=0:50:0")
    address = "http://127.0.0.1:8000/api/0/organizations/acme/events/"
    kept = "field=title&field=count%28%29&per_page=50"

    assert link_header(request, Page(50, 50), has_more=True) == {
        "Link": (
            f'<{address}?{kept}&cursor=0:0:1>; rel="previous"; results="true"; cursor="0:0:1", '
            f'<{address}?{kept}&cursor=0:100:0>; rel="next"; results="true"; cursor="0:100:0"'
        )
    }


@pytest.mark.parametrize(
    ("page", "has_more", "previous", "following"),
    [
        (Page(50, 0), False, ("0:0:1", "false"), ("0:50:0", "false")),
        (Page(50, 20), True, ("0:0:1", "true"), ("0:70:0", "true")),
        (Page(1, 3), False, ("0:2:1", "true"), ("0:4:0", "false")),
    ],
)
def test_cursors(
    page: Page, has_more: bool, previous: tuple[str, str], following: tuple[str, str]
) -> None:
    header = link_header(request_of(""), page, has_more=has_more)["Link"]

    assert f'rel="previous"; results="{previous[1]}"; cursor="{previous[0]}"' in header
    assert f'rel="next"; results="{following[1]}"; cursor="{following[0]}"' in header


def test_a_public_address_is_used_where_there_is_one() -> None:
    header = link_header(request_of("", "https://stats.example.org"), Page(1, 0), has_more=False)

    assert header["Link"].startswith("<https://stats.example.org/api/0/organizations/acme/events/?")
    assert "127.0.0.1" not in header["Link"]


def test_text_of_users_cannot_leave_the_header() -> None:
    header = link_header(request_of("query=%0d%0aSet-Cookie:%3e%22"), Page(1, 0), has_more=False)

    assert "\r" not in header["Link"]
    assert "\n" not in header["Link"]
    assert header["Link"].count(">") == 2
