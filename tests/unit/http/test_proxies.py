"""Forwarded headers count only from proxies that the operator named."""

from __future__ import annotations

import pytest

from groundswell.errors import StartupError
from groundswell.http.web.proxies import parse_networks, seen_through

TRUSTED = parse_networks("10.0.0.0/8, ::1, 192.0.2.7")


@pytest.mark.parametrize(
    ("peer", "forwarded", "proto", "seen"),
    [
        ("203.0.113.9", "198.51.100.1", "https", ("203.0.113.9", "http")),
        ("10.0.0.2", "198.51.100.1", "https", ("198.51.100.1", "https")),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", "https", ("198.51.100.1", "https")),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1, 10.0.0.9", "http", ("198.51.100.1", "http")),
        ("10.0.0.2", "10.0.0.3, 10.0.0.4", "https", ("10.0.0.3", "https")),
        ("10.0.0.2", "198.51.100.1, nonsense", "gopher", ("10.0.0.2", "http")),
        ("10.0.0.2", "", "", ("10.0.0.2", "http")),
        ("::1", "2001:db8::5", "https", ("2001:db8::5", "https")),
        ("unix", "198.51.100.1", "https", ("unix", "http")),
    ],
)
def test_address_and_scheme(peer, forwarded, proto, seen):
    headers = [(b"x-forwarded-for", forwarded.encode()), (b"X-Forwarded-Proto", proto.encode())]
    assert seen_through(peer, "http", headers, TRUSTED) == seen


def test_headers_that_come_several_times_are_one_list():
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.1")]
    assert seen_through("10.0.0.2", "http", headers, TRUSTED)[0] == "198.51.100.1"


def test_nobody_is_trusted_unless_named():
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-proto", b"https")]
    assert seen_through("127.0.0.1", "http", headers, parse_networks("")) == ("127.0.0.1", "http")


def test_setting_that_is_no_network_is_refused():
    with pytest.raises(StartupError, match=r"'proxy\.local'"):
        parse_networks("10.0.0.1, proxy.local")
