"""What stands before every handler: the client's real address, the origin check, and the headers
that tell browsers what a page may do."""

from __future__ import annotations

import functools
import json
import secrets
from types import MappingProxyType
from urllib.parse import urlsplit

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from groundswell.http.services import Services
from groundswell.http.web.proxies import parse_networks, seen_through

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
NONCE = "nonce"
_REFUSED = json.dumps({"detail": "This request came from another site and was refused."}).encode()
_EVERYWHERE = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
)
_networks = functools.lru_cache(parse_networks)


def guard(app: ASGIApp) -> ASGIApp:
    """Wrap the application."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP, "there are no websockets here"
        services: Services = scope["litestar_app"].state.services
        _see_through_proxies(scope, services)
        if not _same_origin(scope, services.settings.base_url):
            await _refuse(send)
            return

        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})[NONCE] = nonce

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                is_page = headers.get("content-type", "").startswith("text/html")
                for name, value in (page_headers(nonce) if is_page else _EVERYWHERE).items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    return guarded


def page_headers(nonce: str) -> dict[str, str]:
    """Give the headers of a page."""
    return {
        **_EVERYWHERE,
        "Content-Security-Policy": policy(nonce),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def policy(nonce: str) -> str:
    """Write the content security policy of a page: our own files by nonce, no inline code."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def _see_through_proxies(scope: HTTPScope, services: Services) -> None:
    trusted = _networks(services.settings.text("TRUSTED_PROXIES"))
    if not trusted or not scope["client"]:
        return

    host, port = scope["client"]
    address, scheme = seen_through(host, scope["scheme"], scope["headers"], trusted)
    scope["client"] = (address, port)
    scope["scheme"] = scheme


def _same_origin(scope: HTTPScope, base_url: str) -> bool:
    """Say whether an unsafe request may be answered.

    Browsers say where such a request comes from; one that says nothing is no browser and carries
    no cookie that a stranger's page could have borrowed. A bearer token is never sent unasked.
    """
    if scope["method"] in SAFE_METHODS:
        return True

    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if b"authorization" in headers:
        return True

    origin = headers.get(b"origin")
    if origin is not None and _is_ours(origin, headers.get(b"host", ""), base_url):
        return True

    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}

    return origin is None


def _is_ours(origin: str, host: str, base_url: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False

    base = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False

    return parts.netloc.lower() in {host.lower(), base.netloc.lower()}


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_REFUSED)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSED, "more_body": False})
