"""Stack samples → calls, and calls → time per function.

A sample lasts until the next one of its thread. Consecutive samples with equal frames from the
root down are one call. A call's self time is what its callees did not use: for a frame of the
application, its callees of the application; for any other frame, all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from groundswell.ingest.normalize.shapes import text

MAX_FUNCTIONS = 100
MAX_DEPTH = 512
_FNV_OFFSET, _FNV_PRIME, _U64 = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
_BINARY_SUFFIXES = (".dylib", ".so", ".a", ".dll", ".exe")
_NATIVE = frozenset({"cocoa", "native", "rust", "c", "cplusplus"})
_JVM = frozenset({"android", "java"})

Sample = tuple[int, int]
"""(nanoseconds, number of the stack), in order of time, of one thread."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as statistics see it. `is_counted`: whether its function gets a row."""

    identity: tuple[str, str, str]
    name: str
    package: str
    fingerprint: int
    is_application: bool
    is_counted: bool
    is_module_root: bool


@dataclass(slots=True)
class Function:
    """One function in one profile and thread: one element per call that had time of its own."""

    name: str
    package: str
    fingerprint: int
    is_application: bool
    self_times: list[int] = field(default_factory=list)
    total_times: list[int] = field(default_factory=list)
    sample_count: int = 0


def functions_of(
    samples: Sequence[Sample], stacks: Sequence[Sequence[int]], frames: Sequence[Frame]
) -> list[Function]:
    """The functions of one thread that were seen more than once, longest self time first.

    stacks[i] lists frames from the leaf to the root.
    """
    calls = _calls(samples, stacks, frames)
    found: dict[int, Function] = {}
    in_app = [0] * len(calls)
    outside = [0] * len(calls)
    for place in range(len(calls) - 1, -1, -1):
        parent, frame, start, end, count = calls[place]
        length = end - start
        app = min(in_app[place], length)
        own = 0
        if frame.is_counted:
            if frame.is_application:
                own = max(length - in_app[place], 0)
                app += own
            else:
                own = max(length - in_app[place] - outside[place], 0)
            if own:
                function = found.get(frame.fingerprint)
                if function is None:
                    function = found[frame.fingerprint] = Function(
                        frame.name, frame.package, frame.fingerprint, frame.is_application
                    )
                function.self_times.append(own)
                function.total_times.append(length)
                function.sample_count += count
        if parent >= 0:
            in_app[parent] += app
            outside[parent] += length - app
    kept = [f for f in found.values() if f.sample_count > 1]
    for function in kept:
        function.self_times.reverse()
        function.total_times.reverse()
    kept.sort(key=lambda f: (-sum(f.self_times), -sum(f.total_times), f.fingerprint))
    return kept[:MAX_FUNCTIONS]


def fill_idle(samples: Sequence[Sample], stacks: list[Sequence[int]]) -> list[Sample]:
    """Give samples without frames those that the stacks around them have in common."""
    filled = list(samples)
    before: Sequence[int] = ()
    for place, (at, stack) in enumerate(samples):
        if stacks[stack]:
            before = stacks[stack]
            continue
        after = next((stacks[s] for _, s in samples[place + 1 :] if stacks[s]), ())
        common: list[int] = []
        for one, other in zip(reversed(before), reversed(after), strict=False):
            if one != other:
                break
            common.append(one)
        if common:
            stacks.append(common[::-1])
            filled[place] = (at, len(stacks) - 1)
    return filled


def frame_of(raw: Any, platform: str) -> Frame:
    if type(raw) is not dict:
        raw = {}
    name = text(raw.get("function"), 512)
    module = text(raw.get("module"), 512)
    binary = text(raw.get("package"), 1024)
    filename = text(raw.get("filename"), 512)
    trimmed = _trimmed(binary)
    package = module or trimmed
    where = module or _base(binary) or filename or "-"
    sent = raw.get("in_app")
    same_platform = raw.get("platform") in (None, "", platform)
    is_application = (
        sent
        if type(sent) is bool and same_platform
        else _is_application(platform, raw, module, name)
    )
    return Frame(
        (where, name, str(raw.get("instruction_addr") or "")),
        name,
        package,
        fingerprint(package, name),
        is_application,
        _is_counted(platform, name, package, raw),
        platform == "python" and filename == "<string>" and name == "<module>",
    )


@lru_cache(65536)
def fingerprint(package: str, function: str) -> int:
    """The low 32 bits of FNV-1 (not 1a), 64 bits wide, over `package:function`."""
    value = _FNV_OFFSET
    for byte in f"{package}:{function}".encode("utf-8", "replace"):
        value = (value * _FNV_PRIME & _U64) ^ byte
    return value & 0xFFFFFFFF


_Call = list[Any]
"""[parent's place, frame, start, end, samples]"""


def _calls(
    samples: Sequence[Sample], stacks: Sequence[Sequence[int]], frames: Sequence[Frame]
) -> list[_Call]:
    """Every call in order of its start; a call stands behind its caller."""
    paths = [_path(stack, frames) for stack in stacks]
    calls: list[_Call] = []
    # The chain of calls that ended with the previous sample, root first.
    open_calls: list[int] = []
    for (start, stack), (end, _) in pairwise(samples):
        parent = -1
        depth = 0
        path = paths[stack]
        extending = True
        for frame in path:
            if extending and depth < len(open_calls):
                call = calls[open_calls[depth]]
                if call[1].identity == frame.identity and call[3] == start:
                    call[3] = end
                    call[4] += 1
                    parent = open_calls[depth]
                    depth += 1
                    continue
            extending = False
            del open_calls[depth:]
            calls.append([parent, frame, start, end, 1])
            parent = len(calls) - 1
            open_calls.append(parent)
            depth += 1
        del open_calls[depth:]
    return calls


def _path(stack: Sequence[int], frames: Sequence[Frame]) -> list[Frame]:
    """The frames of a stack from the root to the leaf."""
    path = [frames[i] for i in reversed(stack) if 0 <= i < len(frames)][:MAX_DEPTH]
    return path[1:] if path and path[0].is_module_root else path


def _base(binary: str) -> str:
    return binary.replace("\\", "/").rpartition("/")[2]


def _trimmed(binary: str) -> str:
    base = _base(binary)
    for suffix in _BINARY_SUFFIXES:
        base = base.removesuffix(suffix)
    return base


def _is_counted(platform: str, name: str, package: str, raw: dict[str, Any]) -> bool:
    if not name:
        return False
    if platform == "cocoa" and name == "main":
        return False
    if platform in _JVM:
        return "." in package and raw.get("deobfuscation_status") != "partial"
    if platform in _NATIVE or platform == "react-native":
        return not name.startswith("0x")
    return True


def _is_application(platform: str, raw: dict[str, Any], module: str, name: str) -> bool:
    """Whether a frame belongs to the application, where the SDK does not say."""
    path = text(raw.get("abs_path")) or text(raw.get("filename"))
    if platform == "python":
        if "site-packages/" in path or "dist-packages/" in path or path.startswith("/usr/local/"):
            return False
        top = module.partition(".")[0]
        return top not in sys.stdlib_module_names and top != "sentry_sdk"
    if platform in ("node", "javascript", "react-native"):
        if path.startswith(("node:", "chrome-extension:", "moz-extension:")):
            return False
        return "node_modules/" not in path and not name.startswith("[")
    if platform == "php":
        return "/vendor/" not in path
    if platform == "cocoa":
        binary = text(raw.get("package"))
        return ".app/" in binary and "/Frameworks/" not in binary.partition(".app/")[0]
    return True
