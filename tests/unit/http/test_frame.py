"""Where answers lead, what failures of pages carry, and lists of what was kept without a search."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import HTTPException

from groundswell.http.failures import HANDLERS
from groundswell.http.web.failures import on_refusal
from groundswell.http.web.frame import environment, go
from groundswell.store.metadata.saved_queries import SavedQuery

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("/a/?b=c%20d&e=f#g", "/a/?b=c%20d&e=f#g"),
        ("/a\r\nSet-Cookie: x=y/", "/a%0D%0ASet-Cookie:%20x=y/"),
        ("/ünder/", "/%C3%BCnder/"),
    ],
)
def test_an_address_cannot_break_out_of_its_header(address: str, written: str) -> None:
    assert go(address, 303).headers["Location"] == written


async def test_the_page_of_an_unknown_address_is_guarded_like_every_page() -> None:
    app = Litestar(exception_handlers={**HANDLERS, HTTPException: on_refusal}, openapi_config=None)
    transport = httpx.ASGITransport(cast(Any, app))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        answer = await client.get("/nothing/", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    nonce = answer.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'nonce="{nonce}"' in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


def test_saved_questions_without_a_search_are_listed() -> None:
    kept = SavedQuery(
        id=7, org_id=1, created_by=None, name="All", body={"yAxis": ["count()"]},
        is_homepage=False, split=None, visits=0, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    frame: dict[str, Any] = {
        "org": None, "organizations": [], "user": None, "places": (), "here": "", "nonce": "n",
        "theme": "light", "static": str,
    }  # fmt: skip
    template = environment().get_template("queries.html")
    organization = type("Organization", (), {"slug": "acme", "name": "Acme"})()
    text = template.render(**{**frame, "org": organization}, queries=[kept], word="")
    assert "/organizations/acme/discover/results/?id=7" in text
