"""Share a link in the simulated workspace and wait for what the channel sees below it."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from groundswell.errors import UpstreamError
from groundswell.slack.simulator import Sender, Simulator

TIMEOUT_S = 30.0
_LINK = re.compile(r"<[^|<>]+\|([^<>]+)>")
_TIME = re.compile(r"<!date[^|<>]*\|([^<>]+)>")


@dataclass(frozen=True, slots=True)
class Unfurled:
    """What appeared below the link. `rung`: how the chart reached Slack; `lines`: its words."""

    unfurl: dict[str, Any]
    rung: str
    lines: tuple[str, ...]
    png: bytes | None


async def unfurl(
    simulator: Simulator, service_url: str, signing_secret: str, page_url: str, user: str
) -> Unfurled:
    """Post a signed `link_shared` to the service, and wait for the unfurl with its chart.

    Raises UpstreamError when nothing appears in time.
    """
    sender = Sender(simulator.world, service_url, signing_secret)
    await sender.share(page_url, user=user)
    message = simulator.world.messages[-1]
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        body = next(iter(message.unfurls.values()), None)
        if body is not None and _image(body) is not None:
            break
        await asyncio.sleep(0.05)
    body = next(iter(message.unfurls.values()), None)
    if body is None:
        refusals = "; ".join(simulator.world.refusals) or "the service sent nothing"
        raise UpstreamError(f"The link did not unfurl in {TIMEOUT_S:g} s: {refusals}")

    rung, png = await _picture(simulator, _image(body))
    return Unfurled(body, rung, tuple(words(body.get("blocks", []))), png)


async def _picture(simulator: Simulator, image: dict[str, Any] | None) -> tuple[str, bytes | None]:
    if image is None:
        return "text only", None

    if "slack_file" in image:
        file = simulator.world.files[image["slack_file"]["id"]]
        return "uploaded file (Slack cannot reach this address)", file.content

    async with httpx.AsyncClient() as client:
        answer = await client.get(image["image_url"])
    return "public address", answer.content


def _image(body: dict[str, Any]) -> dict[str, Any] | None:
    blocks = body.get("blocks", [])
    return next((block for block in blocks if block["type"] == "image"), None)


def words(blocks: Iterable[dict[str, Any]]) -> list[str]:
    """Give what blocks say, line by line, the way the channel shows it."""
    lines: list[str] = []
    for block in blocks:
        if block["type"] in {"section", "header"}:
            texts = [block["text"], *block.get("fields", ())] if "text" in block else []
            lines += [line for text in texts for line in text["text"].splitlines()]
        elif block["type"] == "context":
            lines += [element["text"] for element in block["elements"] if "text" in element]
    return [shown(line) for line in lines]


def shown(text: str) -> str:
    """Show links and times of a message by their words."""
    return html.unescape(_LINK.sub(r"\1", _TIME.sub(r"\1", text)))
