"""Blocks that Slack always accepts: text is cut and empty parts are left out, nothing is refused.

Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]

MAX_BLOCKS = 50
SECTION, FIELD, HEADER, ALT, TITLE, CONTEXT = 3000, 2000, 150, 2000, 2000, 2000
BUTTON, VALUE, URL, ACTION_ID = 75, 2000, 3000, 255
MAX_FIELDS, MAX_ELEMENTS, MAX_ACTIONS = 10, 10, 25


def escape(text: str) -> str:
    """Write user text so that it means nothing to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Read text as Slack sends it, with three characters escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def code(text: str) -> str:
    """Write user text as code; backticks would end it."""
    plain = escape(" ".join(text.replace("`", "'").split()))
    return f"`{plain}`" if plain else ""


def bold(text: str) -> str:
    """Write user text in bold; an asterisk would end it."""
    return f"*{escape(' '.join(text.replace('*', '∗').split()))}*"


def link(url: str, text: str) -> str:
    """Write a link; a bar or an angle bracket in the address would end it."""
    safe = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace("&", "&amp;")
    label = escape(" ".join(text.split())).replace("|", "¦")
    return f"<{safe}|{label}>" if label else f"<{safe}>"


def cut(text: str, longest: int) -> str:
    """Shorten text without leaving half an escape or half a link at its end."""
    if len(text) <= longest:
        return text

    kept = text[: longest - 1]
    opened, closed = kept.rfind("<"), kept.rfind(">")
    if opened > closed:
        kept = kept[:opened]
    entity = kept.rfind("&")
    if entity >= 0 and ";" not in kept[entity:]:
        kept = kept[:entity]
    return kept + "…"


def section(text: str = "", fields: Iterable[str] = ()) -> Block:
    block: Block = {"type": "section"}
    if text:
        block["text"] = {"type": "mrkdwn", "text": cut(text, SECTION)}
    shown = [{"type": "mrkdwn", "text": cut(f, FIELD)} for f in fields if f][:MAX_FIELDS]
    if shown:
        block["fields"] = shown
    return block


def header(text: str) -> Block:
    return {"type": "header", "text": _plain(text or " ", HEADER)}


def context(*texts: str) -> Block:
    shown = [{"type": "mrkdwn", "text": cut(text, CONTEXT)} for text in texts if text]
    return {"type": "context", "elements": shown[:MAX_ELEMENTS]}


def divider() -> Block:
    return {"type": "divider"}


def image(source: Mapping[str, Any], alt: str, title: str = "") -> Block:
    """Show an image; `source` is {"image_url": …} or {"slack_file": {"id": …}}."""
    block: Block = {"type": "image", **source, "alt_text": (alt or "Chart")[:ALT]}
    if title:
        block["title"] = _plain(title, TITLE)
    return block


def button(
    text: str, *, action_id: str = "", value: str = "", url: str = "", style: str = ""
) -> Block:
    element: Block = {"type": "button", "text": _plain(text or " ", BUTTON)}
    # A cut address would lead elsewhere, so one that is too long is left out.
    optional = (
        ("action_id", action_id[:ACTION_ID]),
        ("value", value[:VALUE]),
        ("url", url if len(url) <= URL else ""),
        ("style", style if style in {"primary", "danger"} else ""),
    )
    return element | {name: given for name, given in optional if given}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)[:MAX_ACTIONS]}


def clamp(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what is empty and what goes beyond the number of blocks."""
    full = [block for block in blocks if not _is_empty(block)]
    return full[:MAX_BLOCKS]


def _is_empty(block: Block) -> bool:
    if block["type"] == "section":
        return not (block.get("text") or block.get("fields"))

    return block["type"] in {"context", "actions"} and not block["elements"]


def _plain(text: str, longest: int) -> Block:
    clean = " ".join(text.split()) or " "
    shown = clean if len(clean) <= longest else clean[: longest - 1] + "…"
    return {"type": "plain_text", "text": shown, "emoji": True}
