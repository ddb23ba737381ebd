"""Who is the client: the peer, or what a trusted proxy says. No header is believed without it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, MutableMapping
from typing import Any, TypeAlias

from groundswell.errors import StartupError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The networks of TRUSTED_PROXIES."""

    def __init__(self, networks: tuple[Network, ...] = ()) -> None:
        self._networks = networks

    @classmethod
    def parse(cls, text: str) -> Proxies:
        """Read addresses and networks separated by commas. Raises StartupError."""
        try:
            return cls(
                tuple(
                    ipaddress.ip_network(part.strip(), strict=False)
                    for part in text.split(",")
                    if part.strip()
                )
            )
        except ValueError as error:
            raise StartupError(f"GROUNDSWELL_TRUSTED_PROXIES: {error}") from None

    def client_ip(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
        """Walk X-Forwarded-For from the right as long as a trusted proxy vouches for it."""
        peer = scope.get("client")
        address = str(peer[0]) if peer else ""
        if not self._networks or not self._trusts(address):
            return address

        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        for hop in reversed(hops):
            candidate = hop.strip()
            if not _is_address(candidate):
                break

            address = candidate
            if not self._trusts(candidate):
                break

        return address

    def _trusts(self, address: str) -> bool:
        if not _is_address(address):
            return False

        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False

    return True
