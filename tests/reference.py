"""The meaning of a search over plain Python rows: a second, slow implementation for tests.

A row maps names of fields to values; a name that is missing, or None, is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from groundswell.query.search.tree import And, Filter, Has, Node, Or, Text

_NUMBERS = {"transaction.duration", "measurements.lcp"}
_NEGATED = {"": "!=", "=": "!=", "!=": "=", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def matches(node: Node, row: Mapping[str, Any]) -> bool:
    """Tell whether a row is what a search looks for."""
    match node:
        case And(items):
            return all(matches(item, row) for item in items)
        case Or(items):
            return any(matches(item, row) for item in items)
        case Text(value):
            return _contains(row, value)
        case Has(key, negated):
            return (row.get(key.name) not in (None, "", [])) != negated
        case Filter(key) if key.name in _NUMBERS:
            return _number(node, row.get(key.name))
        case Filter(key) if key.name == "message":
            return _contains(row, node.value) != (node.negated != (node.operator == "!="))
        case Filter(key) if key.name == "error.type":
            return _array(node, row.get(key.name) or [])
        case Filter(key):
            return _text(node, row.get(key.name) or "")


def _contains(row: Mapping[str, Any], value: str) -> bool:
    message = (row.get("message") or "").lower()
    return _pattern(value.lower(), anchored=False).search(message) is not None


def _number(node: Filter, stored: float | None) -> bool:
    if node.items is not None:
        return (stored in [float(item) for item in node.items]) != node.negated

    operator = _NEGATED[node.operator] if node.negated else node.operator or "="
    wanted = float(node.value)
    if stored is None:
        return operator == "!="

    return {
        "=": stored == wanted,
        "!=": stored != wanted,
        ">": stored > wanted,
        ">=": stored >= wanted,
        "<": stored < wanted,
        "<=": stored <= wanted,
    }[operator]


def _text(node: Filter, stored: str) -> bool:
    if node.items is not None:
        return (stored in node.items) != node.negated

    negated = node.negated != (node.operator == "!=")
    if "*" in node.value:
        return (_pattern(node.value.lower()).fullmatch(stored.lower()) is not None) != negated

    return (stored == node.value) != negated


def _array(node: Filter, stored: list[str]) -> bool:
    if node.items is not None:
        return any(item in stored for item in node.items) != node.negated

    negated = node.negated != (node.operator == "!=")
    if "*" in node.value:
        return any(_pattern(node.value).fullmatch(item) for item in stored) != negated

    found = node.value in stored if node.value else not stored
    return found != negated


def _pattern(value: str, *, anchored: bool = True) -> re.Pattern[str]:
    parts = value.split("*")
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
