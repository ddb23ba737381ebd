"""A rule for the demo's slow-down, and the message that its incident sends to the channel."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx

from groundswell.demo.story import CHECKOUT, SLOW_FACTOR
from groundswell.demo.telling import shown, words
from groundswell.slack.simulator import Simulator

CHANNEL = "C0001"
TIMEOUT_S = 90.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the channel was told: `title` is empty where nothing came in time."""

    rule_url: str
    title: str
    has_chart: bool = False
    lines: tuple[str, ...] = ()


async def raise_alarm(
    simulator: Simulator, service_url: str, token: str, org: str, project: str
) -> Alarm:
    """Make the rule and wait for the message of its incident."""
    threshold = round(CHECKOUT.median_ms * (1 + SLOW_FACTOR) / 2)
    rule = {
        "name": "Checkout is slow",
        "dataset": "transactions",
        "aggregate": "p50(transaction.duration)",
        "query": 'transaction:"POST /checkout"',
        "timeWindow": 60,
        "thresholdType": 0,
        "projects": [project],
        "description": "Look at the newest release first.",
        "triggers": [
            {
                "label": "critical",
                "alertThreshold": threshold,
                "actions": [
                    {"type": "slack", "targetType": "specific", "targetIdentifier": CHANNEL}
                ],
            }
        ],
    }
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as api:
        address = f"{service_url}/api/0/organizations/{org}/alert-rules/"
        answer = await api.post(address, json=rule)
        answer.raise_for_status()
    url = f"{service_url}/organizations/{org}/alerts/rules/details/{answer.json()['id']}/"
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        for message in simulator.world.messages:
            if "Checkout is slow" in message.text:
                has_chart = "Metric Alert Chart" in str(message.attachments)
                said = [block for each in message.attachments for block in each.get("blocks", ())]
                lines = dict.fromkeys((shown(message.text), *words((*message.blocks, *said))))
                return Alarm(url, message.text, has_chart, tuple(lines))
        await asyncio.sleep(0.1)
    return Alarm(url, "")
