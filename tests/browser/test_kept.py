"""What Discover shows is kept: as a saved question, and as a widget of a dashboard."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ERRORS, WARNINGS, Shop
from tests.serving import ORG


@pytest.fixture
def discover(page: Page, shop: Shop) -> Page:
    page.goto(shop.discover(f"project={shop.project_id}&query=level:error&display=bar"))
    page.wait_for_selector(".chart[data-state=drawn]")
    return page


def save_as(page: Page, name: str) -> None:
    page.locator("summary", has_text="Save").click()
    page.locator(".keep").get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save as new").click()
    page.wait_for_url("**id=**")


def add_to_dashboard(page: Page, title: str) -> None:
    page.locator("summary", has_text="Add to dashboard").click()
    page.locator(".keep").get_by_label("Title").fill(title)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/dashboard/**")


def test_saved_question_is_shown_by_its_id_alone(discover: Page, shop: Shop) -> None:
    save_as(discover, "Only errors")
    (id,) = parse_qs(urlsplit(discover.url).query)["id"]
    discover.goto(f"{shop.url}/organizations/{ORG}/discover/results/?id={id}")
    expect(discover.get_by_role("heading", level=1)).to_have_text("Only errors")
    expect(discover.locator(".chart .told")).to_contain_text(f"Total {ERRORS},")
    assert discover.get_by_label("Search events").input_value() == "level:error"
    assert discover.locator("select[name=display]").input_value() == "bar"
    assert discover.locator(
        f"input[type=checkbox][name=project][value='{shop.project_id}']"
    ).is_checked()


def test_saved_question_is_listed_changed_and_deleted(discover: Page, shop: Shop) -> None:
    save_as(discover, "To be changed")
    discover.get_by_label("Search events").fill("level:warning")
    discover.get_by_role("button", name="Search").click()
    discover.wait_for_url("**level%3Awarning**")
    discover.locator("summary", has_text="Save").click()
    discover.get_by_role("button", name="Save over").click()
    expect(discover.locator(".chart .told")).to_contain_text(f"Total {WARNINGS},")
    discover.goto(f"{shop.url}/organizations/{ORG}/discover/queries/")
    row = discover.get_by_role("row", name="To be changed")
    expect(row).to_contain_text("level:warning")
    discover.get_by_role("button", name="Delete To be changed").click()
    expect(discover.get_by_role("row", name="To be changed")).to_have_count(0)


def test_widget_shows_the_same_chart_and_can_be_taken_off(discover: Page, shop: Shop) -> None:
    add_to_dashboard(discover, "Errors of the shop")
    widget = discover.get_by_role("region", name="Errors of the shop")
    expect(widget.locator(".told")).to_contain_text(f"Total {ERRORS},")
    dashboard = discover.url
    discover.goto(f"{dashboard}widget/0/?statsPeriod=1h")
    expect(discover.get_by_role("heading", level=1)).to_have_text("Errors of the shop")
    discover.goto(dashboard)
    discover.locator("[aria-label='More about Errors of the shop']").click()
    discover.get_by_role("button", name="Take off the dashboard").click()
    expect(discover.get_by_text("No widgets yet")).to_be_visible()


def test_dashboard_is_made_renamed_and_deleted(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/dashboards/")
    page.get_by_label("Title of a new dashboard").fill("Board")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/dashboard/**")
    page.get_by_label("Title", exact=True).fill("Other board")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Other board")
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete “Other board”").click()
    page.wait_for_url("**/dashboards/")
    expect(page.get_by_role("row", name="Other board")).to_have_count(0)


def test_usage_tells_what_was_accepted(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/stats/?statsPeriod=1h&project={shop.project_id}")
    expect(page.locator(".chart .told")).to_have_text(f"Accepted {ERRORS + WARNINGS}.")
    expect(page.locator("#reasons tbody tr")).to_have_count(1)
    expect(page.locator("#reasons tbody")).to_contain_text("Accepted")
    page.get_by_role("link", name="error").click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("error")


@pytest.mark.parametrize("path", ["dashboards/", "stats/", "discover/queries/"])
def test_page_fits_a_phone(page: Page, shop: Shop, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{shop.url}/organizations/{ORG}/{path}")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
