"""Client tags → the tag map. Values that break a limit are dropped, never cut."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from groundswell.ingest.normalize.shapes import lenient_text

MAX_TAGS = 200
MAX_KEY = 200
MAX_VALUE = 200
FORBIDDEN = frozenset({"release", "dist", "user", "filename", "function", "device.class"})
_KEY = re.compile(r"[a-zA-Z0-9_.:-]{1,200}\Z")


@lru_cache(8192)
def tag_key(raw: str) -> str:
    """A key as it is stored: trimmed, spaces → "-"; '' when its characters are not allowed."""
    key = raw.strip().replace(" ", "-")
    return key if _KEY.match(key) else ""


def tag_value(raw: Any) -> str:
    """A value as it is stored; '' when it is null, empty, too long or has a line break."""
    if type(raw) is not str:
        return lenient_text(raw)[: MAX_VALUE + 1] if raw is not None else ""
    value = raw.strip()
    return "" if len(value) > MAX_VALUE or "\n" in value else value


def pairs(raw: Any) -> Iterable[tuple[Any, Any]]:
    """Both forms SDKs send: an object, or a list of [key, value] pairs or {key, value} objects."""
    if type(raw) is dict:
        return raw.items()
    if type(raw) is not list:
        return ()
    found = []
    for pair in raw:
        if type(pair) is list and len(pair) == 2:
            found.append((pair[0], pair[1]))
        elif type(pair) is dict and "key" in pair:
            found.append((pair["key"], pair.get("value")))
    return found


def client_tags(raw: Any) -> tuple[dict[str, str], int]:
    """The tags of a payload and how many were dropped. The first of equal keys wins."""
    tags: dict[str, str] = {}
    dropped = 0
    for raw_key, raw_value in pairs(raw):
        key = tag_key(raw_key if type(raw_key) is str else lenient_text(raw_key))
        value = tag_value(raw_value)
        if key in FORBIDDEN or raw_value is None:
            continue
        if not key or not value or len(tags) >= MAX_TAGS:
            dropped += 1
        elif key not in tags:
            tags[key] = value
    return tags, dropped
