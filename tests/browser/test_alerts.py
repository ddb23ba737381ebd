"""The pages of rules and incidents in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shop
from tests.serving import ORG

pytestmark = pytest.mark.usefixtures("shop")


def test_a_rule_is_made_with_a_preview_and_shown(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/alerts/rules/new/")
    expect(page.locator("#preview")).to_contain_text("Nothing to preview yet")
    page.get_by_label("Projects").select_option("pages")
    page.get_by_label("Critical threshold").fill("100000")
    page.get_by_label("Name").fill("<b>Too many</b>")
    page.get_by_label("Critical threshold").press("Tab")
    expect(page.locator("#preview .told")).to_contain_text("would not have fired")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<b>Too many</b>")
    expect(page.locator(".chart .told")).to_contain_text("Last")
    page.get_by_role("button", name="Mute").click()
    expect(page.locator(".facts")).to_contain_text("until")
    page.goto(f"{shop.url}/organizations/{ORG}/alerts/rules/")
    expect(page.locator("main")).to_contain_text("count() in 5 minutes is above 100000")


def test_what_is_wrong_is_told_beside_the_field(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/alerts/rules/new/")
    page.get_by_role("textbox", name="Number").fill("nope()")
    page.get_by_label("Critical threshold").fill("1")
    page.get_by_label("Name").fill("Wrong")
    page.get_by_role("button", name="Save rule").click()
    expect(page.locator(".wrong")).to_contain_text("nope")
