"""Values with `*` → conditions: the cheapest form that means the same.

A `*` behind an even number of backslashes stands for any run of characters; `\\*` is a star.
"""

from __future__ import annotations

import re

from groundswell.query.sql.expression import Expression, Number, Value, call

_STAR = re.compile(r"(?<!\\)(?:\\\\)*\*")
_MEANT = re.compile(r"[\\^$.|?*+()\[\]{}]")


def is_pattern(value: str) -> bool:
    return "*" in value and _STAR.search(value) is not None


def literal(value: str) -> str:
    """Read a value without wildcards: `\\*` is a star, other backslashes are themselves."""
    return value.replace("\\*", "*") if "\\" in value else value


def quoted(value: str) -> str:
    """Write a value for a search so that it stands for itself; the closing quote needs care.

    A backslash at the end would take the quote, and one before a star would take the star: there a
    pattern says nearly the same.
    """
    if value.endswith("\\") or "\\*" in value:
        value = value.replace("\\", "\\\\").replace("*", "\\*") + "*"
    else:
        value = value.replace("*", "\\*")
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def pieces(value: str) -> list[str]:
    """Split a pattern at its wildcards; in the pieces a backslash has taken its next character."""
    found, current, position = [], [], 0
    while position < len(value):
        character = value[position]
        if character == "\\" and position + 1 < len(value):
            position += 1
            current.append(value[position])
        elif character == "*":
            found.append("".join(current))
            current = []
        else:
            current.append(character)
        position += 1
    found.append("".join(current))
    return found


def matches(column: Expression, value: str) -> Expression:
    """Match a whole text, ignoring case."""
    parts = pieces(value)
    head, middle, tail = parts[0], [part for part in parts[1:-1] if part], parts[-1]
    if not middle and not tail and head:
        return _edge("startsWith", column, head)

    if not middle and not head and tail:
        return _edge("endsWith", column, tail)

    if not head and not tail and len(middle) == 1:
        return contains(column, middle[0])

    return call("match", column, Value(f"(?is)^{_regex(parts)}$"))


def matches_exactly(column: Expression, value: str) -> Expression:
    """Match a whole text, with case: elements of arrays."""
    return call("match", column, Value(f"(?s)^{_regex(pieces(value))}$"))


def contains_pattern(column: Expression, value: str) -> Expression:
    """Look for a pattern anywhere in a text, ignoring case."""
    parts = [part for part in pieces(value) if part]
    if len(parts) == 1:
        return contains(column, parts[0])

    return call("match", column, Value(f"(?is){_regex(parts)}"))


def contains(column: Expression, text: str) -> Expression:
    """Look for a text anywhere in another, ignoring case."""
    name = "positionCaseInsensitive" if text.isascii() else "positionCaseInsensitiveUTF8"
    return call("greater", call(name, column, Value(text)), Number(0))


def _edge(name: str, column: Expression, text: str) -> Expression:
    lower = "lower" if text.isascii() else "lowerUTF8"
    return call(name, call(lower, column), Value(text.lower()))


def _regex(parts: list[str]) -> str:
    return ".*".join(_MEANT.sub(r"\\\g<0>", part) for part in parts)
