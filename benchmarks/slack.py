"""Slack through sockets: how fast events are acknowledged, and how fast a link becomes its chart.

The service runs in a process of its own; this process is the person, and Slack (the simulator).
BENCH_ROWS says over how many transactions, BENCH_DATA where they are kept.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from benchmarks.million import PROJECTS, open_store
from groundswell.demo.service import ServiceProcess
from groundswell.slack.simulator import Message, Sender, Simulator

ROWS = 2_000_000
EVENTS_PER_S, SECONDS = 200, 10
LINKS = 20
# One event in so many carries a link; the others are the talk of the workspace.
LINK_EVERY = 50
FLOODS = (
    ("one in 50 with a link that unfurls, the others not for us", LINK_EVERY),
    ("every one written down and worked on (a link that nobody may see)", 0),
)
SECRET = "bench"
TEAM, ORG, EMAIL = "T0001", "acme", "ada@example.com"
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("count()", {"yAxis": "count()"}),
    ("p95, filtered", {"yAxis": "p95(transaction.duration)", "query": "http.method:GET"}),
    ("previous period", {"yAxis": "count()", "display": "previous", "statsPeriod": "7d"}),
    ("top 5", {"yAxis": "count()", "display": "top5", "field": ["transaction", "count()"]}),
)


def run() -> None:
    """Print the tables."""
    rows = int(os.environ.get("BENCH_ROWS", ROWS))
    folder = os.environ.get("BENCH_DATA")
    with tempfile.TemporaryDirectory() as temporary:
        store = open_store(Path(folder or temporary), rows)
        store.engine.close()
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"{rows:,} transactions, {os.cpu_count()} cores, load before {load}\n")
        asyncio.run(_measure(store.settings.data))


async def _measure(data: Path) -> None:
    async with Simulator() as simulator:
        settings = {
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": simulator.api_url,
            "LOG_LEVEL": "warning",
        }
        service = ServiceProcess(data, settings=settings)
        await asyncio.to_thread(service.start)
        try:
            await asyncio.to_thread(_install, service)
            sender = Sender(simulator.world, service.url, SECRET)
            await _unfurled(sender, _link(service, {"yAxis": "count()", "name": "warm"}))
            await _links(sender, service)
            for name, link_every in FLOODS:
                await _acknowledgements(sender, service, name, link_every)
        finally:
            await asyncio.to_thread(service.stop)


def _install(service: ServiceProcess) -> None:
    service.cli("org", "create", ORG)
    for slug in PROJECTS.values():
        service.cli("project", "create", ORG, slug)
    who = ("--org", ORG, "--role", "owner", "--password-stdin")
    service.cli("user", "create", EMAIL, *who, stdin="correct horse battery")
    workspace = ("--org", ORG, "--team", TEAM)
    service.cli("slack", "install", *workspace, "--bot-token", "xoxb-simulated")
    person = ("--slack-user", "U0001", "--user", EMAIL)
    service.cli("slack", "link-identity", *workspace, *person)


async def _links(sender: Sender, service: ServiceProcess) -> None:
    print("| link | text, ms: median / p95 | finished chart, ms: median / p95 |")
    print("|---|---|---|")
    for name, params in QUESTIONS:
        took = [
            # Another search each time, so that no cache answers.
            await _unfurled(sender, _link(service, _distinct(params, number)))
            for number in range(LINKS)
        ]
        text, chart = ([each[step] for each in took] for step in (0, 1))
        print(f"| {name} | {_two(text)} | {_two(chart)} |", flush=True)


async def _unfurled(sender: Sender, url: str) -> tuple[float, float]:
    """Share a link; give the milliseconds until its text and until its chart were shown."""
    started = time.perf_counter()
    await sender.share(url)
    message = sender.world.messages[-1]
    text = await _steps(message, 1)
    chart = await _steps(message, 2)
    return (text - started) * 1000, (chart - started) * 1000


async def _steps(message: Message, count: int) -> float:
    async with asyncio.timeout(30):
        while len(message.unfurl_history) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return time.perf_counter()


async def _acknowledgements(
    sender: Sender, service: ServiceProcess, name: str, link_every: int
) -> None:
    took: list[float] = []
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        started = time.perf_counter()
        for number in range(EVENTS_PER_S * SECONDS):
            await asyncio.sleep(max(0, started + number / EVENTS_PER_S - time.perf_counter()))
            event = _event(sender, service, number, link_every)
            group.create_task(_deliver(session, sender, service, event, took))
    refused = EVENTS_PER_S * SECONDS - len(took)
    print(f"\n{EVENTS_PER_S} events per second for {SECONDS} s, {name}:")
    print(f"acknowledged in {_two(took)} ms (median / p95), slowest {max(took):.0f} ms,")
    print(f"refused {refused}")


def _event(sender: Sender, service: ServiceProcess, number: int, link_every: int) -> dict[str, Any]:
    if link_every and number % link_every:
        return {"type": "message", "channel": "C0001", "user": "U2", "text": "hello"}

    url = _link(service, _distinct({"yAxis": "count()"}, 1_000 + number))
    if not link_every:
        url = url.replace(f"/{ORG}/", "/nobody/")
    message = sender.world.share("C0001", "U0001", url)
    where = {"channel": "C0001", "user": "U0001", "message_ts": message.ts}
    return {"type": "link_shared", **where, "links": [{"url": url}]}


async def _deliver(
    session: aiohttp.ClientSession,
    sender: Sender,
    service: ServiceProcess,
    event: dict[str, Any],
    took: list[float],
) -> None:
    body = json.dumps(sender.envelope(event)).encode()
    headers = {**sender.signed(body), "Content-Type": "application/json"}
    started = time.perf_counter()
    async with session.post(
        f"{service.url}/extensions/slack/event/", data=body, headers=headers
    ) as answer:
        if answer.status == 200:
            took.append((time.perf_counter() - started) * 1000)


def _link(service: ServiceProcess, params: dict[str, Any]) -> str:
    asked = {"statsPeriod": "14d", "project": "1", "dataset": "transactions", **params}
    query = urlencode(asked, doseq=True)
    return f"{service.url}/organizations/{ORG}/discover/results/?{query}"


_used = itertools.count(1)


def _distinct(params: dict[str, Any], number: int) -> dict[str, Any]:
    search = f"{params.get('query', '')} !customer:c{number + next(_used)}".strip()
    return {**params, "query": search}


def _two(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} / {statistics.quantiles(values, n=20)[-1]:.0f}"
