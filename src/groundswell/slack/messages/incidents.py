"""An incident of a metric alert → what the channel reads, from plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from groundswell.slack.messages.blocks import (
    Block,
    actions,
    button,
    clamp,
    context,
    cut,
    escape,
    image,
    link,
    section,
)

COLORS = {"Critical": "#FA4747", "Warning": "#FFC227", "Resolved": "#4DC771"}
ACKNOWLEDGE, MUTE, OPEN = "incident.acknowledge", "incident.mute", "incident.open"
MUTE_HOURS = (1, 4, 24)
DESCRIPTION_FEATURE = "organizations:slack-metric-alert-description"
_WORDS = {"count()": "events", "count_unique(user)": "users affected"}
_CRASH_FREE = ("percentage(sessions_crashed, sessions)", "percentage(users_crashed, users)")
_AGO = {
    5: "5 minutes",
    15: "15 minutes",
    60: "one hour",
    1440: "one day",
    10_080: "one week",
    43_200: "one month",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """What is told of an incident. status: Critical, Warning, Resolved or Open.

    value: the number that was judged, None when there is none. comparison_delta_min: set for rules
    about a change; `value` is then the percentage of the other period. window_min: of the rule.
    notes: the rule's description, already decided by the feature switch. suspect: what may be the
    cause, in words.
    """

    org: str
    rule_id: int
    rule_name: str
    number: int
    status: str
    aggregate: str
    window_min: int
    value: float | None
    started_at: datetime | None = None
    comparison_delta_min: int | None = None
    notes: str = ""
    notification_uuid: str = ""
    detection_type: str = ""
    is_live: bool = True
    suspect: str = ""


def title(incident: Incident) -> str:
    return f"{incident.status}: {incident.rule_name}"


def address(incident: Incident, base_url: str) -> str:
    """Give the page of the rule with this incident chosen."""
    query = {"alert": str(incident.number), "referrer": "metric_alert_slack"}
    optional = {
        "detection_type": incident.detection_type,
        "notification_uuid": incident.notification_uuid,
    }
    query |= {name: value for name, value in optional.items() if value}
    path = f"/organizations/{incident.org}/alerts/rules/details/{incident.rule_id}/"
    return f"{base_url}{path}?{urlencode(query)}"


def text(incident: Incident) -> str:
    """Say the value in words: `12 events in the last 90 minutes`."""
    window = window_words(incident.window_min)
    if incident.comparison_delta_min is not None and incident.value is not None:
        return _changed(incident, window)

    return f"{_value_words(incident)} in the last {window}"


def window_words(minutes: int) -> str:
    """Tell a window in full, without rounding: 90 minutes are not an hour."""
    for size, name in ((10_080, "week"), (1440, "day"), (60, "hour")):
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return name if count == 1 else f"{count} {name}s"

    return "minute" if minutes == 1 else f"{minutes} minutes"


def incident_message(
    incident: Incident, base_url: str, source: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Build the arguments of chat.postMessage, apart from the channel."""
    url = address(incident, base_url)
    lines = [escape(text(incident))]
    if incident.started_at is not None:
        lines.append(_started(incident.started_at))
    blocks: list[Block] = [section("\n".join(lines))]
    if incident.notes and incident.status != "Resolved":
        blocks.append(section(f"*Notes*: {escape(cut(incident.notes, 2500))}"))
    if source is not None:
        blocks.append(image(source, "Metric Alert Chart"))
    if incident.suspect and incident.status != "Resolved":
        blocks.append(context(f"*Suspect*: {escape(cut(incident.suspect, 1500))}"))
    blocks.append(_buttons(incident, url))
    attachment: dict[str, Any] = {"blocks": clamp(blocks)}
    if incident.status in COLORS:
        attachment["color"] = COLORS[incident.status]
    return {
        "text": link(url, f"*{cut(title(incident), 300)}*"),
        "attachments": [attachment],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _buttons(incident: Incident, url: str) -> Block:
    """The button protocol: `value` is `<organization>:<incident>`, for a mute `…:<hours>`."""
    value = f"{incident.org}:{incident.number}"
    shown = [button("Open", action_id=OPEN, url=url, value=value)]
    if incident.status != "Resolved" and incident.is_live:
        mutes = (
            button(f"Mute {hours} h", action_id=f"{MUTE}::{hours}", value=f"{value}:{hours}")
            for hours in MUTE_HOURS
        )
        first = button("Acknowledge", action_id=ACKNOWLEDGE, value=value, style="primary")
        shown = [first, *mutes, *shown]
    return actions(*shown)


def _started(at: datetime) -> str:
    # The reader's client writes the time in the reader's own zone.
    fallback = f"Started: {at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^Started: {{date_pretty}} at {{time}}|{fallback}>"


def _value_words(incident: Incident) -> str:
    aggregate = incident.aggregate
    if aggregate.startswith(_CRASH_FREE):
        shown = "No" if incident.value is None else f"{_number(incident.value)}%"
        return f"{shown} crash free rate"

    shown = "No" if incident.value is None else _number(incident.value)
    if aggregate.startswith("failure_rate"):
        return f"{shown}% failure rate"

    return f"{shown} {_WORDS.get(aggregate, aggregate)}"


def _changed(incident: Incident, window: str) -> str:
    assert incident.value is not None
    assert incident.comparison_delta_min is not None
    metric = _WORDS.get(incident.aggregate, incident.aggregate).capitalize()
    if incident.aggregate not in _WORDS:
        metric = incident.aggregate
    direction = "higher" if incident.value >= 100 else "lower"
    delta = incident.comparison_delta_min
    ago = _AGO.get(delta, f"{delta} minutes")
    return (
        f"{metric} {_number(abs(incident.value - 100))}% {direction} in the last {window} "
        f"compared to the same time {ago} ago"
    )


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
