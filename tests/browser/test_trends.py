"""A transaction became slower: the list names it, its page says when and what came along."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
import sentry_sdk
from playwright.sync_api import Page, expect

from groundswell.demo.service import ServiceProcess
from groundswell.model.tenancy import ProjectId
from groundswell.model.trends import Trend
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.projects import project_by_id
from groundswell.store.metadata.trends import add_trend
from tests.browser.conftest import Shop
from tests.serving import ORG, eventually

HOURS, A_BUCKET = 60, 6
SLOW_SINCE_H = 20


@pytest.fixture(scope="module")
def slowed(service: ServiceProcess, shop: Shop, token: str) -> str:
    """The id of a project with a transaction that is slower since a release."""
    made = msgspec.json.decode(service.cli("project", "create", ORG, "slowed"))
    client = sentry_sdk.Client(dsn=made["dsn"], default_integrations=False)
    now = datetime.now(UTC)
    for hour in range(HOURS):
        for number in range(A_BUCKET):
            end = now - timedelta(hours=hour, minutes=number * 7 + 1)
            slow = hour < SLOW_SINCE_H
            ms = (400 if slow else 100) + number * 5 + hour % 3
            client.capture_event(
                {
                    "type": "transaction",
                    "transaction": "GET /slow",
                    "release": "web@2" if slow else "web@1",
                    "start_timestamp": (end - timedelta(milliseconds=ms)).isoformat(),
                    "timestamp": end.isoformat(),
                    "contexts": {
                        "trace": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16]}
                    },
                    "spans": [],
                }
            )
        client.flush(timeout=10)  # The queue of the client is short.
    client.close(timeout=20)

    def arrived() -> bool:
        answer = httpx.get(
            f"{service.url}/api/0/organizations/{ORG}/events/",
            params={"field": "count()", "project": made["id"], "statsPeriod": "3d"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ).json()
        return bool(answer["data"][0]["count()"] == HOURS * A_BUCKET)

    assert eventually(arrived)
    return str(made["id"])


def test_regression_is_listed_and_its_page_explains_it(page: Page, shop: Shop, slowed: str) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/trends/?statsPeriod=3d&project={slowed}")
    row = page.locator(".trend")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("GET /slow")
    expect(page.locator(".tabs [aria-current]")).to_have_text("Regressions 1")
    row.click()
    page.wait_for_selector(".chart[data-state=drawn]")
    expect(page.get_by_role("heading", level=1)).to_have_text("GET /slow")
    expect(page.locator(".chart .told")).to_contain_text("p95(transaction.duration) rose from 1")
    expect(page.locator(".chart svg")).to_contain_text("web@2")
    expect(page.locator("#causes tbody tr").first).to_contain_text("web@2")
    state = parse_qs(urlsplit(page.url).query)
    assert state["query"] == ['transaction:"GET /slow"']
    assert {"start", "end", "breakpoint"} <= state.keys()


def test_other_tab_says_that_nothing_changed(page: Page, shop: Shop, slowed: str) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/trends/?statsPeriod=3d&project={slowed}")
    page.get_by_role("link", name="Improvements").click()
    page.wait_for_url("**trendType=improved**")
    expect(page.locator("#trends")).to_contain_text("Nothing changed its level")
    subjects = page.get_by_role("navigation", name="Of what")
    expect(subjects.locator("[aria-current]")).to_have_text("Transactions")
    subjects.get_by_role("link", name="Functions").click()
    expect(subjects.locator("[aria-current]")).to_have_text("Functions")
    expect(page.locator("input[name=trendFunction]")).to_have_value("p95()")
    expect(page.locator("#trends")).to_contain_text("Nothing matches this search")


def test_wrong_function_is_told(page: Page, shop: Shop, slowed: str) -> None:
    page.goto(f"{shop.url}/organizations/{ORG}/trends/?project={slowed}&trendFunction=p95(nope)")
    expect(page.get_by_role("alert")).to_contain_text("nope")


def test_pages_fit_a_phone(page: Page, shop: Shop, slowed: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{shop.url}/organizations/{ORG}/trends/?statsPeriod=3d&project={slowed}")
    page.locator(".trend").click()
    page.wait_for_selector(".chart[data-state=drawn]")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def record(shop: Shop, service: ServiceProcess, function: str, after: float) -> None:
    """Write what the watch would, for it looks once an hour."""
    metadata = Metadata.open(f"sqlite:///{service.data / 'metadata.db'}")
    now = datetime.now(UTC)
    try:
        with metadata.begin() as connection:
            project = project_by_id(connection, ProjectId(int(shop.project_id)))
            assert project is not None
            trend = Trend(
                0, project.org_id, project.id, "GET /recorded", function, 1, "regression",
                now - timedelta(hours=9), after / 2, after, 2.0, 0.001, now, now,
            )  # fmt: skip
            add_trend(connection, trend)
    finally:
        metadata.close()


def test_recorded_trend_is_acknowledged_dismissed_and_reopened(
    page: Page, shop: Shop, service: ServiceProcess
) -> None:
    record(shop, service, "failure_rate()", 0.5)
    record(shop, service, "epm()", 8.0)
    page.goto(f"{shop.url}/organizations/{ORG}/trends/?project={shop.project_id}")
    page.get_by_role("link", name="Recorded").click()
    row = page.locator(".trend", has_text="failure_rate()")
    expect(row).to_contain_text("25% → 50%")
    expect(page.locator(".trend", has_text="epm()")).to_contain_text("4/min → 8/min")
    for button, status in (
        ("Acknowledge", "acknowledged"),
        ("Dismiss", "dismissed"),
        ("Reopen", "new"),
    ):
        row.get_by_role("button", name=button).click()
        expect(row.locator(".status")).to_have_text(status)
    page.get_by_role("link", name="Dismissed").click()
    expect(page.locator("#trends")).to_contain_text("Nothing recorded")


def test_recorded_trends_are_not_changed_from_another_site(page: Page, shop: Shop) -> None:
    answer = page.request.post(
        f"{shop.url}/organizations/{ORG}/trends/recorded/1/",
        form={"status": "dismissed"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert answer.status == 403


def test_explanation_of_a_number_is_told_by_the_minute(page: Page, shop: Shop, slowed: str) -> None:
    at = datetime.now(UTC) - timedelta(hours=SLOW_SINCE_H)
    page.goto(
        f"{shop.url}/organizations/{ORG}/trends/details/?statsPeriod=3d&project={slowed}"
        f"&trendFunction=count()&breakpoint={int(at.timestamp())}"
    )
    row = page.locator("#causes tbody tr").first
    expect(row).to_contain_text("/min")
    expect(row).not_to_contain_text("ms")
