"""What the pages of alerts say of rules and incidents. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from groundswell.alerts.charts import measured
from groundswell.charts.units import measure
from groundswell.http.web import alert_form as form
from groundswell.model.alerts import Detection, Incident, Level, Rule, Side


def sentence(rule: Rule) -> str:
    """Say what a rule watches."""
    where = f" of {rule.query}" if rule.query else ""
    window = next((text for m, text in form.WINDOWS if m == rule.window_min), "")
    window = window or f"{rule.window_min} minutes"
    said = f"{rule.aggregate}{where} in {window}"
    if rule.group_by:
        said += f", by {rule.group_by}"
    if rule.detection is Detection.DYNAMIC:
        return f"{said} is unlikely at this time ({rule.sensitivity} sensitivity)"

    critical = rule.trigger(Level.CRITICAL)
    number = f"{critical.threshold:g}" if critical and critical.threshold is not None else "?"
    if rule.detection is Detection.PERCENT:
        delta = next((t for m, t in form.DELTAS if m == rule.delta_min), f"{rule.delta_min} min")
        word = "higher" if rule.side is Side.ABOVE else "lower"
        return f"{said} is {number}% {word} than {delta} before"

    return f"{said} is {'above' if rule.side is Side.ABOVE else 'below'} {number}"


def standing(open_now: list[Incident]) -> str:
    """Say how a rule stands by its open incidents."""
    return max((one.level for one in open_now), default=Level.OK).word if open_now else "OK"


def line_of(one: Incident, at: datetime) -> dict[str, Any]:
    """Describe an incident in a line of a list."""
    end = one.closed_at or at
    return {
        "number": one.number,
        "title": one.title,
        "rule_id": one.rule_id,
        "status": one.level.word if one.is_open else "Resolved",
        "level": (one.worst or one.level).word,
        "started": f"{one.started_at:%b %d, %H:%M} UTC",
        "lasted": _lasted(int((end - one.started_at).total_seconds())),
        "is_open": one.is_open,
        "is_known": one.acknowledged_at is not None,
        "is_muted": one.is_muted(at),
    }


def _lasted(seconds: int) -> str:
    """Tell how long something took: `2 h 5 min`."""
    minutes = max(seconds, 0) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else ""]
    if not days:
        parts.append(f"{minutes} min" if minutes or not hours else "")
    return " ".join(part for part in parts if part)


def muted_text(until: datetime | None, at: datetime) -> str:
    """Say until when something is silent; "" when it is not."""
    if until is None or until <= at:
        return ""

    return "without an end" if until.year >= 9999 else f"until {until:%b %d, %H:%M} UTC"


def value_text(rule: Rule, value: float | None) -> str:
    """Write a value of a rule with its unit."""
    if value is None:
        return "–"

    if rule.delta_min is not None:
        return f"{value:,.0f}% of the other period"

    return measure(*measured(rule)).text(value)
