"""An event as Sentry's API exports it → the event as an SDK sends it."""

from __future__ import annotations

import re
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPELLED = {"lineNo": "lineno", "colNo": "colno"}
_FROM_TAGS = ("environment", "server_name", "level", "logger", "transaction", "dist")


def event_of(value: dict[str, Any]) -> dict[str, Any]:
    """Give an event that the door understands. What is in that form already stays as it is."""
    if "eventID" not in value and "entries" not in value:
        return value

    tags = {tag["key"]: tag["value"] for tag in value.get("tags") or () if "key" in tag}
    event: dict[str, Any] = {
        "event_id": value.get("eventID") or value.get("id"),
        "type": value.get("type"),
        "platform": value.get("platform"),
        "timestamp": value.get("endTimestamp") or value.get("dateCreated"),
        "start_timestamp": value.get("startTimestamp"),
        "release": _release(value.get("release")) or tags.get("release"),
        "contexts": value.get("contexts"),
        "extra": value.get("context"),
        "modules": value.get("packages"),
        "sdk": value.get("sdk"),
        "user": _known(value.get("user")),
        "measurements": value.get("measurements"),
        "tags": {name: text for name, text in tags.items() if name not in _FROM_TAGS},
        **{name: tags[name] for name in _FROM_TAGS if name in tags},
    }
    if value.get("dist"):
        event["dist"] = value["dist"]
    if event["type"] == "transaction":
        event["transaction"] = event.get("transaction") or value.get("title")
    for entry in value.get("entries") or ():
        event.update(_entry(str(entry.get("type")), entry.get("data")))
    if "message" in value and not {"exception", "logentry"} & set(event):
        event["logentry"] = {"formatted": value["message"]}
    return {name: part for name, part in event.items() if part is not None}


def _entry(kind: str, data: Any) -> dict[str, Any]:
    match kind, data:
        case ("exception" | "threads", {"values": list(values)}):
            return {kind: {"values": [_thrown(each) for each in values]}}
        case "message", dict():
            return {"logentry": _known(data)}
        case "breadcrumbs", {"values": list(values)}:
            return {"breadcrumbs": {"values": [_known(each) for each in values]}}
        case "request", dict():
            return {"request": _request(data)}
        case "spans", list():
            return {"spans": data}
        case "stacktrace", dict():
            return {"stacktrace": _stack(data)}
        case _:
            return {}


def _thrown(value: Any) -> dict[str, Any]:
    thrown = {_snake(name): part for name, part in (_known(value) or {}).items()}
    thrown.pop("raw_stacktrace", None)
    if isinstance(thrown.get("stacktrace"), dict):
        thrown["stacktrace"] = _stack(thrown["stacktrace"])
    return thrown


def _stack(value: dict[str, Any]) -> dict[str, Any]:
    return {"frames": [_frame(each) for each in value.get("frames") or ()]}


def _frame(value: dict[str, Any]) -> dict[str, Any]:
    frame = {_snake(name): part for name, part in (_known(value) or {}).items()}
    lines = frame.pop("context", None) or ()
    at = frame.get("lineno")
    before = [text for number, text in lines if at is not None and number < at]
    after = [text for number, text in lines if at is not None and number > at]
    here = [text for number, text in lines if number == at]
    if here:
        frame |= {"pre_context": before, "context_line": here[0], "post_context": after}
    return frame


def _request(data: dict[str, Any]) -> dict[str, Any]:
    request = _known(data) or {}
    query = request.pop("query", None)
    if query:
        request["query_string"] = query
    request.pop("inferredContentType", None)
    request.pop("apiTarget", None)
    return request


def _release(value: Any) -> str | None:
    version = value.get("version") if isinstance(value, dict) else value
    return version if isinstance(version, str) else None


def _known(value: Any) -> Any:
    if not isinstance(value, dict):
        return value

    return {name: part for name, part in value.items() if part is not None}


def _snake(name: str) -> str:
    return _SPELLED.get(name) or _HUMP.sub("_", name).lower()
