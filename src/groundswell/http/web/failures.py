"""Failures of pages: the login where nobody is logged in, else a page that says what was wrong."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from groundswell.errors import (
    NotAllowed,
    NotAuthenticated,
    NotFound,
    StoreError,
    UpstreamError,
    UserError,
)
from groundswell.http import failures
from groundswell.http.web.frame import fragment
from groundswell.http.web.security import NONCE, page_headers

_HEADINGS = {404: "Not found", 403: "Not allowed", 429: "Too many requests"}


def to_login(request: Request[Any, Any, Any], error: NotAuthenticated) -> Response[bytes]:
    """Send a person to the login and back; a script is told, so that it can do the same."""
    path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
    here = path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("hx-request"):
        return Response(content=b"", status_code=401, headers={"HX-Redirect": "/login/"})

    if wants_json(request):
        return failures.on_user_error(request, error)

    return Response(
        content=b"", status_code=302, headers={"Location": "/login/?" + urlencode({"next": here})}
    )


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Show what was wrong; what is told is what the API tells."""
    answer = _as_json(request, error)
    if wants_json(request):
        return answer

    status = answer.status_code or 500
    told = msgspec.json.decode(answer.content)
    text = str(told.get("detail", ""))
    if "errorId" in told:
        text += f" (error id {told['errorId']})"
    return _shown(request, status, text)


def on_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer for paths that nobody serves: a page for browsers, JSON for everybody else."""
    is_api = request.scope["path"].startswith("/api/")
    if not is_api and "text/html" in request.headers.get("accept", ""):
        return on_failure(request, error)

    return failures.on_http_error(request, error)


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Say whether the caller asked for JSON rather than a page."""
    return "application/json" in request.headers.get("accept", "")


def _as_json(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    for kind in type(error).__mro__:
        if handler := failures.HANDLERS.get(kind):
            answer: Response[bytes] = handler(request, error)
            return answer

    return failures.on_bug(request, error)


def _shown(request: Request[Any, Any, Any], status: int, text: str) -> Response[bytes]:
    heading = _HEADINGS.get(status, "This did not work" if status < 500 else "Something broke")
    if request.headers.get("hx-request"):
        return fragment(request, "table_failure.html", status=status, heading=heading, text=text)

    frame: dict[str, Any] = {
        "org": None,
        "organizations": [],
        "user": None,
        "places": (),
        "here": "",
    }
    # An address that nobody serves is refused before the guard of pages saw it.
    nonce = request.scope.setdefault("state", {}).setdefault(NONCE, secrets.token_urlsafe(16))
    answer = fragment(request, "failure.html", status=status, heading=heading, text=text, **frame)
    answer.headers.update(page_headers(nonce))
    return answer


HANDLERS: dict[Any, Any] = {
    NotAuthenticated: to_login,
    NotAllowed: on_failure,
    NotFound: on_failure,
    UserError: on_failure,
    StoreError: on_failure,
    UpstreamError: on_failure,
    HTTPException: on_failure,
    Exception: on_failure,
}
