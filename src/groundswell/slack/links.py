"""A URL from a message → what it points at here, or None. Only links of our own host count. Pure.

Slack writes `&` as `&amp;` in the addresses of its events; the address as received stays the key
of the unfurl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, urlsplit

from groundswell.slack.messages.blocks import unescape

MAX_URL = 8_000
MAX_PARAMETERS = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Kind(StrEnum):
    """The pages that unfurl."""

    DISCOVER = "discover"
    EXPLORE = "explore"
    WIDGET = "dashboards"
    TRENDS = "trends"
    ALERT = "metric_alert"
    ISSUE = "issues"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: `url` as received, `org` the slug, `item` and `part` the ids in the path.

    item: `results` or `homepage` of Discover, the kind of data of Explore, the id of a dashboard,
    rule or issue. part: the index of a widget, the event of an issue, `details` of one
    trend.
    """

    url: str
    kind: Kind
    org: str
    item: str
    part: str = ""
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Give the first value of a parameter that is not empty."""
        return next((value for value in self.params.get(name, ()) if value), None)

    def values(self, name: str) -> list[str]:
        return [value for value in self.params.get(name, ()) if value]


_ORG = r"(?P<org>[A-Za-z0-9][A-Za-z0-9_-]{0,63})"
_PAGES: tuple[tuple[Kind, str], ...] = (
    (Kind.DISCOVER, r"(?:explore/)?discover/(?P<item>results|homepage)"),
    (Kind.EXPLORE, r"explore/(?P<item>traces|logs|metrics)"),
    (Kind.WIDGET, r"dashboard/(?P<item>[\w-]+)(?:/widget/(?P<part>\d{1,4}))?"),
    (Kind.TRENDS, r"(?:performance/)?(?P<item>trends)(?:/(?P<part>details))?"),
    (Kind.ALERT, r"alerts/rules/details/(?P<item>\d{1,18})"),
    (Kind.ISSUE, r"issues/(?P<item>\d{1,18})(?:/events/(?P<part>\w+))?"),
)
_IN_PATH = [(k, re.compile(rf"/organizations/{_ORG}/{p}/?", re.ASCII)) for k, p in _PAGES]
_IN_PATH.append((Kind.ISSUE, re.compile(rf"/{_ORG}/[\w-]+/{_PAGES[-1][1]}/?", re.ASCII)))
_IN_DOMAIN = [(k, re.compile(rf"/{p}/?", re.ASCII)) for k, p in _PAGES]


def parse(url: object, base_url: str) -> Link | None:
    """Read one address; None when it is not ours or nothing that unfurls."""
    if not isinstance(url, str) or len(url) > MAX_URL or not url.isprintable() or " " in url:
        return None

    # Other entities may be names of parameters (`&copy=1`).
    plain = unescape(url)
    try:
        parts, base = urlsplit(plain), urlsplit(base_url)
        domain_org = _customer(parts, base)
        parameters = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None

    if domain_org is None:
        return None

    path = parts.path
    prefix = base.path.rstrip("/")
    if not path.startswith(prefix + "/"):
        return None

    path = path[len(prefix) :]
    for kind, pattern in _IN_DOMAIN if domain_org else _IN_PATH:
        match = pattern.fullmatch(path)
        if match:
            found = match.groupdict()
            return Link(
                url,
                kind,
                (domain_org or found["org"]).lower(),
                found["item"],
                found.get("part") or "",
                _multi(parameters),
            )
    return None


def parse_all(links: object, base_url: str) -> list[Link]:
    """Read the `links` of a link_shared event: each address once, in order."""
    found: dict[str, Link] = {}
    for entry in links if isinstance(links, list) else []:
        url = entry.get("url") if isinstance(entry, dict) else None
        if isinstance(url, str) and url not in found:
            link = parse(url, base_url)
            if link is not None:
                found[url] = link
    return list(found.values())


def _customer(parts: SplitResult, base: SplitResult) -> str | None:
    """Say whose domain it is: a slug, "" for the plain host, None for somebody else's."""
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or "\\" in parts.geturl():
        return None

    host, own = (parts.hostname or "").lower(), (base.hostname or "").lower()
    if not own or _port(parts, base) != _port(base, base):
        return None

    if host == own:
        return ""

    slug = host.removesuffix("." + own)
    is_slug = slug != host and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug, re.ASCII)
    return slug if is_slug else None


def _port(parts: SplitResult, base: SplitResult) -> int | None:
    # A base address without a port stands for both default ports: people type http and https.
    port = parts.port
    if base.port is None and port == _DEFAULT_PORTS.get(parts.scheme):
        return None
    if base.port is not None and port is None:
        return _DEFAULT_PORTS.get(parts.scheme)
    return port


def _multi(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return MappingProxyType(found)
