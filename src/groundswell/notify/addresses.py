"""Where a webhook may go: its host is resolved once, and every address of it must be public.

The connection is then made to the address that was looked at, so that a name which answers
differently the second time (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from groundswell.errors import UpstreamError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One address to connect to. url: with the number in place of the name; host: for the header
    and the certificate."""

    url: str
    host: str
    header: str


async def pin(url: str, *, allow_private: bool) -> Pinned:
    """Resolve an address. Raises UpstreamError for one that nobody may be sent to."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, KeyError, UnicodeError):
        raise UpstreamError("The address of the webhook is not a valid http(s) address") from None

    if not host or "@" in parts.netloc:
        raise UpstreamError("The address of the webhook is not a valid http(s) address")

    numbers = await _resolve(host, port)
    if not allow_private:
        for number in numbers:
            if not is_public(number):
                raise UpstreamError(
                    f"The webhook's host {host} is at {number}, which is not a public address; "
                    "WEBHOOK_ALLOW_PRIVATE allows it"
                )

    number = numbers[0]
    netloc = f"[{number}]:{port}" if ":" in number else f"{number}:{port}"
    pinned = urlunsplit(SplitResult(parts.scheme, netloc, parts.path or "/", parts.query, ""))
    header = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    return Pinned(pinned, host, f"[{host}]" if ":" in host else header)


def is_public(number: str) -> bool:
    """Say whether an address is one of the open Internet, also where it wraps an older one."""
    try:
        address = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False

    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None:
            inner = address.teredo[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UpstreamError(
            f"The webhook's host {host} is unknown: {error}", retryable=True
        ) from None

    numbers = list(dict.fromkeys(str(address[4][0]) for address in found))
    if not numbers:
        raise UpstreamError(f"The webhook's host {host} has no address", retryable=True)

    return numbers
