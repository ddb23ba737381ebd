"""`p95(transaction.duration) as slow` → a call: name, arguments, alias. And the alias rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_CALL = re.compile(
    r"(?P<name>[A-Za-z0-9_]+)\((?P<args>.*)\)(?:\s+as\s+(?P<alias>(?!\d+\Z)\w+))?",
    re.DOTALL | re.ASCII,
)
_NOT_WORD = re.compile(r"\W", re.ASCII)
_PART = re.compile(r'\s*(?P<part>"(?:\\"|[^"])*"|[^,]*)\s*(?P<more>,|\Z)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One call as typed; arguments are trimmed, quotes are kept."""

    name: str
    args: tuple[str, ...] = ()
    alias: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}({', '.join(self.args)})"


@lru_cache(2048)
def parse_call(text: str) -> FunctionCall | None:
    """Read a call; None when the text is none."""
    match = _CALL.fullmatch(text.strip())
    if match is None:
        return None

    args, position, inner = [], 0, match["args"]
    while position < len(inner):
        part = _PART.match(inner, position)
        if part is None:
            return None

        if part["part"].strip():
            args.append(part["part"].strip())
        position = part.end()
    return FunctionCall(match["name"], tuple(args), match["alias"] or "")


def alias_of(text: str) -> str:
    """Give the name under which older clients know a column: `p95_transaction_duration`."""
    call = parse_call(text)
    if call is None:
        return text

    if call.alias:
        return call.alias

    joined = "_".join((call.name, *call.args))
    return _NOT_WORD.sub("_", joined).rstrip("_")


def unquote(text: str) -> str:
    """Take the quotes off an argument."""
    if len(text) > 1 and text[0] == '"' == text[-1]:
        return text[1:-1].replace('\\"', '"')

    return text
