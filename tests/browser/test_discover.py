"""A person logs in, sees the chart, changes the question, and gets another chart."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import EMAIL, ERRORS, PASSWORD, WARNINGS, Shop
from tests.serving import ORG

TOTAL = ERRORS + WARNINGS


def told(page: Page) -> str:
    """What is written under the chart, once it is drawn."""
    page.wait_for_selector(".chart[data-state=drawn]")
    return page.locator(".chart .told").inner_text()


def test_login_chart_other_query_other_chart(chromium: Browser, shop: Shop) -> None:
    page = chromium.new_page()
    page.goto(shop.discover(f"project={shop.project_id}"))
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    assert told(page).startswith(f"Total {TOTAL},")
    before = page.locator(".chart svg").inner_html()
    marks = page.locator(".chart svg .mark-line path")
    assert marks.count() == 1

    page.get_by_label("Search events").fill("level:error")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**query=level%3Aerror**")
    expect(page.locator(".chart .told")).to_contain_text(f"Total {ERRORS},")
    assert page.locator(".chart svg").inner_html() != before
    page.go_back()
    expect(page.locator(".chart .told")).to_contain_text(f"Total {TOTAL},")
    page.close()


def test_wrong_password_is_told(chromium: Browser, shop: Shop) -> None:
    page = chromium.new_page()
    page.goto(f"{shop.url}/login/")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.close()


def test_address_holds_the_whole_state(page: Page, shop: Shop) -> None:
    page.goto(shop.discover(f"project={shop.project_id}"))
    told(page)
    page.locator("select[name=display]").select_option("top5")
    page.wait_for_url("**display=top5**")
    assert told(page).startswith(f"Total {TOTAL},")
    state = parse_qs(urlsplit(page.url).query)
    assert state["statsPeriod"] == ["1h"]
    assert state["project"] == [shop.project_id]
    assert not {"query", "field"} & state.keys()
    names = page.locator(".chart svg .role-legend-label text").all_text_contents()
    page.reload()
    told(page)
    assert page.locator(".chart svg .role-legend-label text").all_text_contents() == names
    assert names[:2] == ["<b>broken</b> checkout 0", "<b>broken</b> checkout 1"]


def test_table_sorts_and_narrows(page: Page, shop: Shop) -> None:
    page.goto(shop.discover(f"project={shop.project_id}&field=title&field=count()"))
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(3)
    assert rows.first.inner_text().split("\t") == ["<b>broken</b> checkout 0", "4"]
    page.get_by_role("link", name="count()").click()
    expect(rows.first).to_contain_text("3")
    expect(rows.last).to_contain_text("<b>broken</b> checkout 0")
    page.get_by_role("link", name="slow checkout").click()
    expect(rows).to_have_count(1)
    assert 'title:"slow checkout"' in page.get_by_label("Search events").input_value()


def test_failure_is_shown_with_the_words_of_the_api(page: Page, shop: Shop) -> None:
    page.goto(shop.discover("query=count():%3E"))
    alerts = page.get_by_role("alert")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("count()")


def test_nothing_found_says_so(page: Page, shop: Shop) -> None:
    page.goto(shop.discover("query=message:nowhere"))
    expect(page.locator("#rows")).to_contain_text("No events")
    assert told(page) == "No data in this period."


def test_slash_goes_to_the_search_and_fields_are_suggested(page: Page, shop: Shop) -> None:
    page.goto(shop.discover())
    told(page)
    page.keyboard.press("/")
    page.keyboard.type("transaction.du")
    expect(page.get_by_role("option").first).to_contain_text("transaction.duration")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.get_by_label("Search events").input_value() == "transaction.duration:"


def test_theme_is_switched_and_remembered(page: Page, shop: Shop) -> None:
    page.goto(shop.discover())
    told(page)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(colour) != light
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(colour) == light


def test_pointer_tells_the_values(page: Page, shop: Shop) -> None:
    page.goto(shop.discover(f"project={shop.project_id}"))
    told(page)
    page.locator(".chart .plot").hover()
    expect(page.locator("#tooltip")).to_contain_text("count()")


def test_page_fits_a_phone(page: Page, shop: Shop) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", "settings/", "discover/results/?statsPeriod=1h&display=top5"):
        page.goto(f"{shop.url}/organizations/{ORG}/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_overview_counts_each_project(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/")
    tile = page.get_by_role("link").filter(has=page.get_by_role("heading", name="pages"))
    expect(tile).to_contain_text(f"{TOTAL} events")


def test_newer_form_of_the_address_leads_to_the_page(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/explore/discover/results/?statsPeriod=1h&query=a")
    assert urlsplit(page.url).path == f"/organizations/{ORG}/discover/results/"
    assert parse_qs(urlsplit(page.url).query) == {"statsPeriod": ["1h"], "query": ["a"]}
