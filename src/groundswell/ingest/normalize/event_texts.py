"""What an error event says of itself: its messages, title, culprit and place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from groundswell.ingest.normalize.shapes import lenient_text, mapping, text
from groundswell.ingest.normalize.stacks import Stacks, culprit_frame

UNLABELED = "<unlabeled event>"
MAX_TITLE = 256
MAX_MESSAGE = 8192
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?([srdif%])")


class EventTexts(NamedTuple):
    """template: the message with its placeholders, for grouping; searched: what `message` finds."""

    message: str
    template: str
    searched: str
    title: str
    transaction: str
    culprit: str
    location: str
    frame: dict[str, Any]


def texts_of(event: dict[str, Any], stacks: Stacks) -> EventTexts:
    """Read the texts of an event of right shapes."""
    message, template = _messages(event)
    frame = culprit_frame(event, stacks.exceptions)
    named = text(event.get("culprit"), 200)
    transaction = text(event.get("transaction"), 200) or named
    culprit = named or transaction or _culprit(frame)
    return EventTexts(
        message=message,
        template=template,
        searched=_searched(message, stacks, culprit),
        title=_title(stacks, message),
        transaction=transaction,
        culprit=culprit,
        location=text(frame.get("filename"), 256) or text(frame.get("module"), 256),
        frame=frame,
    )


def variables(
    event: dict[str, Any],
    said: EventTexts,
    stacks: Stacks,
    tags: dict[str, str],
    *,
    level: str,
    release: str,
) -> Callable[[str], str]:
    """Give what answers the names that a fingerprint may refer to, such as `transaction`."""

    def variable(name: str) -> str:
        frame = said.frame
        return {
            "transaction": said.transaction,
            "message": said.message,
            "level": level,
            "release": release,
            "type": stacks.types[-1] if stacks.types else "",
            "error.type": stacks.types[-1] if stacks.types else "",
            "value": stacks.values[-1] if stacks.values else "",
            "error.value": stacks.values[-1] if stacks.values else "",
            "function": text(frame.get("function")),
            "stack.function": text(frame.get("function")),
            "module": text(frame.get("module")),
            "stack.module": text(frame.get("module")),
            "package": text(frame.get("package")),
            "logger": text(event.get("logger")),
        }.get(name, tags.get(name.removeprefix("tags."), ""))

    return variable


def _messages(event: dict[str, Any]) -> tuple[str, str]:
    """(the message people read, the message as a template for grouping)."""
    entry = event.get("logentry")
    if entry is None or entry == "" or entry == {}:
        entry = event.get("message")
    if type(entry) is str:
        return text(entry, MAX_MESSAGE), text(entry, MAX_MESSAGE)
    sent = mapping(entry)
    template = text(sent.get("message"), MAX_MESSAGE)
    formatted = text(sent.get("formatted"), MAX_MESSAGE)
    if not formatted and template:
        formatted = _formatted(template, sent.get("params"))
    return formatted or template, template or formatted


def _formatted(template: str, params: Any) -> str:
    """The template with its parameters in place, for the placeholders of printf and logging."""
    given = params if type(params) in (list, dict) else []
    place = -1

    def fill(match: re.Match[str]) -> str:
        nonlocal place
        if match[2] == "%":
            return "%"
        if type(given) is dict:
            value = given.get(match[1])
        else:
            place += 1
            value = given[place] if match[1] is None and place < len(given) else None
        return lenient_text(value, 1024) or match[0]

    return text(_PLACEHOLDER.sub(fill, template), MAX_MESSAGE)


def _title(stacks: Stacks, message: str) -> str:
    if stacks.exceptions:
        kind, value = stacks.types[-1], stacks.values[-1].strip().split("\n", 1)[0]
        title = f"{kind}: {value}" if kind and value else kind or value
        if title:
            return text(title, MAX_TITLE)
    first = message.strip().split("\n", 1)[0].strip()
    return text(first, MAX_TITLE) or UNLABELED


def _culprit(frame: dict[str, Any]) -> str:
    where = text(frame.get("module")) or text(frame.get("filename"))
    function = text(frame.get("function"))
    return text(f"{where} in {function}" if where and function else where or function, 200)


def _searched(message: str, stacks: Stacks, culprit: str) -> str:
    """What `message` finds: the message, the thrown exception, the culprit, each once."""
    parts = [message] if message else []
    candidates = [stacks.types[-1], stacks.values[-1]] if stacks.exceptions else []
    for part in (*candidates, culprit):
        if part:
            for known in parts:
                if part in known:
                    break
            else:
                parts.append(part)
    return text(" ".join(parts), MAX_MESSAGE)
