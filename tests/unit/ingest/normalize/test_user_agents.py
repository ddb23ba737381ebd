"""Browsers and systems by their user agents."""

from __future__ import annotations

import pytest

from groundswell.ingest.records import Kind
from tests.unit.ingest.normalize.building import build, error, row, transaction_payload

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (CHROME, "Chrome 120.0.0", "Windows 10"),
        (CHROME + " Edg/120.0.2210.91", "Edge 120.0.2210", "Windows 10"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Firefox/121.0",
            "Firefox 121.0",
            "Linux",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.1 Safari/605.1.15",
            "Safari 17.1",
            "Mac OS X 10.15.7",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
            "Mobile Safari 17.0",
            "iOS 17.0",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Chrome Mobile 120.0.0",
            "Android 14",
        ),
        ("sentry.python/2.75.0", None, None),
    ],
)
def test_the_request_tells_browser_and_system(
    agent: str, browser: str | None, system: str | None
) -> None:
    found = error(message="x", request={"headers": {"User-Agent": agent}})["tags"]
    assert (found.get("browser"), found.get("os")) == (browser, system)


def test_contexts_that_were_sent_win() -> None:
    found = error(
        message="x",
        request={"headers": [["user-agent", CHROME]]},
        contexts={"browser": {"name": "Lynx"}},
    )["tags"]
    assert (found["browser"], found["os"]) == ("Lynx", "Windows 10")


@pytest.mark.parametrize(("platform", "browser"), [("javascript", "Chrome"), ("python", None)])
def test_only_browsers_are_known_by_the_request_that_sent_the_event(
    platform: str, browser: str | None
) -> None:
    payload = transaction_payload(platform=platform)
    found = row(build(Kind.TRANSACTION, payload, user_agent=CHROME), "transactions")
    assert found["tags"].get("browser.name") == browser
