"""Error events → the hash of their issue: the sent fingerprint, the stack, or the message.

Nothing that changes between releases takes part: no line numbers, no absolute paths, no values
of exceptions that have a stack, no build hashes in file names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from groundswell.ingest.normalize.shapes import lenient_text, mapping, sequence, text

_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_PARAMETERS = re.compile(
    r"""
    [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}
  | [\w.+-]+@[\w-]+\.[\w.-]+
  | https?://\S+
  | \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?
  | \b(?:\d{1,3}\.){3}\d{1,3}\b
  | \b0x[0-9a-fA-F]+\b
  | \b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b
  | -?\d+(?:\.\d+)?
    """,
    re.VERBOSE,
)
_BUILD_HASH = re.compile(r"[.-][0-9a-fA-F]{6,40}(?=\.)|\?.*$")
_NUMBERED = re.compile(r"\$\d+|\b0x[0-9a-fA-F]+\b|(?<=lambda)_?\d+|(?<=anonymous)_?\d+")
MAX_FRAMES = 50


def group_hash(
    event: dict[str, Any],
    exceptions: list[dict[str, Any]],
    message: str,
    variables: Callable[[str], str],
) -> bytes:
    """16 bytes. `message` is the event's message as a template; `variables` answers what a
    fingerprint may refer to, such as `transaction`.
    """
    fingerprint = [
        t for t in (lenient_text(p, 1024) for p in sequence(event.get("fingerprint"))) if t
    ]
    if not fingerprint or all(_is_default(part) for part in fingerprint):
        return default_hash(event, exceptions, message)
    parts = []
    for part in fingerprint:
        if _is_default(part):
            parts.append(default_hash(event, exceptions, message).hex())
        else:
            parts.append(_VARIABLE.sub(lambda m: variables(m[1].lower()), part))
    return _digest(["fingerprint", *parts])


def default_hash(event: dict[str, Any], exceptions: list[dict[str, Any]], message: str) -> bytes:
    if exceptions:
        parts = ["exception"]
        for exception in exceptions:
            frames = list(_frames(exception.get("stacktrace")))
            parts.append(text(exception.get("type")))
            parts.extend(frames)
            if not frames:
                parts.append(_template(lenient_text(exception.get("value"))))
        return _digest(parts)
    if event.get("type") == "csp" or "csp" in event:
        report = mapping(event.get("csp"))
        directive = text(report.get("effective_directive")) or text(
            report.get("violated_directive")
        )
        return _digest(["csp", directive, text(report.get("blocked_uri"))])
    if message:
        return _digest(["message", _template(message)])
    frames = list(_frames(event.get("stacktrace")))
    return _digest(["stack", *frames] if frames else ["empty", text(event.get("platform"))])


def _is_default(part: str) -> bool:
    return part.strip().replace(" ", "") in ("{{default}}", "{{defaults}}")


def _frames(stack: Any) -> Iterable[str]:
    """What identifies each frame: those of the application, or all when none is."""
    frames = [f for f in sequence(mapping(stack).get("frames")) if type(f) is dict]
    own = [f for f in frames if f.get("in_app") is True] or frames
    for frame in own[-MAX_FRAMES:]:
        where = frame.get("module") or frame.get("filename") or frame.get("package") or ""
        what = frame.get("function")
        if type(where) is str:
            yield _identified(where, what if type(what) is str else "")


@lru_cache(65536)
def _identified(where: str, what: str) -> str:
    where = _BUILD_HASH.sub("", where.replace("\\", "/"))
    return f"{where}|{_NUMBERED.sub('', what)}"


@lru_cache(16384)
def _template(message: str) -> str:
    return _PARAMETERS.sub("<>", message.split("\n", 1)[0][:1024])


def _digest(parts: Iterable[str]) -> bytes:
    joined = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.md5(joined, usedforsecurity=False).digest()
