"""The user of an event: its columns, and the one text that stands for them in counts."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any, NamedTuple

from groundswell.ingest.normalize.shapes import lenient_text, mapping, text

_INFERRING_PLATFORMS = frozenset({"javascript", "cocoa", "objc"})
_LIMIT = 128


class User(NamedTuple):
    """`display` is what `count_unique(user)` counts: the first of id, username, email, ip."""

    display: str = ""
    id: str = ""
    username: str = ""
    email: str = ""
    ip: str = ""


NOBODY = User()


def user_of(
    raw: Any, request: dict[str, Any], platform: str, client_ip: str, keep_ip: bool
) -> User:
    """The user as sent; without an address, the request's, or for browsers and phones the sender's.

    client_ip: the address the request came from, for `{{auto}}`.
    """
    sent = mapping(raw)
    ip = ""
    if keep_ip:
        ip = text(sent.get("ip_address"), _LIMIT).strip()
        if ip == "{{auto}}":
            ip = client_ip
        elif not ip:
            ip = text(mapping(request.get("env")).get("REMOTE_ADDR"), _LIMIT).strip()
            if not ip and platform in _INFERRING_PLATFORMS:
                ip = client_ip
        ip = _address(ip) if ip else ""
    if not sent and not ip:
        return NOBODY
    return person(
        lenient_text(sent.get("id"), _LIMIT).strip(),
        lenient_text(sent.get("username"), _LIMIT).strip(),
        lenient_text(sent.get("email"), _LIMIT).strip(),
        ip,
    )


def person(user_id: str, username: str, email: str, ip: str) -> User:
    if user_id:
        display = "id:" + user_id
    elif username:
        display = "username:" + username
    elif email:
        display = "email:" + email
    elif ip:
        display = "ip:" + ip
    else:
        return NOBODY
    return User(display, user_id, username, email, ip)


@lru_cache(16384)
def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return ""
