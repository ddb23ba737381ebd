"""One event as clients read it: the stored row and the SDK's payload → entries, contexts, tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from groundswell.http.shapes import instant
from groundswell.model.tenancy import Project

Json: TypeAlias = dict[str, Any]

# Columns that are tags for everybody who reads an event.
TAG_COLUMNS = ("environment", "level", "release", "dist", "transaction", "user", "server_name")
_FRAME = {
    "filename": "filename", "function": "function", "module": "module", "package": "package",
    "platform": "platform", "abs_path": "absPath", "lineno": "lineNo", "colno": "colNo",
    "raw_function": "rawFunction", "symbol": "symbol", "trust": "trust", "vars": "vars",
    "instruction_addr": "instructionAddr", "symbol_addr": "symbolAddr",
}  # fmt: skip


def error_event(row: Mapping[str, Any], project: Project, base_url: str) -> Json:
    """Describe an error."""
    payload = _payload(row["payload"])
    kind = "error" if row["type"] == "error" else "default" if row["type"] == "default" else "csp"
    return {
        **_common(row, project, payload),
        "groupID": str(row["group_id"]) if row["group_id"] else None,
        "title": row["title"],
        "message": row["message"] if kind != "error" else _message(payload),
        "culprit": row["culprit"],
        "location": row["location"] or None,
        "type": kind,
        "metadata": issue_metadata(row["title"], row["type"]),
        "entries": _entries(payload),
        "occurrence": None,
    }


def transaction_event(
    row: Mapping[str, Any], spans: Iterable[Mapping[str, Any]], project: Project
) -> Json:
    """Describe a transaction and its spans."""
    trace = {
        "type": "trace",
        "trace_id": row["trace_id"].hex,
        "span_id": _span_id(row["span_id"]),
        "parent_span_id": _span_id(row["parent_span_id"]),
        "op": row["op"],
        "status": row["status"],
    }
    payload: Json = {"contexts": {**_contexts(row["contexts"]), "trace": trace}}
    request = {"method": row["http_method"] or None, "url": row["http_url"] or None}
    entries: list[Json] = [{"type": "spans", "data": [_span(span) for span in spans]}]
    if request["url"] is not None:
        entries.append({"type": "request", "data": request})
    return {
        **_common(row, project, payload),
        "groupID": None,
        "title": row["transaction"],
        "message": "",
        "culprit": row["transaction"],
        "location": row["transaction"],
        "type": "transaction",
        "metadata": {"title": row["transaction"], "location": row["transaction"]},
        "entries": entries,
        "startTimestamp": row["start_timestamp"].timestamp(),
        "endTimestamp": row["timestamp"].timestamp(),
        "measurements": {name: {"value": value} for name, value in row["measurements"].items()},
        "occurrence": None,
    }


def event_row(row: Mapping[str, Any], project: Project) -> Json:
    """Describe an error in a list of events: without its payload."""
    return {
        "id": row["event_id"].hex,
        "eventID": row["event_id"].hex,
        "event.type": row["type"],
        "groupID": str(row["group_id"]) if row["group_id"] else None,
        "projectID": str(project.id),
        "title": row["title"],
        "message": row["message"],
        "culprit": row["culprit"],
        "location": row["location"] or None,
        "platform": row["platform"],
        "dateCreated": instant(row["timestamp"]),
        "tags": _tags(row),
        "user": _user(row, {}),
        "crashFile": None,
        "metadata": None,
    }


def issue_metadata(title: str, kind: str) -> dict[str, str]:
    """Tell the parts of a title."""
    name, colon, value = title.partition(": ")
    if kind == "error":
        return {"type": name, "value": value if colon else "", "title": title}

    return {"title": title}


def _common(row: Mapping[str, Any], project: Project, payload: Json) -> Json:
    event_id = row["event_id"].hex
    contexts = payload.get("contexts")
    release = row["release"]
    return {
        "id": event_id,
        "eventID": event_id,
        "projectID": str(project.id),
        "projectSlug": project.slug,
        "platform": row["platform"] or None,
        "dist": row["dist"] or None,
        "size": None,
        "dateCreated": instant(row["timestamp"]),
        "dateReceived": instant(row["received"]),
        "tags": _tags(row),
        "user": _user(row, payload),
        "sdk": _sdk(row),
        "contexts": _typed(contexts) if isinstance(contexts, dict) else {},
        "context": payload.get("extra") if isinstance(payload.get("extra"), dict) else {},
        "packages": payload.get("modules") if isinstance(payload.get("modules"), dict) else {},
        "fingerprints": payload.get("fingerprint") or [],
        "release": {"version": release, "shortVersion": release.rpartition("@")[2],
                    "lastCommit": None} if release else None,
        "errors": [],
        "_meta": {},
        "crashFile": None,
        "userReport": None,
        "nextEventID": None,
        "previousEventID": None,
    }  # fmt: skip


def _sdk(row: Mapping[str, Any]) -> Json | None:
    if not row["sdk_name"]:
        return None

    return {"name": row["sdk_name"], "version": row["sdk_version"]}


def _payload(text: str) -> Json:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}

    return found if isinstance(found, dict) else {}


def _message(payload: Json) -> str:
    found = payload.get("logentry") or payload.get("message") or ""
    if isinstance(found, dict):
        found = found.get("formatted") or found.get("message") or ""
    return str(found)


def _tags(row: Mapping[str, Any]) -> list[dict[str, str]]:
    tags = {name: row[name] for name in TAG_COLUMNS if row.get(name)}
    return [{"key": key, "value": value} for key, value in sorted({**row["tags"], **tags}.items())]


def _user(row: Mapping[str, Any], payload: Json) -> Json | None:
    found = {
        "id": row["user_id"] or None,
        "email": row["user_email"] or None,
        "username": row["user_username"] or None,
        "ip_address": row["user_ip"] or None,
    }
    if not any(found.values()):
        return None

    sent = payload.get("user")
    name = sent.get("name") if isinstance(sent, dict) else None
    return {**found, "name": name if isinstance(name, str) else None, "data": {}}


def _entries(payload: Json) -> list[Json]:
    found: list[Json] = []
    exceptions = [_exception(each) for each in _values(payload.get("exception"))]
    if exceptions:
        has_system = any(_has_system(each.get("stacktrace")) for each in exceptions)
        data = {"values": exceptions, "hasSystemFrames": has_system, "excOmitted": None}
        found.append({"type": "exception", "data": data})
    threads = [_thread(each) for each in _values(payload.get("threads"))]
    if threads:
        found.append({"type": "threads", "data": {"values": threads}})
    if payload.get("stacktrace") and not exceptions:
        found.append({"type": "stacktrace", "data": _stack(payload["stacktrace"])})
    message = payload.get("logentry") or payload.get("message")
    if message:
        found.append({"type": "message", "data": _log_entry(message)})
    if isinstance(payload.get("request"), dict):
        found.append({"type": "request", "data": _request(payload["request"])})
    crumbs = [_breadcrumb(each) for each in _values(payload.get("breadcrumbs"))]
    if crumbs:
        found.append({"type": "breadcrumbs", "data": {"values": crumbs}})
    return found


def _values(sent: Any) -> list[Json]:
    values = sent.get("values") if isinstance(sent, dict) else sent
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _exception(sent: Json) -> Json:
    mechanism = sent.get("mechanism")
    return {
        "type": _text(sent.get("type")),
        "value": _text(sent.get("value")),
        "module": _text(sent.get("module")),
        "mechanism": _mechanism(mechanism) if isinstance(mechanism, dict) else None,
        "threadId": sent.get("thread_id"),
        "stacktrace": _stack(sent.get("stacktrace")),
        "rawStacktrace": None,
    }


def _mechanism(sent: Json) -> Json:
    handled = sent.get("handled")
    return {
        **sent,
        "type": _text(sent.get("type")),
        "handled": handled if isinstance(handled, bool) else None,
    }


def _thread(sent: Json) -> Json:
    return {
        "id": sent.get("id"),
        "name": _text(sent.get("name")),
        "current": bool(sent.get("current")),
        "crashed": bool(sent.get("crashed")),
        "state": _text(sent.get("state")),
        "stacktrace": _stack(sent.get("stacktrace")),
        "rawStacktrace": None,
    }


def _stack(sent: Any) -> Json | None:
    if not isinstance(sent, dict):
        return None

    frames = sent.get("frames")
    shown = [_frame(each) for each in frames or () if isinstance(each, dict)]
    return {"frames": shown, "framesOmitted": None, "registers": None,
            "hasSystemFrames": any(not frame["inApp"] for frame in shown)}  # fmt: skip


def _has_system(stack: Json | None) -> bool:
    return bool(stack and stack["hasSystemFrames"])


def _frame(sent: Json) -> Json:
    shown = {theirs: sent.get(ours) for ours, theirs in _FRAME.items()}
    for name in ("lineNo", "colNo"):
        shown[name] = shown[name] if isinstance(shown[name], int) else None
    if not isinstance(shown["vars"], dict):
        shown["vars"] = None
    return {**shown, "inApp": bool(sent.get("in_app")), "context": _context(sent)}


def _context(sent: Json) -> list[list[Any]]:
    number, line = sent.get("lineno"), sent.get("context_line")
    if not isinstance(number, int) or not isinstance(line, str):
        return []

    before = [each for each in sent.get("pre_context") or () if isinstance(each, str)]
    after = [each for each in sent.get("post_context") or () if isinstance(each, str)]
    first = number - len(before)
    return [[first + n, text] for n, text in enumerate([*before, line, *after])]


def _log_entry(sent: Any) -> Json:
    if not isinstance(sent, dict):
        return {"formatted": str(sent), "message": None, "params": []}

    formatted = sent.get("formatted") or sent.get("message")
    params = sent.get("params")
    return {
        "formatted": _text(formatted),
        "message": _text(sent.get("message")),
        "params": params if isinstance(params, list) else [],
    }


def _request(sent: Json) -> Json:
    url = sent.get("url")
    return {
        "method": _text(sent.get("method")),
        "url": url if isinstance(url, str) and "://" in url else None,
        "query": _pairs(sent.get("query_string")),
        "headers": _pairs(sent.get("headers")),
        "cookies": _pairs(sent.get("cookies")),
        "env": sent.get("env") if isinstance(sent.get("env"), dict) else None,
        "data": sent.get("data"),
        "fragment": sent.get("fragment"),
        "inferredContentType": None,
    }


def _pairs(sent: Any) -> list[list[Any]]:
    if isinstance(sent, dict):
        return [[key, value] for key, value in sorted(sent.items())]

    if isinstance(sent, list):
        return [list(pair) for pair in sent if isinstance(pair, (list, tuple)) and len(pair) == 2]

    return [part.split("=", 1) for part in sent.split("&") if "=" in part] if isinstance(
        sent, str
    ) else []  # fmt: skip


def _breadcrumb(sent: Json) -> Json:
    data = sent.get("data")
    return {
        "timestamp": _stamp(sent.get("timestamp")),
        "type": _text(sent.get("type")) or "default",
        "category": _text(sent.get("category")),
        "level": _text(sent.get("level")) or "info",
        "message": _text(sent.get("message")),
        "data": data if isinstance(data, dict) else None,
        "event_id": None,
    }


def _stamp(sent: Any) -> str | None:
    if isinstance(sent, (int, float)):
        try:
            return instant(datetime.fromtimestamp(sent, UTC))
        except (ValueError, OverflowError, OSError):
            return None

    return sent if isinstance(sent, str) else None


def _contexts(flat: Mapping[str, str]) -> dict[str, Json]:
    """`os.name` → {"os": {"name": …}}: what a row keeps of the contexts."""
    found: dict[str, Json] = {}
    for path, value in flat.items():
        name, dot, key = path.partition(".")
        if dot:
            found.setdefault(name, {"type": name})[key] = value
    return found


def _typed(contexts: Json) -> Json:
    return {
        name: {"type": name, **found} for name, found in contexts.items() if isinstance(found, dict)
    }


def _span(row: Mapping[str, Any]) -> Json:
    return {
        "span_id": _span_id(row["span_id"]),
        "parent_span_id": _span_id(row["parent_span_id"]),
        "trace_id": row["trace_id"].hex,
        "op": row["op"],
        "description": row["description"],
        "start_timestamp": row["start_timestamp"].timestamp(),
        "timestamp": row["timestamp"].timestamp(),
        "exclusive_time": row["exclusive_time"],
        "status": row["status"] or None,
        "origin": row["origin"] or None,
        "hash": _span_id(row["group"]),
        "data": {},
        "tags": row["tags"],
    }


def _span_id(number: int) -> str | None:
    return f"{number:016x}" if number else None


def _text(sent: Any) -> str | None:
    return None if sent is None else str(sent)
