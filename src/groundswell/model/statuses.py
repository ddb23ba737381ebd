"""Statuses of spans and transactions: the closed set of names, its numbers and aliases."""

from __future__ import annotations

from typing import Any

STATUSES = (
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal_error",
    "unavailable",
    "data_loss",
    "unauthenticated",
)
NOT_FAILED = ("ok", "cancelled", "unknown")
_BY_KEY: dict[Any, str] = {
    **{name: name for name in STATUSES},
    **dict(enumerate(STATUSES)),
    **{str(number): name for number, name in enumerate(STATUSES)},
    "success": "ok",
    "failure": "internal_error",
    "error": "internal_error",
    "unknown_error": "unknown",
    "canceled": "cancelled",
}


def status(value: Any, default: str = "") -> str:
    """A status by name, number or alias; `default` when it is absent or not one of ours."""
    if type(value) is str:
        return _BY_KEY.get(value) or _BY_KEY.get(value.lower(), default)
    return _BY_KEY.get(value, default) if type(value) is int else default
