"""Every field of the language: what it means, its type and unit, and where each table keeps it.

The registry feeds the compiler, autocompletion and the documentation. A name that is not here is
a measurement, a span operation or a tag; `find` says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from groundswell.query.registry.field_table import ROWS
from groundswell.query.search.units import is_duration_unit, is_size_unit, normal_unit

MAX_TAG_KEY = 200
ERRORS, TRANSACTIONS, SPANS, FUNCTIONS = "errors", "transactions", "spans", "functions"
TABLES = (ERRORS, TRANSACTIONS, SPANS, FUNCTIONS)
TABLE_LETTERS = {"E": ERRORS, "T": TRANSACTIONS, "S": SPANS, "F": FUNCTIONS}

DURATION_MEASUREMENTS = frozenset(
    [
        "fp",
        "fcp",
        "lcp",
        "fid",
        "inp",
        "ttfb",
        "ttfb.requesttime",
        "app_start_cold",
        "app_start_warm",
        "time_to_full_display",
        "time_to_initial_display",
        "stall_longest_time",
        "stall_total_time",
        "messaging.message.receive.latency",
    ]
)
NUMBER_MEASUREMENTS = frozenset(
    ["cls", "frames_total", "frames_slow", "frames_frozen", "stall_count"]
)
RATE_MEASUREMENTS = {
    "frames_slow_rate": ("frames_slow", "frames_total"),
    "frames_frozen_rate": ("frames_frozen", "frames_total"),
    "stall_percentage": ("stall_total_time", ""),
}
BUILT_IN_MEASUREMENTS = DURATION_MEASUREMENTS | NUMBER_MEASUREMENTS | RATE_MEASUREMENTS.keys()
_NAME = re.compile(r"[A-Za-z0-9_.:\-]*", re.ASCII)
_TAG = re.compile(
    r'(tags|flags)\[(?:"([A-Za-z0-9_.:\-]+)"|([A-Za-z0-9_.:\-]+))(?:\s*,\s*(string|number))?\]',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where one table keeps a field. storage: how (see `reader`), column: where, key: in a map."""

    storage: str
    column: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. role decides how filters read values ("text", "number", "duration", "date", …);
    type and unit are those of answers; sources: table → Source."""

    name: str
    role: str
    type: str
    doc: str
    unit: str | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    is_tag: bool = False
    selectable: bool = True
    stored_unit: str = ""

    @property
    def numeric(self) -> bool:
        """Whether numeric aggregates take it."""
        return self.role in {"duration", "size", "number"} and not self.name.startswith("stack.")

    @property
    def alias(self) -> str:
        """The name by which groups are ordered: a bare tag counts as `tags_<name>`."""
        return f"tags_{self.name}" if self.is_tag and "[" not in self.name else self.name


def _load() -> dict[str, Field]:
    found = {}
    for line in ROWS.strip().splitlines():
        names, role, type_and_unit, places, doc = (part.strip() for part in line.split("|"))
        type_name, _, unit = type_and_unit.partition("/")
        sources = {}
        for place in places.split():
            letters, _, rule = place.partition("=")
            storage, _, where = rule.partition(":")
            column, _, key = where.partition("/")
            for letter in letters:
                sources[TABLE_LETTERS[letter]] = Source(storage, column, key)
        for name in names.split():
            found[name] = Field(
                name, role, type_name, doc, unit or None, sources,
                selectable=not role.startswith("release."),
            )  # fmt: skip
    return found


FIELDS: Mapping[str, Field] = _load()


@lru_cache(4096)
def find(name: str, unit: str = "") -> Field | None:
    """Find the field of a name as people write it; None when its characters are not allowed.

    unit: of a custom measurement, as SDKs sent it.
    """
    tagged = _TAG.fullmatch(name)
    if tagged is not None:
        return _tag(tagged[2] or tagged[3], name, tagged[4] or "", flag=tagged[1] == "flags")

    name = name.removeprefix('"').removesuffix('"') if name[:1] == '"' else name
    known = FIELDS.get(name)
    if known is not None:
        return known

    if not name or not _NAME.fullmatch(name):
        return None

    if name.startswith("measurements."):
        return _measurement(name, name[13:].lower(), unit)

    if name.startswith("spans."):
        sources = {TRANSACTIONS: Source("keyed", "breakdowns", name[6:])}
        doc = f"Time in spans of `{name[6:]}`, overlaps counted once."
        return Field(name, "duration", "duration", doc, "millisecond", sources)

    return _tag(name, name, "")


def _measurement(name: str, key: str, unit: str) -> Field:
    sources = {table: Source("keyed", "measurements", key) for table in (TRANSACTIONS, SPANS)}
    if key in RATE_MEASUREMENTS:
        part, whole = RATE_MEASUREMENTS[key]
        sources = {TRANSACTIONS: Source("ratio", part, whole)}
        return Field(name, "number", "percentage", f"Measured share: {key}.", None, sources)

    if key in DURATION_MEASUREMENTS:
        doc = f"Measured duration: {key}."
        return Field(name, "duration", "duration", doc, "millisecond", sources)

    role, type_name, shown = "number", "number", None
    unit = normal_unit(unit)
    if is_duration_unit(unit):
        role, type_name, shown = "duration", "duration", unit
    elif is_size_unit(unit):
        role, type_name, shown = "size", "size", unit
    elif unit in {"percent", "ratio"}:
        type_name = "percentage"
    elif unit == "none" and key not in BUILT_IN_MEASUREMENTS:
        type_name = "integer"
    doc = f"Measurement {key}."
    return Field(name, role, type_name, doc, shown, sources, stored_unit=unit)


def _tag(key: str, name: str, typed: str, *, flag: bool = False) -> Field | None:
    if len(key) > MAX_TAG_KEY:
        return None

    places = {ERRORS: "tags", TRANSACTIONS: "tags", SPANS: "tags"}
    if flag:
        places = {ERRORS: "contexts", TRANSACTIONS: "contexts"}
        key = f"flags.{key}"
    storage = "keyed_number" if typed == "number" else "keyed_text"
    role, type_name = ("number", "number") if typed == "number" else ("text", "string")
    sources = {table: Source(storage, column, key) for table, column in places.items()}
    return Field(name, role, type_name, f"Tag {key}.", None, sources, is_tag=True)
