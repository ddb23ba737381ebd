"""Contexts → the flat `name.key` map, and the tags that follow from them."""

from __future__ import annotations

import re
from typing import Any

from groundswell.ingest.normalize.shapes import lenient_text, mapping, number, text

MAX_ENTRIES = 200
MAX_VALUE = 200
_OWN_COLUMNS = frozenset({"trace", "profile", "replay", "flags"})
_YES_NO = frozenset({"device.charging", "device.online", "device.simulator"})
_YES = frozenset({"1", "true", "yes"})
_APPLE_MODEL = re.compile(r"(?:iPhone|iPad)(\d+),")


def flatten(contexts: dict[str, Any], user: dict[str, Any]) -> dict[str, str]:
    """Every scalar of every context as `context.key` text; the user's place as `geo.*`."""
    flat: dict[str, str] = {}
    for name, context in contexts.items():
        if type(context) is dict and name not in _OWN_COLUMNS:
            for key, value in context.items():
                if key != "type":
                    _put(flat, f"{name}.{key}", value)
    geo = user.get("geo")
    if type(geo) is dict:
        for key, value in geo.items():
            _put(flat, f"geo.{key}", value)
    trace = contexts.get("trace")
    if type(trace) is dict and "client_sample_rate" in trace:
        _put(flat, "trace.client_sample_rate", trace["client_sample_rate"])
    return flat


def _put(flat: dict[str, str], key: str, value: Any) -> None:
    found = value if type(value) is str else lenient_text(value)
    if found and len(found) <= MAX_VALUE >= len(key) and len(flat) < MAX_ENTRIES:
        if key in _YES_NO:
            found = "True" if found.lower() in _YES else "False"
        flat[key] = found


def derive_tags(tags: dict[str, str], contexts: dict[str, Any]) -> None:
    """Add os, browser, runtime, device and their parts, unless the client set them itself."""
    for name in ("os", "browser", "runtime"):
        context = contexts.get(name)
        if type(context) is dict:
            label = text(context.get("name"), MAX_VALUE)
            if label:
                version = lenient_text(context.get("version"), MAX_VALUE)
                tags.setdefault(name, f"{label} {version}" if version else label)
                tags.setdefault(f"{name}.name", label)
    device = contexts.get("device")
    if type(device) is dict:
        model = text(device.get("model"), MAX_VALUE)
        family = text(device.get("family"), MAX_VALUE)
        if model:
            tags.setdefault("device", model)
        if family:
            tags.setdefault("device.family", family)


def device_class(contexts: dict[str, Any]) -> str:
    """How strong the device is: "1" low, "2" medium, "3" high, '' unknown."""
    device = contexts.get("device")
    if type(device) is not dict:
        return ""
    model = text(device.get("model")) or text(device.get("family"))
    if model.startswith(("iPhone", "iPad")):
        found = _APPLE_MODEL.match(model)
        generation = int(found.group(1)[:4]) if found else 99
        return "1" if generation <= 8 else "2" if generation <= 12 else "3"
    frequency = number(device.get("processor_frequency"))
    cores = number(device.get("processor_count"))
    memory = number(device.get("memory_size"))
    if frequency is None or cores is None or memory is None:
        return ""
    if frequency < 2000 or cores < 8 or memory < 4 * 1024**3:
        return "1"
    return "2" if frequency < 2500 or memory < 6 * 1024**3 else "3"


def response_status(
    contexts: dict[str, Any], tags: dict[str, str], trace_data: dict[str, Any]
) -> str:
    """The HTTP status of an event: its response context, else its tag, else the trace's data."""
    for found in (
        mapping(contexts.get("response")).get("status_code"),
        tags.get("http.status_code"),
        trace_data.get("http.response.status_code"),
        trace_data.get("http.status_code"),
    ):
        status = lenient_text(found, 16)
        if status:
            return status
    return ""
