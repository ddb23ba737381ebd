"""What a process and its children use, read from /proc."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """One process: resident and anonymous memory in MB."""

    pid: int
    command: str
    resident_mb: float
    anonymous_mb: float


def family(pid: int) -> list[Memory]:
    """Measure a process and everything it started, the process first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop(0)
        found.append(memory(each))
        waiting += sorted(children.get(each, ()))
    return found


def memory(pid: int) -> Memory:
    """Measure one process."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return Memory(pid, command, _mb(status["VmRSS"]), _mb(status["RssAnon"]))


def _mb(text: str) -> float:
    return int(text.split()[0]) / 1024
