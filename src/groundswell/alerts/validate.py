"""The body of a request → a rule; what does not fit is told field by field, all of it at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from groundswell.errors import UserError
from groundswell.model.alerts import FOREVER, Action, Detection, Level, Rule, Side, Trigger
from groundswell.model.tenancy import OrgId, ProjectId, UserId

DATASETS = {
    "events": "errors",
    "transactions": "transactions",
    "generic_metrics": "transactions",
    "metrics": "transactions",
    "events_analytics_platform": "spans",
    "spans": "spans",
    "functions": "profileFunctions",
    "profile_functions": "profileFunctions",
}
EVENT_TYPES = ("error", "default", "transaction", "trace_item_span")
LABELS = {"critical": Level.CRITICAL, "warning": Level.WARNING}
KINDS = {"slack": ("specific",), "email": ("user", "team", "specific"), "webhook": ("specific",)}
SENSITIVITIES = ("low", "medium", "high")
MAX_WINDOW_MIN, MIN_DELTA_MIN, MAX_DELTA_MIN = 1440, 5, 43_200
MAX_PERIODS, MAX_GROUPS, MAX_ACTIONS, MAX_NAME, MAX_NOTES = 20, 100, 20, 256, 5000
REQUIRED = "This field is required."


class RuleErrors(UserError):
    """Raised when a rule is refused, with what is wrong by field."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
        super().__init__(said, code="invalid_rule")
        self.errors = {name: list(texts) for name, texts in errors.items()}


