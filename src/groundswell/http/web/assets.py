"""Static files: under an address that changes with their content, so that browsers keep them."""

from __future__ import annotations

import functools
import gzip
import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.errors import NotFound

FOLDER = Path(__file__).with_name("static")
FOREVER = "public, max-age=31536000, immutable"
_TYPES = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".woff2": "font/woff2",
        ".txt": "text/plain; charset=utf-8",
    }
)


@functools.cache
def version() -> str:
    """Name the present content of all static files."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Give the address of a static file."""
    return f"/static/{version()}/{name}"


@get("/static/{release:str}/{name:path}", opt={"access": "public"}, sync_to_thread=True)
def static(
    request: Request[Any, Any, Any], release: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Give a static file, compressed where the browser takes it."""
    body = _read(name.lstrip("/"))
    kind = Path(name).suffix
    headers = {"Cache-Control": FOREVER if release == version() else "no-cache"}
    if kind != ".woff2":
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = _packed(name.lstrip("/")), "gzip"
    return Response(content=body, media_type=_TYPES[kind], headers=headers)


@get(["/favicon.ico", "/robots.txt"], opt={"access": "public"})
async def well_known(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer what browsers and crawlers ask unasked."""
    if request.url.path.startswith("/robots"):
        return Response(content=b"User-agent: *\nDisallow: /\n", media_type="text/plain")

    return Response(content=_read("icon.svg"), media_type="image/svg+xml")


@functools.cache
def _files() -> frozenset[str]:
    return frozenset(
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.suffix in _TYPES
    )


@functools.lru_cache(maxsize=64)
def _read(name: str) -> bytes:
    if name not in _files():
        raise NotFound

    return (FOLDER / name).read_bytes()


@functools.lru_cache(maxsize=64)
def _packed(name: str) -> bytes:
    return gzip.compress(_read(name), compresslevel=9, mtime=0)


ROUTES = [static, well_known]
