"""/login/ and /logout/."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post

from groundswell.errors import NotAuthenticated
from groundswell.http import sessions
from groundswell.http.requests import multi, now, services_of
from groundswell.http.web.frame import go, page

MAX_PASSWORD = 1024


@get("/login/", opt={"access": "public"})
async def login_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Show the login, or go on where somebody is logged in already."""
    next = (multi(request).get("next") or ["/"])[0]
    try:
        await sessions.session_caller(request)
    except NotAuthenticated:
        return await _form(request, next)

    return go(local(next))


@post("/login/", opt={"access": "public"}, status_code=200)
async def log_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Check a password; then go where the person wanted to go."""
    form = await request.form()
    email, password, next_path = (_text(form, name) for name in ("email", "password", "next"))
    address = request.scope["client"][0] if request.scope["client"] else ""
    metadata = services_of(request).metadata
    try:
        token = await sessions.log_in(
            metadata, email, password[:MAX_PASSWORD], address=address, now=now()
        )
    except sessions.TooManyTries as error:
        answer = await _form(request, next_path, email, error.message, 429)
        answer.headers["Retry-After"] = str(error.wait_s)
        return answer

    if token is None:
        wrong = "E-mail and password do not belong together."
        return await _form(request, next_path, email, wrong, 401)

    answer = go(local(next_path))
    answer.set_cookie(sessions.cookie(token, secure=is_https(request)))
    return answer


@post("/logout/", opt={"access": "public"}, status_code=302)
async def log_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End the session, here and in the database."""
    token = request.cookies.get(sessions.COOKIE)
    if token:
        await sessions.log_out(services_of(request).metadata, token)
    answer = go("/login/")
    answer.set_cookie(sessions.cookie("", secure=is_https(request)))
    return answer


def local(path: str) -> str:
    """Keep a path of ours, and turn everything that could lead elsewhere into the front page."""
    clean = path.startswith("/") and not path.startswith("//") and path.isprintable()
    if not clean or "\\" in path:
        return "/"

    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path


def is_https(request: Request[Any, Any, Any]) -> bool:
    """Say whether people reach us over TLS."""
    base = services_of(request).settings.base_url
    return request.scope["scheme"] == "https" or base.startswith("https:")


async def _form(
    request: Request[Any, Any, Any], next: str, email: str = "", error: str = "", status: int = 200
) -> Response[bytes]:
    return await page(
        request, "login.html", status=status, next=local(next), email=email, error=error
    )


def _text(form: Any, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


ROUTES = [login_page, log_in, log_out]
