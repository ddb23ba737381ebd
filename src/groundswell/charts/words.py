"""User text that goes into a chart: no emoji (fonts draw boxes), no controls, no novels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_NAME = 40
MAX_TITLE = 90

_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U0001fc00-\U0001fffd\u2600-\u27bf\u2b00-\u2bff\ufe00-\ufe0f\u200d\u20e3"
    "\U000e0020-\U000e007f]+"
)


def clean(text: str, limit: int = MAX_NAME) -> str:
    """Take out what fonts cannot draw and shorten with an ellipsis."""
    text = _EMOJI.sub("", text)
    text = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def distinct(names: Iterable[str], limit: int = MAX_NAME) -> list[str]:
    """Clean names and keep them apart: a legend must not join two series of one name."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        text = clean(name, limit) or "(empty)"
        count = seen[text] = seen.get(text, 0) + 1
        while count > 1:
            candidate = f"{text} ({count})"
            if candidate not in seen:
                seen[candidate] = 1
                text = candidate
                break
            count += 1
        result.append(text)
    return result
