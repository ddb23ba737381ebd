"""Transaction names: where a name came from, and ids in URLs replaced by `*`."""

from __future__ import annotations

import re
from functools import lru_cache

SOURCES = frozenset(
    {"custom", "url", "route", "view", "component", "sanitized", "task", "unknown", "other"}
)
UNLABELED = "<unlabeled transaction>"
MAX_NAME = 200
_HIGH_CARDINALITY_SDKS = frozenset(
    {
        *(
            f"sentry.javascript.{name}"
            for name in (
                "angular",
                "browser",
                "ember",
                "gatsby",
                "react",
                "remix",
                "vue",
                "nextjs",
            )
        ),
        "sentry.php.laravel",
        "sentry.php.symfony",
    }
)
_SEGMENT = re.compile(r"[^/\\]+")
_IDENTIFIER = re.compile(
    r"""
    [0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}    # UUID or 32 hex digits
  | [0-9a-fA-F]{40}
  | 0x[0-9a-fA-F]+
  | (?:mon|tue|wed|thu|fri|sat|sun)\w*,?\s+\d
  | \d{4}-\d\d-\d\d
  | \d\d
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_high_cardinality(sdk_name: str, tags: dict[str, str], method: str, express: bool) -> bool:
    """SDKs whose unnamed sources are raw URLs, not routes."""
    if sdk_name in _HIGH_CARDINALITY_SDKS:
        return True
    status = tags.get("http.status_code", "")
    if sdk_name.startswith("sentry.python"):
        return sdk_name == "sentry.python.django" and status == "404"
    if sdk_name.startswith("sentry.javascript.node"):
        return express and method == "OPTIONS"
    if sdk_name.startswith("sentry.ruby"):
        return status[:1] in ("4", "5")
    return False


def source_of(name: str, sent: str, high_cardinality: bool) -> str:
    """The source as sent, or a guess: only some SDKs send URLs without saying so."""
    if sent:
        return sent if sent in SOURCES else "other"
    return "url" if "/" in name and high_cardinality else "unknown"


@lru_cache(16384)
def named(name: str, sent_source: str, high_cardinality: bool) -> tuple[str, str]:
    """(name, source) as stored. Names that may be URLs lose their ids and become `sanitized`."""
    name = name.strip()
    if not name:
        return UNLABELED, source_of(name, sent_source, high_cardinality)
    source = source_of(name, sent_source, high_cardinality)
    if source in ("url", "sanitized") or (not sent_source and "/" in name):
        name = sanitized(name)
        source = "sanitized" if source == "url" or not sent_source else source
    if len(name) > MAX_NAME:
        name = name[: MAX_NAME - 3] + "..."
    return name, source


def sanitized(name: str) -> str:
    """Replace every path segment that holds an id by `*`, unless nothing else would be left."""

    def replace(match: re.Match[str]) -> str:
        return "*" if _IDENTIFIER.search(match.group()) else match.group()

    result = _SEGMENT.sub(replace, name)
    return name if result == "*" else result
