"""The simulator's page shows what a channel would see, without an account at Slack."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from playwright.sync_api import Browser, expect

from groundswell.slack.simulator.page import Stage
from groundswell.store.engine import Engine
from tests.slacking import open_house


@dataclass(frozen=True, slots=True)
class Address:
    page: str
    link: str


@pytest.fixture
def stage(engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]) -> Iterator[Address]:
    """Run a service and its simulator in another thread: the browser's driver blocks this one."""
    found: queue.Queue[tuple[Address, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def play() -> None:
        over = asyncio.Event()
        settings = {"SLACK_IMAGES": "file"}
        async with open_house(engine, tmp_path, slack_rows_project, **settings) as house:
            house.identify()
            app = web.Application()
            app.add_routes(Stage(house.simulator, house.sender).routes())
            runner = web.AppRunner(app, shutdown_timeout=0.5)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
            address = Address(f"http://127.0.0.1:{port}/", house.link("name=Errors"))
            found.put((address, asyncio.get_running_loop(), over))
            await over.wait()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(play()))
    thread.start()
    address, loop, over = found.get(timeout=60)
    yield address
    loop.call_soon_threadsafe(over.set)
    thread.join()


def test_links_commands_and_messages_answer_on_the_page(chromium: Browser, stage: Address) -> None:
    page = chromium.new_page()
    page.goto(stage.page)
    page.get_by_label("Message with links").fill(stage.link)
    page.get_by_role("button", name="Share").click()
    chart = page.get_by_role("img")
    expect(chart).to_be_visible(timeout=20_000)
    assert "total" in (chart.get_attribute("alt") or "")
    expect(page.get_by_role("link", name="Errors", exact=True)).to_be_visible()
    assert chart.evaluate("image => image.naturalWidth") > 400

    page.get_by_label("Command").fill("likn")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Unknown command:")).to_be_visible()

    page.get_by_label("Direct message").fill("link")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("already linked as")).to_be_visible()
    page.close()
