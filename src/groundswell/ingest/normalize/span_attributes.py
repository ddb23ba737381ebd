"""Tags, data and measurements of spans → what their columns hold, flat as Arrow wants them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from groundswell.ingest.normalize import columns
from groundswell.ingest.normalize.descriptions import Description, describe
from groundswell.ingest.normalize.measurements import measured
from groundswell.ingest.normalize.payloads import Span
from groundswell.ingest.normalize.scrubbing import FILTERED
from groundswell.ingest.normalize.segments import Segment
from groundswell.ingest.normalize.shapes import lenient_text, mapping, number
from groundswell.ingest.normalize.tags import MAX_KEY, MAX_VALUE, tag_key

_MAX_DESCRIPTION = 4096
_NOT_TAGS = frozenset({"thread.id", "thread.name", "profiler_id"})
_NUMERIC = frozenset(
    [
        "http.response_content_length",
        "http.decoded_response_content_length",
        "http.response_transfer_size",
        "cache.item_size",
        "messaging.message.receive.latency",
        "messaging.message.body.size",
        "mobile.slow_frames",
        "mobile.frozen_frames",
        "mobile.total_frames",
        "mobile.frames_delay",
        "ai.total_tokens.used",
        "ai.total_cost",
    ]
)
_MEMORY = 50_000
_described: dict[tuple[str, str, str, str, str], Description] = {}


class SpanAttributes:
    """Tags, data and measurements of spans, gathered flat as Arrow maps want them."""

    def __init__(self) -> None:
        self.described: list[Description] = []
        self.descriptions: list[str] = []
        self.status_codes: list[str] = []
        self._tag_keys: list[str] = []
        self._tag_values: list[str] = []
        self._tag_counts: list[int] = []
        self._segment: Segment | None = None
        self._from_segment: dict[str, str] = {}
        self._numbers: list[dict[str, float]] = []

    def add(self, span: Span, segment: Segment, marks: dict[str, str]) -> None:
        """`marks` are tags that follow from the place of the span in its segment."""
        data = span.data if type(span.data) is dict else {}
        scrubber = segment.scrubber
        tags = {**self._inherited(segment), **marks}
        numbers: dict[str, float] = {}
        sensitive = scrubber.is_sensitive
        for key, value in data.items():
            kind = type(value)
            if kind is str:
                if key in _NOT_TAGS:
                    if value == "main" and key == "thread.name":
                        tags["main_thread"] = "true"
                    continue
                if key in _NUMERIC:
                    found = number(value)
                    if found is not None:
                        numbers[key] = found
                elif value and len(value) <= MAX_VALUE and tag_key(key):
                    tags[key] = FILTERED if sensitive(key) else value
            elif kind is bool:
                if tag_key(key):
                    tags[key] = "true" if value else "false"
            elif kind is int or kind is float:
                found = number(value)
                if found is not None and len(key) <= MAX_KEY:
                    numbers[key] = found
        if span.tags:
            self._sent_tags(span.tags, tags, sensitive)
        if span.measurements:
            numbers.update(measured(span.measurements, 0.0)[0])
        self._describe(span, data, scrubber.free_text)
        code = (
            data.get("http.response.status_code")
            or data.get("http.status_code")
            or data.get("status_code")
        )
        self.status_codes.append(lenient_text(code, 16) or tags.get("http.status_code", ""))
        self._tag_keys.extend(tags)
        self._tag_values.extend(tags.values())
        self._tag_counts.append(len(tags))
        self._numbers.append(numbers)

    def _inherited(self, segment: Segment) -> dict[str, str]:
        """The few tags of a segment that statistics ask of its spans."""
        if segment is not self._segment:
            self._segment = segment
            self._from_segment = {}
            for name, found in (
                ("os.name", segment.tags.get("os.name")),
                ("user.geo.subregion", segment.contexts.get("geo.subregion")),
            ):
                if found:
                    self._from_segment[name] = found
        return self._from_segment

    def tags(self) -> pa.Array:
        return pa.MapArray.from_arrays(
            columns.offsets(self._tag_counts),
            pa.array(self._tag_keys, columns.TEXT),
            pa.array(self._tag_values, columns.TEXT),
        )

    def measurements(self) -> list[dict[str, float]]:
        return self._numbers

    def _sent_tags(self, sent: Any, tags: dict[str, str], sensitive: Any) -> None:
        for key, value in mapping(sent).items():
            stored, found = tag_key(key), lenient_text(value)
            if stored and found and len(found) <= MAX_VALUE and "\n" not in found:
                tags[stored] = FILTERED if sensitive(key) else found

    def _describe(self, span: Span, data: dict[str, Any], clean: Any) -> None:
        op = (span.op or "default").lower()
        text = span.description or ""
        system = data.get("db.system") or data.get("db.system.name") or ""
        action = (
            data.get("http.request.method")
            or data.get("http.method")
            or data.get("db.operation")
            or data.get("db.operation.name")
            or ""
        )
        name = data.get("db.collection.name") or data.get("db.sql.table") or ""
        key = (op, text, system, action, name)
        try:
            found = _described.get(key)
        except TypeError:
            found, key = None, (op, text, "", "", "")
        if found is None:
            if len(_described) >= _MEMORY:
                _described.clear()
            op, text, system, action, name = map(lenient_text, key)
            found = _described[key] = describe(op, text, system.lower(), action, name)
        self.described.append(found)
        if len(text) > _MAX_DESCRIPTION:
            text = text[: _MAX_DESCRIPTION - 3] + "..."
        self.descriptions.append(clean(text))