class _Reader:
    """Reads fields of a body and remembers what is wrong with them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.errors: dict[str, list[str]] = {}

    def refuse(self, name: str, text: str) -> None:
        self.errors.setdefault(name, []).append(text)

    def text(self, name: str, *, most: int, required: bool = False, default: str = "") -> str:
        value = self.body.get(name)
        if value is None:
            if required:
                self.refuse(name, REQUIRED)
            return default
        if not isinstance(value, str):
            self.refuse(name, f"A text is expected, got {_shown(value)}.")
            return default
        value = value.strip()
        if required and not value:
            self.refuse(name, "This field may not be blank.")
        elif len(value) > most:
            self.refuse(name, f"At most {most} characters are allowed, got {len(value)}.")
        return value

    def whole(
        self, name: str, least: int, most: int, *, default: int | None = None, unit: str = ""
    ) -> int | None:
        value = self.body.get(name)
        if value is None:
            if default is None:
                self.refuse(name, REQUIRED)
            return default
        number = _number(value)
        if number is None or not number.is_integer() or not least <= number <= most:
            unit = f" {unit}" if unit else ""
            self.refuse(
                name, f"Must be a whole number from {least} to {most}{unit}, got {_shown(value)}."
            )
            return default
        return int(number)

    def number(self, name: str) -> float | None:
        value = self.body.get(name)
        if value is None or value == "":
            return None
        number = _number(value)
        if number is None:
            self.refuse(name, f"A number is expected, got {_shown(value)}.")
        return number

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.body.get(name)
        if value is None:
            return default
        if value not in allowed:
            self.refuse(name, f"Must be one of {', '.join(allowed)}; got {_shown(value)}.")
            return default
        return str(value)


def rule_from(
    body: Mapping[str, Any],
    *,
    org_id: OrgId,
    projects: Mapping[str, ProjectId],
    now: datetime,
    before: Rule | None = None,
    created_by: UserId | None = None,
) -> Rule:
    """Read a rule. projects: what the asker may name, by slug and by id.

    Raises RuleErrors with everything that is wrong.
    """
    read = _Reader(body)
    name = read.text("name", most=MAX_NAME, required=True)
    dataset = read.choice("dataset", tuple(DATASETS), "events")
    aggregate = read.text("aggregate", most=1000, required=True)
    window = read.whole("timeWindow", 1, MAX_WINDOW_MIN, unit="minutes") or 1
    delta = _delta(read)
    detection = _detection(read, delta)
    side = Side(read.whole("thresholdType", 0, 2) or 0)
    if side is Side.BOTH and detection is not Detection.DYNAMIC:
        read.refuse("thresholdType", "2 (above and below) needs the detectionType dynamic.")
    triggers = _triggers(read, detection)
    resolve = read.number("resolveThreshold")
    _check_order(read, triggers, resolve, side, detection)
    rule = Rule(
        id=before.id if before else 0,
        org_id=org_id,
        name=name,
        dataset=dataset,
        aggregate=aggregate,
        query=read.text("query", most=4096),
        window_min=window,
        side=side,
        triggers=triggers,
        projects=_projects(read, projects),
        created_at=before.created_at if before else now,
        changed_at=now,
        detection=detection,
        resolve=resolve if detection is not Detection.DYNAMIC else None,
        periods=read.whole("thresholdPeriod", 1, MAX_PERIODS, default=1) or 1,
        delta_min=delta,
        environment=read.text("environment", most=200) or None,
        event_types=_event_types(read, dataset),
        owner=_owner(read),
        description=read.text("description", most=MAX_NOTES),
        sensitivity=read.choice("sensitivity", SENSITIVITIES, "medium"),
        group_by=read.text("groupBy", most=200) or None,
        group_limit=read.whole("groupLimit", 1, MAX_GROUPS, default=20) or 20,
        minimum=read.whole("minimumTraffic", 0, 10**9, default=0, unit="events") or 0,
        muted_until=_muted(read, before, now),
        created_by=before.created_by if before else created_by,
    )
    if read.errors:
        raise RuleErrors(read.errors)

    return rule


def _delta(read: _Reader) -> int | None:
    if read.body.get("comparisonDelta") is None:
        return None

    return read.whole("comparisonDelta", MIN_DELTA_MIN, MAX_DELTA_MIN, default=0, unit="minutes")


def _detection(read: _Reader, delta: int | None) -> Detection:
    default = Detection.STATIC if delta is None else Detection.PERCENT
    found = Detection(read.choice("detectionType", [one.value for one in Detection], default))
    if found is Detection.PERCENT and delta is None and "comparisonDelta" not in read.errors:
        read.refuse("comparisonDelta", "A rule about a change needs the minutes to look back.")
    if found is not Detection.PERCENT and delta is not None:
        read.refuse("comparisonDelta", f"Not allowed with the detectionType {found.value}.")
    return found


def _triggers(read: _Reader, detection: Detection) -> tuple[Trigger, ...]:
    given = read.body.get("triggers")
    if given is None:
        read.refuse("triggers", REQUIRED)
        return ()

    if not isinstance(given, list) or not 1 <= len(given) <= 2:
        read.refuse("triggers", "One trigger labeled critical, and at most one labeled warning.")
        return ()

    found: dict[Level, Trigger] = {}
    for place, one in enumerate(given, 1):
        label = one.get("label") if isinstance(one, dict) else None
        if not isinstance(label, str) or label not in LABELS:
            read.refuse("triggers", f"Trigger {place} must be labeled critical or warning.")
            continue
        level = LABELS[label]
        if level in found:
            read.refuse("triggers", f"There are two triggers labeled {label}.")
        threshold = _threshold(read, one, label, detection)
        found[level] = Trigger(level, threshold, _actions(read, one.get("actions"), label))
    if Level.CRITICAL not in found and not read.errors.get("triggers"):
        read.refuse("triggers", "One trigger must be labeled critical.")
    return tuple(found[level] for level in sorted(found, reverse=True))


def _threshold(
    read: _Reader, one: Mapping[str, Any], label: str, detection: Detection
) -> float | None:
    if detection is Detection.DYNAMIC:
        return None

    value = one.get("alertThreshold")
    number = None if value is None else _number(value)
    if number is None:
        said = "is required" if value is None else f"must be a number, got {_shown(value)}"
        read.refuse("triggers", f"alertThreshold of the trigger {label} {said}.")
        return None

    if detection is Detection.PERCENT and number < 0:
        read.refuse("triggers", f"alertThreshold of the trigger {label} is a change in percent "
                    f"and must be at least 0, got {number:g}.")  # fmt: skip
    return number


def _actions(read: _Reader, given: Any, label: str) -> tuple[Action, ...]:
    if given is None:
        return ()

    if not isinstance(given, list) or len(given) > MAX_ACTIONS:
        read.refuse("triggers", f"actions of the trigger {label} must be a list of at most "
                    f"{MAX_ACTIONS}.")  # fmt: skip
        return ()

    return tuple(one for each in given if (one := _action(read, each, label)) is not None)


def _action(read: _Reader, given: Any, label: str) -> Action | None:
    where = f"An action of the trigger {label}"
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        read.refuse("triggers", f"{where} must have the type {', '.join(KINDS)}; "
                    f"got {_shown(kind)}.")  # fmt: skip
        return None

    types = KINDS[kind]
    target_type = given.get("targetType") or types[0]
    if target_type not in types:
        read.refuse("triggers", f"{where}: targetType of {kind} must be {', '.join(types)}; "
                    f"got {_shown(target_type)}.")  # fmt: skip
        return None

    target = given.get("inputChannelId") or given.get("targetIdentifier")
    target = str(target).strip() if isinstance(target, str | int) else ""
    problem = _target_problem(kind, target_type, target)
    if problem:
        read.refuse("triggers", f"{where}: {problem}")
        return None

    integration = given.get("integrationId") or given.get("integration")
    return Action(kind, target_type, target, None if integration is None else str(integration))


def _target_problem(kind: str, target_type: str, target: str) -> str:
    if not target or len(target) > 2000:
        return f"targetIdentifier is required for {kind}."

    if kind == "email" and target_type == "specific" and not _is_address(target):
        return f"targetIdentifier {_shown(target)} is not an e-mail address."

    if kind == "email" and target_type != "specific" and not target.isdigit():
        return f"targetIdentifier must be the id of a {target_type}, got {_shown(target)}."

    if kind == "webhook" and not _is_web_address(target):
        return f"targetIdentifier {_shown(target)} is not an http(s) address."

    return ""


def _check_order(
    read: _Reader,
    triggers: tuple[Trigger, ...],
    resolve: float | None,
    side: Side,
    detection: Detection,
) -> None:
    if detection is Detection.DYNAMIC:
        return

    # Percentages of change grow with how bad it is, on either side.
    is_below = side is Side.BELOW and detection is Detection.STATIC
    sign, word = (-1, "below") if is_below else (1, "above")
    by_level = {one.level: one.threshold for one in triggers if one.threshold is not None}
    critical, warning = by_level.get(Level.CRITICAL), by_level.get(Level.WARNING)
    if critical is not None and warning is not None and critical * sign <= warning * sign:
        read.refuse("triggers", f"The threshold of critical ({critical:g}) must be {word} that of "
                    f"warning ({warning:g}).")  # fmt: skip
    lowest = min((v * sign for v in by_level.values()), default=None)
    if resolve is not None and lowest is not None and resolve * sign > lowest:
        other = "above" if is_below else "below"
        read.refuse("resolveThreshold", f"Must not be {word} the thresholds of the triggers: "
                    f"{lowest * sign:g} or {other} is allowed, got {resolve:g}.")  # fmt: skip


def _projects(read: _Reader, known: Mapping[str, ProjectId]) -> tuple[ProjectId, ...]:
    given = read.body.get("projects")
    if not given:
        text = REQUIRED if given is None else "At least one project is needed."
        read.refuse("projects", text)
        return ()

    if not isinstance(given, list):
        read.refuse("projects", "A list of project slugs is expected.")
        return ()

    unknown = [str(one) for one in given if str(one) not in known]
    if unknown:
        read.refuse("projects", f"Unknown project {', '.join(map(_shown, unknown))}.")
    return tuple(dict.fromkeys(known[str(one)] for one in given if str(one) in known))


def _event_types(read: _Reader, dataset: str) -> tuple[str, ...]:
    given = read.body.get("eventTypes")
    if given is None or given == []:
        table = DATASETS[dataset]
        return {"errors": ("error",), "transactions": ("transaction",)}.get(table, ())

    if not isinstance(given, list) or any(one not in EVENT_TYPES for one in given):
        read.refuse("eventTypes", f"A list of {', '.join(EVENT_TYPES)} is expected, "
                    f"got {_shown(given)}.")  # fmt: skip
        return ()

    is_error = bool({"error", "default"} & set(given))
    if DATASETS[dataset] == "errors" and "transaction" in given:
        read.refuse("eventTypes", "transaction needs the dataset transactions.")
    elif DATASETS[dataset] == "transactions" and is_error:
        read.refuse("eventTypes", f"error and default need the dataset events, not {dataset}.")
    return tuple(dict.fromkeys(given))


def _owner(read: _Reader) -> str | None:
    value = read.body.get("owner")
    if value in (None, ""):
        return None

    kind, _, id = str(value).partition(":")
    if kind not in {"team", "user"} or not id.isdigit():
        read.refuse("owner", f"Must be team:<id> or user:<id>, got {_shown(value)}.")
        return None

    return str(value)


def _muted(read: _Reader, before: Rule | None, now: datetime) -> datetime | None:
    if "snoozeMinutes" in read.body and read.body["snoozeMinutes"] is not None:
        minutes = read.whole("snoozeMinutes", 0, 525_600, default=0, unit="minutes") or 0
        return now + timedelta(minutes=minutes) if minutes else None

    value = read.body.get("snooze")
    if value is None:
        return before.muted_until if before else None

    if not isinstance(value, bool):
        read.refuse("snooze", f"true or false is expected, got {_shown(value)}.")
        return None

    if value and before is not None and before.is_muted(now):
        return before.muted_until

    return FOREVER if value else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None

    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(at and name and host) and text.isprintable() and not set(text) & set(' ,;<>"')


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isprintable()
    except ValueError:
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
