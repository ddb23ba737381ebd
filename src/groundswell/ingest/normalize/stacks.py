"""Exceptions and their frames → the parallel arrays of the errors table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from groundswell.ingest.normalize.shapes import (
    flag,
    lenient_text,
    mapping,
    sequence,
    unsigned,
    values_of,
)

MAX_FRAMES = 250
MAX_EXCEPTIONS = 50
_MAX_PATH = 512
_MAX_VALUE = 8192


@dataclass(slots=True)
class Frames:
    """One element per frame, outermost first, of every exception in order."""

    abs_paths: list[str] = field(default_factory=list)
    filenames: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    in_app: list[int] = field(default_factory=list)
    linenos: list[int] = field(default_factory=list)
    colnos: list[int] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)

    def add(self, stack: list[dict[str, Any]], level: int) -> None:
        self.abs_paths += [_short(frame.get("abs_path")) for frame in stack]
        self.filenames += [_short(frame.get("filename")) for frame in stack]
        self.packages += [_short(frame.get("package")) for frame in stack]
        self.modules += [_short(frame.get("module")) for frame in stack]
        self.functions += [_short(frame.get("function")) for frame in stack]
        self.in_app += [1 if frame.get("in_app") is True else 0 for frame in stack]
        self.linenos += [_line(frame.get("lineno")) for frame in stack]
        self.colnos += [_line(frame.get("colno")) for frame in stack]
        self.levels += [level] * len(stack)


@dataclass(slots=True)
class Stacks:
    """The exception chain as sent (the cause first, the thrown one last), and all frames."""

    exceptions: list[dict[str, Any]]
    types: list[str]
    values: list[str]
    mechanisms: list[str]
    handled: list[int]
    main_thread: int
    frames: Frames

    @property
    def handled_tag(self) -> str:
        if 0 in self.handled:
            return "no"
        return "yes" if 1 in self.handled else ""

    @property
    def mechanism(self) -> str:
        return next((m for m in reversed(self.mechanisms) if m), "")


def stacks_of(event: dict[str, Any]) -> Stacks:
    exceptions = [e for e in values_of(event.get("exception")) if type(e) is dict]
    exceptions = exceptions[-MAX_EXCEPTIONS:]
    frames = Frames()
    mechanisms = [mapping(e.get("mechanism")) for e in exceptions]
    stacks = [frames_of(e.get("stacktrace")) for e in exceptions]
    if not any(stacks):
        stacks = [_fallback(event)]
    for level, stack in enumerate(stacks):
        if stack:
            frames.add(stack, level)
    return Stacks(
        exceptions,
        [_short(e.get("type")) for e in exceptions],
        [_short(lenient_text(e.get("value")), _MAX_VALUE) for e in exceptions],
        [_short(m.get("type")) for m in mechanisms],
        [flag(m.get("handled")) for m in mechanisms],
        _main_thread(event, exceptions),
        frames,
    )


def frames_of(stack: Any) -> list[dict[str, Any]]:
    """The frames of a stack, at most the last 250."""
    frames = sequence(mapping(stack).get("frames"))[-MAX_FRAMES:]
    return [f for f in frames if type(f) is dict]


def culprit_frame(event: dict[str, Any], exceptions: list[dict[str, Any]]) -> dict[str, Any]:
    """The innermost frame of the application, else the innermost one, of the thrown exception."""
    stack = frames_of(exceptions[-1].get("stacktrace")) if exceptions else []
    stack = stack or _fallback(event)
    own = next((f for f in reversed(stack) if f.get("in_app") is True), None)
    return own or (stack[-1] if stack else {})


def _fallback(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Where there is no stack on an exception: the crashed or current thread's, or a bare one."""
    threads = [t for t in values_of(event.get("threads")) if type(t) is dict]
    for thread in sorted(
        threads, key=lambda t: (t.get("crashed") is not True, t.get("current") is not True)
    ):
        found = frames_of(thread.get("stacktrace"))
        if found:
            return found
    return frames_of(event.get("stacktrace"))


def _main_thread(event: dict[str, Any], exceptions: list[dict[str, Any]]) -> int:
    """1 or 0 when the threads say whether the exception was on the main one, else -1."""
    threads = [t for t in values_of(event.get("threads")) if type(t) is dict and "main" in t]
    if not threads or not exceptions:
        return -1
    thread_id = exceptions[-1].get("thread_id")
    for thread in threads:
        key, wanted = ("crashed", True) if thread_id is None else ("id", thread_id)
        if thread.get(key) == wanted:
            return flag(thread.get("main"))
    return -1


def _line(value: Any) -> int:
    return unsigned(value, 32) if value else 0


def _short(value: Any, limit: int = _MAX_PATH) -> str:
    if type(value) is not str:
        return ""
    return value if len(value) <= limit else value[: limit - 3] + "..."
