"""The help that answers `help` and whatever is not understood."""

from __future__ import annotations

from dataclasses import dataclass

from groundswell.slack.messages.blocks import (
    Block,
    actions,
    button,
    clamp,
    code,
    context,
    cut,
    divider,
    escape,
    section,
    unescape,
)


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the help: where it is typed and what it does."""

    words: str
    about: str
    in_channel: bool


# Escaping may make text longer, and a section of blocks holds 3,000 characters.
MAX_TYPED = 2_500


def help_message(
    commands: tuple[Command, ...], *, docs_url: str, unknown: str = "", nearest: str = ""
) -> tuple[str, list[Block]]:
    """Build the help; `unknown` is all that was typed, `nearest` the command that is like it."""
    blocks: list[Block] = []
    if unknown:
        line = _unknown(unknown)
        blocks.append(section(line + (f"\nDid you mean {code(nearest)}?" if nearest else "")))
    intro = "Here are the commands you can use. Not working? Ask an administrator to reinstall."
    blocks += [
        section(intro),
        section("*Direct message commands*\n" + _bullets(commands, in_channel=False)),
        section("*Channel commands*\n" + _bullets(commands, in_channel=True)),
        context("Questions? Ask whoever runs Groundswell for you."),
        divider(),
        section(f"Learn more in the <{docs_url}|documentation>."),
    ]
    said = f"{_unknown(unknown)}\n" if unknown else ""
    hint = f"Did you mean {code(nearest)}?\n" if nearest else ""
    listed = "\n".join((_bullets(commands, in_channel=False), _bullets(commands, in_channel=True)))
    return f"{said}{hint}{intro}\n{listed}", clamp(blocks)


def disconnected(docs_url: str) -> dict[str, object]:
    """Answer a command from a workspace that nobody installed."""
    text = (
        "The Slack app was uninstalled from your organization. "
        "Please reinstall it to use its commands."
    )
    blocks = clamp([section(text), actions(button("Documentation", value="docs", url=docs_url))])
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": text,
        "blocks": blocks,
    }


def _unknown(typed: str) -> str:
    return f"Unknown command: {code(cut(unescape(typed), MAX_TYPED))}"


def _bullets(commands: tuple[Command, ...], *, in_channel: bool) -> str:
    rows = sorted((c for c in commands if c.in_channel is in_channel), key=lambda c: c.words)
    return "\n".join(f"• `{c.words}` {escape(c.about)}" for c in rows)
