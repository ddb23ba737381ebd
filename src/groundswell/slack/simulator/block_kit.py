"""Block Kit as Slack judges it: blocks → the list of what is wrong with them (empty when fine).

Limits: https://docs.slack.dev/reference/block-kit/blocks and …/block-elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAX_BLOCKS = 50
_FILE_ID = re.compile(r"F[A-Z0-9]{8,}")
_ELEMENT_TYPES = {
    "button",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "overflow",
    "datepicker",
    "timepicker",
    "checkboxes",
    "radio_buttons",
}


def problems(blocks: object) -> list[str]:
    """Say what Slack would refuse; images are judged by shape only, fetching is the server's."""
    if not isinstance(blocks, list):
        return ["blocks is not a list"]

    found = [] if len(blocks) <= MAX_BLOCKS else [f"no more than {MAX_BLOCKS} items allowed"]
    ids = [b["block_id"] for b in blocks if isinstance(b, dict) and "block_id" in b]
    if len(ids) != len(set(ids)):
        found.append("block_id must be unique")

    for position, block in enumerate(blocks):
        where = f"/blocks/{position}"
        if not isinstance(block, dict):
            found.append(f"{where} is not an object")
            continue

        check = _CHECKS.get(str(block.get("type")))
        if check is None:
            found.append(f"{where} unsupported type: {block.get('type')}")
            continue

        _length(found, where, block, "block_id", 255)
        check(found, where, block)
    return found


def images(blocks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Collect every image of the blocks, also those in sections and contexts."""
    found: list[Mapping[str, Any]] = []
    for block in blocks:
        inside = [block, block.get("accessory"), *(block.get("elements") or [])]
        found += [e for e in inside if isinstance(e, dict) and e.get("type") == "image"]
    return found


def _section(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    if "text" not in block and "fields" not in block:
        found.append(f"{where} must have text or fields")
    if "text" in block:
        _text(found, f"{where}/text", block["text"], 3000)
    if "fields" in block:
        fields = block["fields"]
        if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
            found.append(f"{where}/fields must have 1 to 10 items")
        else:
            for field in fields:
                _text(found, f"{where}/fields", field, 2000)
    if "accessory" in block:
        _element(found, f"{where}/accessory", block["accessory"])


def _header(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    _text(found, f"{where}/text", block.get("text"), 150, kinds={"plain_text"})


def _image(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    _required(found, where, block, "alt_text", 2000)
    if ("image_url" in block) == ("slack_file" in block):
        found.append(f"{where} needs either image_url or slack_file")
    _length(found, where, block, "image_url", 3000)
    if "title" in block:
        _text(found, f"{where}/title", block["title"], 2000, kinds={"plain_text"})
    file = block.get("slack_file")
    if "slack_file" in block and (
        not isinstance(file, dict)
        or not ("url" in file or _FILE_ID.fullmatch(str(file.get("id", ""))))
    ):
        found.append(f"{where}/slack_file must have an id or a url")


def _context(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        found.append(f"{where}/elements must have 1 to 10 items")
        return

    for element in elements:
        if isinstance(element, dict) and element.get("type") == "image":
            _image(found, f"{where}/elements", element)
        else:
            _text(found, f"{where}/elements", element, 3000)


def _actions(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        found.append(f"{where}/elements must have 1 to 25 items")
        return

    ids = [e.get("action_id") for e in elements if isinstance(e, dict) and e.get("action_id")]
    if len(ids) != len(set(ids)):
        found.append(f"{where}/elements action_id must be unique")
    for element in elements:
        _element(found, f"{where}/elements", element)


def _divider(found: list[str], where: str, block: Mapping[str, Any]) -> None:
    extra = set(block) - {"type", "block_id"}
    if extra:
        found.append(f"{where} invalid additional property: {sorted(extra)[0]}")


def _element(found: list[str], where: str, element: object) -> None:
    if not isinstance(element, dict):
        found.append(f"{where} is not an object")
        return

    kind = element.get("type")
    if kind == "image":
        _image(found, where, element)
        return

    if kind not in _ELEMENT_TYPES:
        found.append(f"{where} unsupported type: {kind}")
        return

    _length(found, where, element, "action_id", 255)
    if kind == "button":
        _text(found, f"{where}/text", element.get("text"), 75, kinds={"plain_text"})
        _length(found, where, element, "value", 2000)
        _length(found, where, element, "url", 3000)
        if element.get("style") not in {None, "primary", "danger"}:
            found.append(f"{where}/style must be primary or danger")
    if "options" in element:
        options = element["options"]
        if not isinstance(options, list) or not 1 <= len(options) <= 100:
            found.append(f"{where}/options must have 1 to 100 items")
    if "confirm" in element:
        confirm = element["confirm"]
        _text(found, f"{where}/confirm/title", confirm.get("title"), 100)
        _text(found, f"{where}/confirm/text", confirm.get("text"), 300)


def _text(
    found: list[str],
    where: str,
    text: object,
    longest: int,
    kinds: frozenset[str] | set[str] = frozenset({"plain_text", "mrkdwn"}),
) -> None:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        found.append(f"{where} must be a text object of {' or '.join(sorted(kinds))}")
        return

    content = text.get("text")
    if not isinstance(content, str) or not content:
        found.append(f"{where} must be more than 0 characters")
    elif len(content) > longest:
        found.append(f"{where} must be less than {longest + 1} characters")
    if "emoji" in text and text["type"] != "plain_text":
        found.append(f"{where}/emoji is for plain_text only")


def _required(
    found: list[str], where: str, block: Mapping[str, Any], name: str, longest: int
) -> None:
    if not isinstance(block.get(name), str) or not block[name]:
        found.append(f"{where} missing required field: {name}")
    else:
        _length(found, where, block, name, longest)


def _length(
    found: list[str], where: str, block: Mapping[str, Any], name: str, longest: int
) -> None:
    if name in block and (not isinstance(block[name], str) or len(block[name]) > longest):
        found.append(f"{where}/{name} must be a string of at most {longest} characters")


_CHECKS: dict[str, Callable[[list[str], str, Mapping[str, Any]], None]] = {
    "section": _section,
    "header": _header,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
}
