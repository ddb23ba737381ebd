"""Release, environment, dist and level: trimmed, checked, '' when absent or not allowed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_NO_RELEASE = re.compile(r"[\n\r\t\f\v\0]|^[/\\]+$|^\.{1,2}$")
_DIST = re.compile(r"[a-zA-Z0-9_.-]{1,64}\Z")
_LEVELS = {
    "fatal": "fatal",
    "critical": "fatal",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "log": "info",
    "debug": "debug",
    "sample": "sample",
}
_LEVEL_NUMBERS = {50: "fatal", 40: "error", 30: "warning", 20: "info", 10: "debug"}


def release(value: Any) -> str:
    return _release(value) if type(value) is str else ""


def environment(value: Any) -> str:
    return _environment(value) if type(value) is str else ""


def dist(value: Any) -> str:
    if type(value) is int:
        value = str(value) if value.bit_length() < 200 else ""
    found = value.strip() if type(value) is str else ""
    return found if _DIST.match(found) else ""


def level(value: Any, default: str) -> str:
    """The level's name; SDKs also send aliases and the numbers of Python's logging."""
    if type(value) is str:
        return _LEVELS.get(value.lower(), default)
    return _LEVEL_NUMBERS.get(value, default) if type(value) is int else default


@lru_cache(4096)
def _release(value: str) -> str:
    found = value.strip()
    return "" if len(found) > 200 or _NO_RELEASE.search(found) else found


@lru_cache(4096)
def _environment(value: str) -> str:
    found = value.strip()
    if len(found) > 64 or "/" in found or "\n" in found or found.lower() == "none":
        return ""
    return found
