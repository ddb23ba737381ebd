"""The last look at SQL before a reader runs it: one SELECT, nothing that leaves the engine.

Readers are read-only, but the embedded engine still runs `a; b`, BACKUP and INTO OUTFILE for
them, and `python(...)` reads objects of this process. Printed SQL never needs any of these.
"""

from __future__ import annotations

import re
from functools import lru_cache

from groundswell.errors import StoreError

_TOKENS = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'  |  "(?:[^"\\]|\\.|"")*"  |  `(?:[^`\\]|\\.|``)*`
    | /\*.*?\*/  |  --[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST = re.compile(r"\s*\(*\s*(select|with|explain)\b", re.IGNORECASE)
_REFUSED = re.compile(r"\b(into|outfile|infile|python)\b|[;'\"`$#\\]|/\*|\*/|//|[^\x00-\x7f]", re.I)


@lru_cache(maxsize=4096)
def refuse_unsafe(sql: str) -> None:
    """Refuse text that is not one plain SELECT (or EXPLAIN of one).

    Raises StoreError: such text is a bug of ours, never something a user may ask for.
    """
    bare = _TOKENS.sub(lambda token: " " if token.group()[0] in "/-" else "_", sql)
    if not _FIRST.match(bare):
        raise StoreError("Refused to run a statement that is not a SELECT.")

    found = _REFUSED.search(bare)
    if found:
        raise StoreError(f"Refused to run a statement with {found.group()!r} outside a string.")
