"""The demo from end to end: service → tenants → history → page, chart and unfurl → live traffic."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from rich.console import Console
from rich.progress import Progress

from groundswell.demo.alarm import Alarm, raise_alarm
from groundswell.demo.service import ServiceProcess
from groundswell.demo.shop import Shop
from groundswell.demo.story import VISITS_PER_HOUR, Story, plan, visit, visits
from groundswell.demo.telling import Unfurled, unfurl
from groundswell.slack.simulator import Simulator

ORG, PROJECT = "acme", "shop"
EMAIL, PASSWORD = "ada@example.com", "groundswell-demo"
SIGNING_SECRET = "demo-signing-secret"  # noqa: S105
BOT_TOKEN = "xoxb-simulated"  # noqa: S105
TEAM, SLACK_USER = "T0001", "U0001"
SEED = 7
LIVE_VISITS_PER_S = 2.0


@dataclass(slots=True)
class Clockwork:
    """Measures how long each step takes, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 3)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What the demo made for itself."""

    dsn: str
    project_id: str
    token: str


async def run(*, days: float, once: bool, port: int, data: Path | None, as_json: bool) -> None:
    """Run the demo; with `once` it ends when everything was shown, else with Ctrl-C."""
    console = Console(stderr=as_json)
    demo = asyncio.create_task(_run(console, days, once, port, data, as_json))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, demo.cancel)
    try:
        await demo
    except asyncio.CancelledError:
        console.print("Stopped.")


async def _run(
    console: Console, days: float, once: bool, port: int, data: Path | None, as_json: bool
) -> None:
    clockwork = Clockwork()
    with contextlib.ExitStack() as stack:
        home = data or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="groundswell-")), "data"
        )
        async with Simulator() as simulator:
            settings = {
                "SLACK_API_URL": simulator.api_url,
                "SLACK_SIGNING_SECRET": SIGNING_SECRET,
                # History is complete when it is sent: its windows need not grow old.
                "ALERT_DELAY_S": "0",
            }
            service = ServiceProcess(home, port=port, settings=settings)
            stack.callback(service.stop)
            with clockwork.step("start"):
                await asyncio.to_thread(service.start)
            console.print(f"Groundswell runs on {service.url}")
            with clockwork.step("tenants"):
                tenant = await asyncio.to_thread(_make_tenant, service)
            shop = Shop(tenant.dsn)
            stack.callback(shop.close)
            stopped = threading.Event()
            stack.callback(stopped.set)
            story = plan(days, datetime.now(UTC))
            with clockwork.step("history"):
                await asyncio.to_thread(_send_history, shop, story, days, console, stopped)
            with clockwork.step("queryable"):
                await asyncio.to_thread(service.wait_until_queryable)
            page_url = service.url + discover_path(tenant.project_id, days)
            with clockwork.step("unfurl"):
                told = await unfurl(simulator, service.url, SIGNING_SECRET, page_url, SLACK_USER)
            with clockwork.step("incident"):
                alarm = await raise_alarm(simulator, service.url, tenant.token, ORG, PROJECT)
            png_path = _save(told, data)
            if as_json:
                _print_json(page_url, told, alarm, png_path, shop, clockwork)
            else:
                _show(console, service.url, page_url, told, png_path, shop, story)
                _show_alarm(console, alarm)
            if not once:
                console.print("Live traffic goes on. Ctrl-C stops everything.")
                await _live(shop)


def discover_path(project_id: str, days: float) -> str:
    """Give the page that shows the story: p95 of checkout over the whole history."""
    hours = max(1, round(days * 24))
    query = {
        "name": "Checkout p95",
        "project": project_id,
        "query": 'event.type:transaction transaction:"POST /checkout"',
        "yAxis": "p95(transaction.duration)",
        "field": ["transaction", "release", "count()", "p95(transaction.duration)"],
        "sort": "-count",
        "statsPeriod": f"{hours}h" if days < 2 else f"{round(days)}d",
    }
    return f"/organizations/{ORG}/discover/results/?{urlencode(query, doseq=True)}"


def _make_tenant(service: ServiceProcess) -> Tenant:
    service.cli("org", "create", ORG)
    made = msgspec.json.decode(
        service.cli("project", "create", ORG, PROJECT, "--platform", "python")
    )
    service.cli(
        "user", "create", EMAIL, "--org", ORG, "--role", "owner", "--password-stdin",
        stdin=PASSWORD,
    )  # fmt: skip
    token = msgspec.json.decode(service.cli("token", "create", ORG))["token"]
    service.cli("slack", "install", "--org", ORG, "--team", TEAM, "--bot-token", BOT_TOKEN)
    service.cli(
        "slack", "link-identity", "--org", ORG, "--team", TEAM,
        "--slack-user", SLACK_USER, "--user", EMAIL,
    )  # fmt: skip
    return Tenant(made["dsn"], made["id"], token)


def _send_history(
    shop: Shop, story: Story, days: float, console: Console, stopped: threading.Event
) -> None:
    expected = days * 24 * VISITS_PER_HOUR
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(f"Sending {days:g} days of history", total=expected)
        for number, each in enumerate(visits(story, random.Random(SEED))):
            shop.serve(each)
            if stopped.is_set():
                return

            if number % 100 == 0:
                progress.update(task, completed=number)
    shop.flush()


async def _live(shop: Shop) -> None:
    chance = random.Random()
    story = plan(1.0, datetime.now(UTC))
    while True:
        shop.serve(visit(story, datetime.now(UTC), chance))
        await asyncio.sleep(chance.expovariate(LIVE_VISITS_PER_S))


def _save(told: Unfurled, data: Path | None) -> Path | None:
    if told.png is None:
        return None

    folder = data or Path(tempfile.gettempdir())
    path = folder / f"groundswell-unfurl-{int(time.time())}.png"
    path.write_bytes(told.png)
    return path


def _print_json(
    page_url: str, told: Unfurled, alarm: Alarm, png_path: Path | None, shop: Shop,
    clockwork: Clockwork,
) -> None:  # fmt: skip
    body = {
        "page_url": page_url,
        "unfurl": told.unfurl,
        "rung": told.rung,
        "incident": {"rule_url": alarm.rule_url, "title": alarm.title, "chart": alarm.has_chart},
        "png": None if png_path is None else str(png_path),
        "counts": {"transactions": shop.transactions, "errors": shop.errors},
        "seconds": clockwork.seconds,
    }
    sys.stdout.write(msgspec.json.encode(body).decode() + "\n")


def _show(
    console: Console, url: str, page_url: str, told: Unfurled, png_path: Path | None, shop: Shop,
    story: Story,
) -> None:  # fmt: skip
    console.print(
        f"Sent {shop.transactions:,} transactions and {shop.errors:,} errors with sentry-sdk.\n"
        f"POST /checkout is slower since {story.slow_from:%d %b %H:%M} UTC; the release of "
        f"{story.released_at:%H:%M} brought PaymentDeclined.\n",
        soft_wrap=True,
    )
    console.print(f"[bold]Log in[/]   {url}/  as {EMAIL} with password {PASSWORD}", soft_wrap=True)
    console.print(f"[bold]Discover[/] {page_url}", soft_wrap=True)
    console.print("\n[bold]The same link in Slack[/] (the built-in simulator):")
    for line in told.lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    saved = f", saved to {png_path}" if png_path else ""
    console.print(f"  image: {told.rung}{saved}", soft_wrap=True)


def _show_alarm(console: Console, alarm: Alarm) -> None:
    console.print(f"\n[bold]Alert[/]    {alarm.rule_url}", soft_wrap=True)
    if not alarm.title:
        console.print("  no incident yet: it opens when a window of an hour is slow")
        return

    console.print("The message of its incident in Slack:")
    for line in alarm.lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"  image: {'the chart of the rule' if alarm.has_chart else 'none'}")
