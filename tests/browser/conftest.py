"""A real browser on a real service with some events in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import msgspec
import pytest
import sentry_sdk
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from groundswell.demo.service import ServiceProcess
from tests.serving import ORG, eventually

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ERRORS, WARNINGS = 7, 3


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the pages are, and what was sent."""

    url: str
    project_id: str

    def discover(self, query: str = "") -> str:
        return f"{self.url}/organizations/{ORG}/discover/results/?statsPeriod=1h&{query}"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "no Chromium on this machine: install the package `chromium`"
    browser = playwright.chromium.launch(executable_path=path)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def shop(service: ServiceProcess, token: str) -> Shop:
    made = msgspec.json.decode(service.cli("project", "create", ORG, "pages"))
    service.cli(
        "user", "create", EMAIL, "--org", ORG, "--role", "owner", "--password-stdin",
        stdin=PASSWORD,
    )  # fmt: skip
    client = sentry_sdk.Client(dsn=made["dsn"], default_integrations=False)
    for number in range(ERRORS):
        message = f"<b>broken</b> checkout {number % 2}"
        client.capture_event({"message": message, "level": "error"})
    for _ in range(WARNINGS):
        client.capture_event({"message": "slow checkout", "level": "warning"})
    client.close(timeout=10)

    def arrived() -> bool:
        answer = httpx.get(
            f"{service.url}/api/0/organizations/{ORG}/events/",
            params={"field": "count()", "project": made["id"], "statsPeriod": "1h"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ).json()
        return bool(answer["data"][0]["count()"] == ERRORS + WARNINGS)

    assert eventually(arrived)
    return Shop(service.url, made["id"])


@pytest.fixture(scope="session")
def session(chromium: Browser, shop: Shop) -> Iterator[BrowserContext]:
    """Somebody who logged in."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(shop.url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/organizations/{ORG}/")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(session: BrowserContext) -> Iterator[Page]:
    """A page that may not complain: an error of a script or a refusal of the policy fails."""
    opened = session.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield opened
    opened.close()
    assert complaints == []
