"""A notice as a subject and plain text, for channels without messages of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Words:
    """What is told: one line, the lines below it, and where to read on."""

    subject: str
    lines: tuple[str, ...]
    url: str


def words_of(kind: str, body: Mapping[str, Any], base_url: str) -> Words:
    """Put a notice in words; a kind that nobody knows is told by its title and text."""
    if kind != "incident":
        title = str(body.get("title") or body.get("name") or kind)
        return Words(title, (str(body.get("text") or ""),), str(body.get("url") or base_url))

    path = f"/organizations/{body['org']}/alerts/rules/details/{body['rule_id']}/"
    query = {"alert": str(body["number"]), "referrer": "metric_alert_email"}
    if body.get("is_test"):
        query.pop("alert")
    lines = [_measured(body)]
    if body.get("started_at"):
        started = datetime.fromtimestamp(int(body["started_at"]), UTC)
        lines.append(f"Started: {started:%Y-%m-%d %H:%M} UTC")
    suspect = body.get("suspect")
    if isinstance(suspect, dict) and suspect.get("release"):
        lines.append(f"New release before it began: {suspect['release']}")
    if isinstance(suspect, dict) and suspect.get("explanation"):
        lines.append(f"What changed: {suspect['explanation']}")
    if body.get("notes") and body["status"] != "Resolved":
        lines.append(f"Notes: {body['notes']}")
    return Words(
        _line(f"{body['status']}: {body['name']}"),
        tuple(lines),
        f"{base_url}{path}?{urlencode(query)}",
    )


def _measured(body: Mapping[str, Any]) -> str:
    value, minutes = body.get("value"), body["window_min"]
    shown = "no value" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
    window = "minute" if minutes == 1 else f"{minutes} minutes"
    if body.get("comparison_delta_min") and value is not None:
        return (
            f"{body['aggregate']} is at {shown}% of the same time "
            f"{body['comparison_delta_min']} minutes before, in the last {window}"
        )

    return f"{body['aggregate']} is {shown} in the last {window}"


def _line(text: str) -> str:
    """Keep a subject on one line: line breaks would begin new headers."""
    return " ".join(text.split())[:300]
