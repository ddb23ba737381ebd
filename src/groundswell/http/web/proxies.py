"""Forwarded headers: believed from proxies that the operator named, from nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from groundswell.errors import StartupError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


def parse_networks(setting: str) -> tuple[Network, ...]:
    """Read TRUSTED_PROXIES. Raises StartupError for what is no address or network."""
    networks = []
    for part in filter(None, (part.strip() for part in setting.split(","))):
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            raise StartupError(
                "GROUNDSWELL_TRUSTED_PROXIES must list addresses or networks such as 10.0.0.0/8, "
                f"got {part!r}"
            ) from None
    return tuple(networks)


def seen_through(
    peer: str, scheme: str, headers: Headers, trusted: Sequence[Network]
) -> tuple[str, str]:
    """Tell the address and the scheme of the client behind trusted proxies.

    Of X-Forwarded-For the last address that is not a trusted proxy counts: what stands before it
    could have been written by the client itself.
    """
    if not _is_trusted(peer, trusted):
        return peer, scheme

    listed = {"x-forwarded-for": "", "x-forwarded-proto": ""}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        if key in listed:
            listed[key] = ",".join(filter(None, (listed[key], value.decode("latin-1"))))
    hops = [hop.strip() for hop in listed["x-forwarded-for"].split(",") if hop.strip()]
    address = peer
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        address = hop
        if not _is_trusted(hop, trusted):
            break
    proto = listed["x-forwarded-proto"].rpartition(",")[2].strip().lower()
    return address, proto if proto in {"http", "https"} else scheme


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    if not _is_address(address):
        return False

    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False

    return True
