"""Span and transaction statuses: the closed set of names, its numbers and aliases."""

from __future__ import annotations

from typing import Any

NAMES = (
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
_BY_KEY: dict[Any, str] = {
    **{name: name for name in NAMES},
    **dict(enumerate(NAMES)),
    **{str(number): name for number, name in enumerate(NAMES)},
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
