"""From answers to a JSON schema that is true of them: what answers without a struct hold.

An answer that was seen does not tell what may be absent, so everything may also be null, numbers
may have a fraction, and more properties than were seen are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Of maps with keys from data (tags, series by group) a few say how the others look.
MOST_ALTERNATIVES = 4


def schema_of(value: Any) -> dict[str, Any]:
    """Describe one value."""
    if isinstance(value, bool):
        return {"type": ["boolean", "null"]}

    if isinstance(value, int | float):
        return {"type": ["number", "null"]}

    if isinstance(value, str):
        return {"type": ["string", "null"]}

    if isinstance(value, list):
        items = merged(schema_of(each) for each in value)
        return {"type": ["array", "null"], **({"items": items} if items else {})}

    if isinstance(value, Mapping):
        properties = {str(name): schema_of(each) for name, each in value.items()}
        return {"type": ["object", "null"], "properties": properties}

    return {}


def merged(schemas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Describe what is as one of several: objects are joined, other differences are alternatives.

    Empty where nothing is known, or too much differs.
    """
    kinds: dict[str, dict[str, Any]] = {}
    for schema in schemas:
        if not schema:
            continue

        kind = schema["type"][0]
        kinds[kind] = _joined(kinds[kind], schema) if kind in kinds else schema
    if len(kinds) == 1:
        return next(iter(kinds.values()))

    return {"anyOf": list(kinds.values())} if 0 < len(kinds) <= MOST_ALTERNATIVES else {}


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Join two schemas of one kind."""
    if "properties" in one:
        mine, theirs = one["properties"], other["properties"]
        names = dict.fromkeys((*mine, *theirs))
        both = {name: _either(mine.get(name), theirs.get(name)) for name in names}
        return {**one, "properties": both}

    if one["type"][0] == "array":
        items = _either(one.get("items"), other.get("items"))
        return {**one, **({"items": items} if items else {})}

    return one


def _either(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any]:
    known = [schema for schema in (one, other) if schema]
    if any("anyOf" in schema for schema in known):
        known = [each for schema in known for each in schema.get("anyOf", [schema])]
    return merged(known)
