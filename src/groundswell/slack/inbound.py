"""The gate for what Slack sends over HTTP: raw bytes → a payload, or the status that refuses it.

The order is authorize (401), then parse (400); the signature is checked on the bytes as received,
in constant time, and only within five minutes of the request's own time stamp.
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

WINDOW_S = 300
_STAMP = re.compile(r"\d{1,12}", re.ASCII)


class Door(StrEnum):
    """What kind of thing arrives."""

    EVENT = "event"
    COMMAND = "command"
    ACTION = "action"
    OPTIONS = "options"


class Refused(Exception):
    """Raised when a request is answered with nothing but a status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Meta:
    """How a payload came: over which transport, and which resend it is."""

    transport: str = "http"
    retry_number: int = 0
    retry_reason: str = ""


def authorize(
    secret: str, stamp: str | None, signature: str | None, body: bytes, *, now: float
) -> None:
    """Check that a body is Slack's and fresh. Raises Refused (401)."""
    if not secret:
        raise Refused(401, "no signing secret is configured")

    if stamp is None or signature is None:
        raise Refused(401, "the signature headers are missing")

    if not _STAMP.fullmatch(stamp) or abs(now - int(stamp)) > WINDOW_S:
        raise Refused(401, "the time stamp is not within five minutes")

    base = b"v0:" + stamp.encode() + b":" + body
    expected = b"v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(expected, signature.encode("utf-8", "surrogateescape")):
        raise Refused(401, "the signature does not match")


def parse(door: Door, body: bytes) -> dict[str, Any]:
    """Read a body as its door expects. Raises Refused (400)."""
    if door is Door.EVENT:
        return _object(body)

    form = _form(body)
    if door is Door.COMMAND:
        if not form.get("team_id"):
            raise Refused(400, "team_id is missing")
        return dict(form)

    if "payload" not in form:
        raise Refused(400, "payload is missing")

    return _object(form["payload"].encode())


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None

    if not isinstance(value, dict):
        raise Refused(400, "the body is not a JSON object")

    return value


def _form(body: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            strict_parsing=True,
            keep_blank_values=True,
            max_num_fields=1000,
            errors="strict",
        )
    except ValueError:
        raise Refused(400, "the body is not a form") from None

    first: dict[str, str] = {}
    for name, value in pairs:
        first.setdefault(name, value)
    return first


def team_of(payload: Mapping[str, Any]) -> str:
    """Name the workspace of a payload: `team_id`, else `team.id`; "" when it says neither."""
    team = payload.get("team")
    found = payload.get("team_id") or (team.get("id") if isinstance(team, dict) else None)
    return found if isinstance(found, str) else ""


def text_of(payload: Mapping[str, Any], name: str) -> str:
    """Read a field that Slack sends as text; "" for anything else."""
    value = payload.get(name)
    return value if isinstance(value, str) else ""
