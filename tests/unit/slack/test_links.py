"""Which addresses are links of ours, and what they point at."""

from __future__ import annotations

import pytest

from groundswell.slack.links import Kind, parse, parse_all

BASE = "https://gs.example.com"

OURS: list[tuple[str, tuple[Kind, str, str, str]]] = [
    ("/organizations/acme/discover/results/?a=1", (Kind.DISCOVER, "acme", "results", "")),
    ("/organizations/acme/discover/results", (Kind.DISCOVER, "acme", "results", "")),
    ("/organizations/Acme/discover/homepage/#x", (Kind.DISCOVER, "acme", "homepage", "")),
    ("/organizations/acme/explore/discover/results/", (Kind.DISCOVER, "acme", "results", "")),
    ("/organizations/acme/explore/traces/?query=x", (Kind.EXPLORE, "acme", "traces", "")),
    ("/organizations/acme/explore/logs", (Kind.EXPLORE, "acme", "logs", "")),
    ("/organizations/acme/explore/metrics/", (Kind.EXPLORE, "acme", "metrics", "")),
    ("/organizations/acme/dashboard/7/widget/0/", (Kind.WIDGET, "acme", "7", "0")),
    ("/organizations/acme/alerts/rules/details/12/?alert=3", (Kind.ALERT, "acme", "12", "")),
    ("/organizations/acme/issues/55/", (Kind.ISSUE, "acme", "55", "")),
    ("/organizations/acme/issues/55/events/abc/", (Kind.ISSUE, "acme", "55", "abc")),
    ("/acme/web/issues/55", (Kind.ISSUE, "acme", "55", "")),
    ("/organizations/acme/performance/trends/", (Kind.TRENDS, "acme", "trends", "")),
    ("/organizations/acme/trends/details/?a=1", (Kind.TRENDS, "acme", "trends", "details")),
]
IN_DOMAIN = [
    ("/discover/results/", Kind.DISCOVER),
    ("/explore/discover/homepage/", Kind.DISCOVER),
    ("/explore/traces/", Kind.EXPLORE),
    ("/dashboard/7/widget/1/", Kind.WIDGET),
    ("/alerts/rules/details/12/", Kind.ALERT),
    ("/issues/55/", Kind.ISSUE),
]
FOREIGN = [
    "https://other.example.com/organizations/acme/discover/results/",
    "https://gs.example.com.evil.com/organizations/acme/discover/results/",
    "https://gs.example.com@evil.com/organizations/acme/discover/results/",
    "https://user@gs.example.com/organizations/acme/discover/results/",
    "https://gs.example.com:8443/organizations/acme/discover/results/",
    "https://gs.exаmple.com/organizations/acme/discover/results/",
    "https://a.b.gs.example.com/discover/results/",
    "ftp://gs.example.com/organizations/acme/discover/results/",
    "javascript:alert(1)//gs.example.com/organizations/acme/discover/results/",
    "https://gs.example.com/organizations/acme/../acme/discover/results/",
    "https://gs.example.com/organizations/acme%2Fx/discover/results/",
    "https://gs.example.com\\organizations/acme/discover/results/",
    "https://gs.example.com/organizations/acme/discover/results/extra/",
    "https://gs.example.com/organizations/acme/trends/recorded/",
    "https://gs.example.com/organizations//discover/results/",
    "https://gs.example.com/discover/results/",
    "https://[::1/organizations/acme/discover/results/",
    "https://gs.example.com:99999/organizations/acme/discover/results/",
    "https://gs.example.com/organizations/acme/discover/results/?" + "a=1&" * 600,
    "https://gs.example.com/organizations/acme/discover/results/?a=\x00",
    "x" * 9000,
    "",
]


@pytest.mark.parametrize(("path", "expected"), OURS)
def test_pages_of_ours(path: str, expected: tuple[Kind, str, str, str]) -> None:
    link = parse(BASE + path, BASE)
    assert link is not None
    assert (link.kind, link.org, link.item, link.part) == expected
    assert link.url == BASE + path


@pytest.mark.parametrize(("path", "kind"), IN_DOMAIN)
def test_the_organization_may_be_in_the_domain(path: str, kind: Kind) -> None:
    link = parse("https://acme.gs.example.com" + path, BASE)
    assert link is not None
    assert (link.kind, link.org) == (kind, "acme")


@pytest.mark.parametrize("url", FOREIGN)
def test_everything_else_is_no_link_of_ours(url: str) -> None:
    assert parse(url, BASE) is None


def test_a_base_address_with_a_path_and_a_port() -> None:
    base = "http://10.0.0.1:8000/stats"
    path = "/organizations/acme/discover/results/"
    assert parse(base + path, base) is not None
    assert parse("http://10.0.0.1:8000" + path, base) is None
    assert parse("http://10.0.0.1/stats" + path, base) is None


def test_escapes_of_slack_are_undone_and_others_kept() -> None:
    url = (
        f"{BASE}/organizations/acme/discover/results/?query=a%26b&amp;yAxis=x&amp;copy=&amp;yAxis="
    )
    link = parse(url, BASE)
    assert link is not None
    assert link.params == {"query": ("a&b",), "yAxis": ("x", ""), "copy": ("",)}


def test_each_address_once_and_junk_skipped() -> None:
    url = f"{BASE}/organizations/acme/discover/results/"
    links = [
        {"url": url},
        {"domain": "x"},
        3,
        None,
        {"url": 5},
        {"url": url},
        {"url": url + "?a=1"},
    ]
    assert [link.url for link in parse_all(links, BASE)] == [url, url + "?a=1"]
    assert parse_all("text", BASE) == []
