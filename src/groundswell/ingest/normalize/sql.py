"""SQL text → the same text without literals, prefixes and noise, so that equal queries group."""

from __future__ import annotations

import re

MAX_TABLES = 10
_MAX_INPUT = 20_000

_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*|(?<![\w#])#[^\n]*", re.DOTALL)
_SAVEPOINT = re.compile(r"(?i)\b(SAVEPOINT)\s+(?:\"[^\"]+\"|`[^`]+`|[\w.]+)")
_LITERAL = r"""
    N?'(?:[^'\\]|''|\\.)*(?:'|$)(?:::\w+(?:\[\])?)?        # text, also cut off at the end
  | \{(?:ts|d|t|guid|fn)\s[^}]*\}                          # ODBC escapes
  | %\(\w+\)s | %s | \$\d+ | \?\d* | (?<![:\w]):\w+         # placeholders
  | \b0x[0-9a-fA-F]+\b
  | (?<![\w.$])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w$])
  | \b(?:TRUE|FALSE)\b
"""
_LITERALS = re.compile(_LITERAL, re.VERBOSE | re.IGNORECASE)
_MYSQL_LITERALS = re.compile(_LITERAL + r'|"(?:[^"\\]|""|\\.)*"', re.VERBOSE | re.IGNORECASE)
_CAST = re.compile(r"%s::\w+(?:\[\])?")
_SPACES = re.compile(r"\s+")
_LIST = re.compile(r"\(\s*%s(?:\s*,\s*%s)+\s*\)")
_IN = re.compile(r"(?i)\bIN\s*\(\s*%s\s*\)")
_VALUES = re.compile(r"(?i)\bVALUES\s*\([^()]*\)(?:\s*,\s*\([^()]*\))*")
_ARRAY = re.compile(r"(?i)\bARRAY\[\s*%s(?:\s*,\s*%s)*\s*\]")
_QUOTES = re.compile(r"[\"`\[](\w+)[\"`\]]")
_PREFIX = re.compile(r"\b(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*|\*)")
_COLUMN = r"[A-Za-z_]\w*(?:\s+AS\s+\w+)?"
_COLUMNS = re.compile(rf"(?i)(?<=SELECT )(DISTINCT )?{_COLUMN}(?:\s*,\s*{_COLUMN})+(?= FROM)")
_INSERT_COLUMNS = re.compile(r"(?i)(\bINSERT\s+(?:IGNORE\s+)?INTO\s+\w+\s*)\([^()]*\)")
_TABLES = re.compile(r"(?i)\b(?:FROM|JOIN|UPDATE|INTO|TABLE)\s+(?:ONLY\s+)?([A-Za-z_]\w*)")
_ACTION = re.compile(
    r"(?i)\b(RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|SAVEPOINT|SELECT|INSERT|DELETE|UPDATE|SET)\b"
)
_NOT_TABLES = frozenset({"select", "lateral", "unnest", "values", "where", "set", "of"})


def normalized(query: str, system: str) -> str:
    text = (
        _COMMENTS.sub(" ", query[:_MAX_INPUT]) if _may_hold_comment(query) else query[:_MAX_INPUT]
    )
    text = _SAVEPOINT.sub(r"\1 %s", text)
    text = (_MYSQL_LITERALS if system in ("mysql", "mariadb") else _LITERALS).sub("%s", text)
    text = _CAST.sub("%s", text)
    text = _SPACES.sub(" ", text).strip().rstrip(";").rstrip()
    text = _QUOTES.sub(r"\1", text)
    text = _PREFIX.sub(r"\1", text)
    text = _VALUES.sub("VALUES %s", text)
    text = _LIST.sub("(%s)", text)
    text = _IN.sub("IN %s", text)
    text = _ARRAY.sub("%s", text)
    text = _INSERT_COLUMNS.sub(r"\1(..)", text)
    return _COLUMNS.sub(r"\1..", text)


def action(query: str) -> str:
    """The statement's first verb of those that are told apart; '' for any other."""
    found = _ACTION.search(query)
    return found[1].upper() if found else ""


def tables(query: str) -> list[str]:
    """The tables a normalised statement names, once each, sorted."""
    found = {name for name in _TABLES.findall(query) if name.lower() not in _NOT_TABLES}
    return sorted(found)[:MAX_TABLES]


def _may_hold_comment(query: str) -> bool:
    return "/*" in query or "--" in query or "#" in query
