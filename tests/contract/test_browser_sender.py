"""The real @sentry/browser, bundled and run in Chromium on a page of another origin."""

from __future__ import annotations

import functools
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import sync_playwright

from tests.serving import Tenant, eventually

NODE = Path(__file__).parent / "node"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output to the test."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve the page; its origin is not the service's, so CORS is asked for."""
    command = ["npx", "esbuild", "browser.mjs", "--bundle", f"--outfile={tmp_path / 'page.js'}"]
    subprocess.run([*command, "--log-level=error"], cwd=NODE, check=True, timeout=60)
    (tmp_path / "index.html").write_text("<!doctype html><script src='page.js'></script>")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_error_and_a_transaction_come_from_a_browser(tenant: Tenant, site: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_page()
        page.goto(f"{site}?{urlencode({'dsn': tenant.dsn})}")
        page.wait_for_function("document.title === 'sent'", timeout=15_000)
        browser.close()

    def rows(dataset: str, *fields: str) -> list[dict[str, object]]:
        answer = tenant.get("events/", statsPeriod="1h", dataset=dataset, field=fields)
        data: list[dict[str, object]] = answer.json()["data"]
        return data

    errors = eventually(lambda: rows("errors", "title", "release", "browser.name", "count()"))
    assert errors == [
        {
            "title": "RangeError: cart is empty",
            "release": "site@3.0.0",
            "browser.name": errors[0]["browser.name"],
            "count()": 1,
        }
    ]
    found = eventually(lambda: rows("transactions", "transaction", "transaction.op", "count()"))
    assert {"transaction": "load cart", "transaction.op": "ui.load", "count()": 1} in found
