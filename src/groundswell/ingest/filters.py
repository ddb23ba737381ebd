"""Inbound filters: is this an event that the project does not want?

Looks at the few fields that the filters name, before anything is normalised.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from groundswell.ingest.records import Filters, Item, Kind

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_CRAWLERS = re.compile(
    r"googlebot|mediapartners-google|adsbot-google|feedfetcher-google|bingbot|bingpreview|slurp|"
    r"duckduckbot|baiduspider|yandex(?:bot|images)|facebookexternalhit|facebot|twitterbot|"
    r"linkedinbot|slackbot|slack-imgproxy|telegrambot|whatsapp|discordbot|applebot|pinterest|"
    r"semrushbot|ahrefsbot|dotbot|mj12bot|petalbot|gptbot|ccbot|claudebot|bytespider|amazonbot|"
    r"rogerbot|seznambot|sogou|exabot|archive\.org_bot|ia_archiver|headlesschrome|phantomjs|"
    r"lighthouse|uptimerobot|pingdom|statuscake|calypso appcrawler|spider\b|crawler\b",
    re.IGNORECASE,
)
_HEALTH_CHECKS = (
    "*healthcheck*",
    "*heartbeat*",
    "*/health",
    "*/healthy",
    "*/healthz",
    "*/health_check",
    "*/_health",
    "*/live",
    "*/livez",
    "*/ready",
    "*/readyz",
    "*/ping",
    "*/up",
)


class _Fields(msgspec.Struct, frozen=True):
    """Only what the filters read; every part may be of a wrong type."""

    release: Any = None
    transaction: Any = None
    message: Any = None
    logentry: Any = None
    exception: Any = None
    request: Any = None
    user: Any = None


_fields = msgspec.json.Decoder(_Fields)


def filter_reason(filters: Filters, item: Item, user_agent: str) -> str | None:
    """Name the filter that an item meets, None when it is wanted or cannot be read."""
    if item.kind not in {Kind.EVENT, Kind.TRANSACTION}:
        return None

    try:
        fields = _fields.decode(item.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None

    if filters.releases and _matches(filters.releases, _text(fields.release)):
        return "release-version"

    if filters.localhost and _is_local(fields):
        return "localhost"

    if filters.crawlers and _CRAWLERS.search(_user_agent(fields) or user_agent):
        return "web-crawlers"

    if item.kind is Kind.TRANSACTION:
        name = _text(fields.transaction)
        is_check = filters.health_checks and _matches(_HEALTH_CHECKS, name)
        return "filtered-transaction" if is_check else None

    if filters.error_messages and any(
        _matches(filters.error_messages, text) for text in _messages(fields)
    ):
        return "error-message"

    return None


@lru_cache(maxsize=1024)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    parts = (
        ".*".join(re.escape(piece) for piece in re.split(r"\*+", glob.strip()))
        for glob in globs
        if glob.strip()
    )
    return re.compile("|".join(f"(?:{part})" for part in parts) or r"(?!)", re.I | re.S)


def _matches(globs: tuple[str, ...], text: str) -> bool:
    return bool(text) and _pattern(globs).fullmatch(text[:4096]) is not None


def _messages(fields: _Fields) -> list[str]:
    """The message, and every exception as `value` and as `type: value`."""
    texts = [_text(fields.message)]
    if isinstance(fields.logentry, dict):
        texts += [_text(fields.logentry.get(key)) for key in ("formatted", "message")]
    values = fields.exception
    if isinstance(values, dict):
        values = values.get("values")
    for one in values if isinstance(values, list) else []:
        if isinstance(one, dict):
            kind, value = _text(one.get("type")), _text(one.get("value"))
            texts += [value, f"{kind}: {value}", kind]
    return texts


def _is_local(fields: _Fields) -> bool:
    user = fields.user if isinstance(fields.user, dict) else {}
    if _text(user.get("ip_address")) in _LOCAL_HOSTS:
        return True

    request = fields.request if isinstance(fields.request, dict) else {}
    try:
        host = urlsplit(_text(request.get("url"))).hostname or ""
    except ValueError:
        return False

    return host in _LOCAL_HOSTS or host.endswith(".localhost")


def _user_agent(fields: _Fields) -> str:
    request = fields.request if isinstance(fields.request, dict) else {}
    headers = request.get("headers")
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            name, value = pair
            if _text(name).lower() == "user-agent":
                return _text(value)
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
