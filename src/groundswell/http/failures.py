"""Every failure → one answer: `{"detail": …}` with the right status; a bug gets an error id."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from groundswell.errors import (
    QueryTooHeavy,
    StoreError,
    StoreUnavailable,
    UpstreamError,
    UserError,
)
from groundswell.telemetry import counter, logger

log = logger("http")
FAILURES = counter("http_failures", "Requests that failed.", ("kind",))


class FieldErrors(UserError):
    """Raised when a body or form is refused field by field: `{"field": ["text"]}`."""

    def __init__(self, errors: dict[str, list[str]], *, status: int = 400) -> None:
        super().__init__(
            "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()),
            code="invalid_fields",
            status=status,
        )
        self.errors = errors


def json_response(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """Encode any value as a JSON answer."""
    return Response(
        content=msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers=headers or {},
    )


def on_user_error(_: Request[Any, Any, Any], error: UserError) -> Response[bytes]:
    """The caller's fault."""
    if isinstance(error, FieldErrors):
        return json_response(error.errors, error.status)

    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if error.status == 401 else None
    return json_response({"detail": error.message}, error.status, headers)


def on_store_error(_: Request[Any, Any, Any], error: StoreError) -> Response[bytes]:
    """The question was too heavy (400), the store is away (503), or it failed (500)."""
    if isinstance(error, QueryTooHeavy):
        return json_response({"detail": error.message}, 400)

    if isinstance(error, StoreUnavailable):
        return json_response(
            {"detail": error.message}, 503, {"Retry-After": str(error.retry_after_s)}
        )

    return _bug(error, "Internal error: the query failed to run")


def on_upstream_error(_: Request[Any, Any, Any], error: UpstreamError) -> Response[bytes]:
    """A service that we call failed."""
    return json_response({"detail": error.message}, 503 if error.retryable else 502)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses: unknown path, wrong method, unreadable body."""
    if isinstance(error, NotFoundException):
        return json_response({"detail": "The requested resource does not exist"}, 404)

    if isinstance(error, MethodNotAllowedException):
        return json_response(
            {"detail": f'Method "{request.method}" not allowed.'}, 405, error.headers
        )

    if error.status_code >= 500:
        return _bug(error, "Internal Error")

    return json_response({"detail": error.detail}, error.status_code, error.headers)


def on_bug(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything that nobody expected."""
    return _bug(error, "Internal Error")


def _bug(error: Exception, detail: str) -> Response[bytes]:
    error_id = uuid.uuid4().hex
    FAILURES.labels(type(error).__name__).inc()
    log.error("request_failed", error_id=error_id, exc_info=error)
    return json_response({"detail": detail, "errorId": error_id}, 500)


HANDLERS: dict[Any, Any] = {
    UserError: on_user_error,
    StoreError: on_store_error,
    UpstreamError: on_upstream_error,
    HTTPException: on_http_error,
    Exception: on_bug,
}
