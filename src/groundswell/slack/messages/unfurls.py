"""What appears below a link: a title, what the chart says, the chart, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundswell.slack.messages.blocks import (
    Block,
    actions,
    bold,
    button,
    clamp,
    code,
    context,
    cut,
    escape,
    image,
    link,
    section,
)

LINK_ACTION, IGNORE_ACTION = "link", "ignore"


@dataclass(frozen=True, slots=True)
class Told:
    """One link in words, from plain data.

    details: range, projects, environment, timezone; already for people, not escaped.
    hidden: whether names of groups were left out because strangers read along.
    """

    url: str
    title: str
    sentence: str
    sparkline: str = ""
    top: tuple[tuple[str, str], ...] = ()
    query: str = ""
    details: tuple[str, ...] = ()
    alt: str = "Chart"
    hidden: bool = False


def chart_unfurl(told: Told, source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Build one entry of `unfurls`: with the image, or with a row of blocks in its place."""
    spark = f"\n`{told.sparkline}`" if told.sparkline and source is None else ""
    blocks: list[Block] = [
        section(f"*{link(told.url, cut(told.title, 300))}*\n{escape(told.sentence)}{spark}")
    ]
    if source is not None:
        blocks.append(image(source, told.alt))
    elif len(told.top) > 1:
        blocks.append(section(fields=[f"{bold(n)}\n{escape(v)}" for n, v in told.top[:10]]))
    details = [escape(detail) for detail in told.details if detail]
    if told.query:
        details.append(code(cut(told.query, 300)))
    if told.hidden:
        details.append(":lock: names are hidden in channels shared with other companies")
    blocks.append(context(" · ".join(details)))
    return {"blocks": clamp(blocks)}


def issue_unfurl(url: str, short_id: str, title: str, details: Sequence[str]) -> dict[str, Any]:
    """Build the entry of an issue."""
    blocks = [
        section(f"*{link(url, title or short_id)}*"),
        context(" · ".join(escape(detail) for detail in (short_id, *details) if detail)),
    ]
    return {"blocks": clamp(blocks)}


def link_prompt(link_url: str) -> tuple[str, list[Block]]:
    """Ask a person to say who they are here, so that their links unfurl."""
    text = "Link your Slack identity to Groundswell so that charts unfurl."
    buttons = (
        button("Link", action_id=LINK_ACTION, value="link", url=link_url, style="primary"),
        button("Cancel", action_id=IGNORE_ACTION, value="ignore"),
    )
    return text, clamp([section(text), actions(*buttons)])


def not_unfurled(reasons: Mapping[str, str]) -> tuple[str, list[Block]]:
    """Tell the sharer alone why links did not unfurl: address → reason."""
    lines = [f"• {link(url, cut(url, 80))}: {escape(why)}" for url, why in reasons.items()]
    text = "This link did not unfurl:" if len(lines) == 1 else "These links did not unfurl:"
    return text, clamp([section("\n".join([text, *lines]))])
