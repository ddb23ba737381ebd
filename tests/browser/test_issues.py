"""Issues: their list, one of them, and their widget on a dashboard."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ERRORS, Shop
from tests.serving import ORG

TITLE = "<b>broken</b> checkout"


@pytest.fixture
def issues(page: Page, shop: Shop) -> Page:
    page.goto(f"{shop.url}/organizations/{ORG}/issues/?project={shop.project_id}")
    return page


def test_an_issue_is_found_resolved_and_reopened(issues: Page) -> None:
    issues.get_by_role("link", name=TITLE).click()
    expect(issues.get_by_role("heading", level=1)).to_contain_text(TITLE)
    expect(issues.locator(".chart .told")).to_contain_text(f"Total {ERRORS},")
    expect(issues.get_by_role("region", name="Event", exact=True)).to_contain_text(TITLE)
    issues.get_by_role("button", name="Resolve").click()
    expect(issues.locator(".facts .status")).to_have_text("resolved")
    issues.get_by_role("link", name="← Issues").click()
    expect(issues.get_by_role("link", name=TITLE)).to_have_count(0)
    issues.go_back()
    issues.get_by_role("button", name="Reopen").click()
    expect(issues.locator(".facts .status")).to_have_text("unresolved")


def test_a_search_that_cannot_be_read_is_told_on_the_page(issues: Page) -> None:
    issues.get_by_label("Search events").fill("foo:(((")
    issues.get_by_role("button", name="Search").click()
    expect(issues.get_by_role("alert")).to_contain_text("The search cannot be read")


def test_a_widget_lists_issues(page: Page, shop: Shop, token: str) -> None:
    query = {
        "name": "", "fields": ["issue", "title"], "columns": ["issue", "title"],
        "aggregates": [], "conditions": "is:unresolved", "orderby": "date",
    }  # fmt: skip
    widgets = [
        {"title": title, "displayType": "table", "widgetType": "issue", "queries": [query]}
        for title in ("First", "Second")
    ]
    made = httpx.post(
        f"{shop.url}/api/0/organizations/{ORG}/dashboards/",
        json={"title": "Issues", "widgets": widgets},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    page.goto(f"{shop.url}/organizations/{ORG}/dashboard/{made['id']}/")
    first = page.get_by_role("region", name="First", exact=True)
    expect(first.get_by_role("link", name=TITLE)).to_be_visible()
    page.locator("[aria-label='More about First']").click()
    page.get_by_role("button", name="Move back").click()
    expect(page.locator(".widget h2")).to_have_text(["Second", "First"])
