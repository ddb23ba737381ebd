"""What nobody serves is told as a page to browsers and as JSON to everybody else."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page

from tests.browser.conftest import Shop


def test_unknown_path_is_a_page_in_the_frame(page: Page, shop: Shop) -> None:
    answer = page.goto(f"{shop.url}/no/such/page/")
    assert answer is not None
    assert answer.status == 404
    assert page.get_by_role("alert").inner_text().startswith("Not found")
    assert page.locator("header .brand").inner_text() == "Groundswell"


def test_unknown_path_is_json_for_scripts_and_in_the_api(shop: Shop) -> None:
    for path, accepted in (("/no/such/page/", "*/*"), ("/api/0/no/such/", "text/html")):
        answer = httpx.get(shop.url + path, headers={"Accept": accepted})
        assert answer.status_code == 404
        assert answer.json() == {"detail": "The requested resource does not exist"}
