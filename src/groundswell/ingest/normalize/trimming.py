"""What an error event keeps for its detail page: cut to size, never beyond these limits."""

from __future__ import annotations

from typing import Any

import msgspec

from groundswell.ingest.normalize.shapes import mapping, sequence, text, values_of
from groundswell.ingest.normalize.stacks import MAX_FRAMES

MAX_DEPTH = 7
MAX_EXTRA = 256 * 1024
MAX_EXTRA_VALUE = 16 * 1024
MAX_MODULES = 8 * 1024
MAX_BREADCRUMBS = 100
MAX_CONTEXT_FRAMES = 50
_MAX_STRING = 8192
_KEPT = (
    "exception",
    "threads",
    "stacktrace",
    "logentry",
    "message",
    "request",
    "breadcrumbs",
    "contexts",
    "user",
    "tags",
    "extra",
    "modules",
    "sdk",
    "debug_meta",
    "fingerprint",
    "csp",
    "level",
    "logger",
    "transaction",
    "culprit",
    "server_name",
    "timestamp",
    "_meta",
)
_DETAIL = ("pre_context", "context_line", "post_context", "vars")
_encode = msgspec.json.Encoder().encode


def trimmed_payload(
    event: dict[str, Any], problems: list[dict[str, str]], size: int = MAX_EXTRA
) -> bytes:
    """The event as JSON with what its detail page shows; `problems` become its `errors`.

    size: bytes of the event as sent; its parts are no larger.
    """
    kept: dict[str, Any] = {k: event[k] for k in _KEPT if event.get(k) is not None}
    for name in ("exception", "threads"):
        for entry in values_of(kept.get(name)):
            _trim_stack(mapping(entry).get("stacktrace"))
    _trim_stack(kept.get("stacktrace"))
    if "extra" in kept and size > MAX_EXTRA_VALUE:
        kept["extra"] = _trim_extra(mapping(kept["extra"]))
    if "modules" in kept and size > MAX_MODULES:
        kept["modules"] = _trim_modules(mapping(kept["modules"]))
    if "breadcrumbs" in kept:
        kept["breadcrumbs"] = {"values": values_of(kept["breadcrumbs"])[-MAX_BREADCRUMBS:]}
    if "message" in kept:
        kept["message"] = text(kept["message"], _MAX_STRING)
    if problems:
        kept["errors"] = problems
    return _encoded(kept)


def _encoded(kept: dict[str, Any]) -> bytes:
    try:
        return _encode(kept)
    except (UnicodeEncodeError, RecursionError, msgspec.EncodeError, OverflowError):
        return _encode(_shallow(kept, MAX_DEPTH * 2))


def _trim_stack(stack: Any) -> None:
    frames = sequence(mapping(stack).get("frames"))
    if not frames:
        return
    if len(frames) > MAX_FRAMES:
        stack["frames"] = frames = frames[-MAX_FRAMES:]
    if len(frames) > MAX_CONTEXT_FRAMES:
        for frame in frames[:-MAX_CONTEXT_FRAMES]:
            for name in _DETAIL:
                if type(frame) is dict:
                    frame.pop(name, None)


def _trim_extra(extra: dict[str, Any]) -> dict[str, Any]:
    if len(_encoded(extra)) <= MAX_EXTRA_VALUE:
        return extra
    kept: dict[str, Any] = {}
    room = MAX_EXTRA
    for key, value in extra.items():
        if type(value) is str:
            value = text(value, MAX_EXTRA_VALUE)
            size = len(value)
        elif type(value) in (dict, list):
            value = _shallow(value, MAX_DEPTH)
            size = len(_encode(value))
            if size > MAX_EXTRA_VALUE:
                value, size = text(_encode(value).decode(), MAX_EXTRA_VALUE), MAX_EXTRA_VALUE
        else:
            size = 24
        room -= size
        if room < 0:
            break
        kept[key] = value
    return kept


def _trim_modules(modules: dict[str, Any]) -> dict[str, Any]:
    if len(_encoded(modules)) <= MAX_MODULES:
        return modules
    kept: dict[str, Any] = {}
    room = MAX_MODULES
    for name, version in modules.items():
        room -= len(name) + len(str(version)[:64]) + 6
        if room < 0:
            break
        kept[name] = version
    return kept


def _shallow(value: Any, depth: int) -> Any:
    """What lies deeper becomes text; strings become encodable."""
    kind = type(value)
    if kind is str:
        return text(value, _MAX_STRING).encode("utf-8", "replace").decode()
    if kind is dict or kind is list:
        if depth <= 0:
            return "..."
        if kind is dict:
            return {
                k.encode("utf-8", "replace").decode(): _shallow(v, depth - 1)
                for k, v in value.items()
            }
        return [_shallow(v, depth - 1) for v in value]
    if kind is int and value.bit_length() > 63:
        return float(value) if value.bit_length() < 1000 else None
    return value
