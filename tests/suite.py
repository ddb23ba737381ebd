"""Run every part of the test suite, and say what ran and how long it took against its budget.

`python tests/suite.py` runs all parts; `python tests/suite.py unit faults` some of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import prerequisites

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the suite: what it runs and how many seconds it may take on two cores."""

    name: str
    command: tuple[str, ...]
    budget_s: int


def _pytest(*arguments: str) -> tuple[str, ...]:
    return (str(BIN / "pytest"), "-m", "not soak", *arguments)


PARTS: tuple[Part, ...] = (
    Part("lint", (str(BIN / "ruff"), "check", "."), 20),
    Part("format", (str(BIN / "ruff"), "format", "--check", "."), 20),
    Part("types", (str(BIN / "mypy"),), 150),
    Part("imports", (str(BIN / "lint-imports"), "--no-cache"), 20),
    Part("unit", _pytest("-n", "2", "tests/unit"), 60),
    Part("spec", _pytest("-n", "2", "tests/spec"), 90),
    Part("properties", _pytest("-n", "2", "tests/properties"), 60),
    Part("docs", _pytest("tests/docs"), 30),
    Part("contract", _pytest("-n", "2", "--dist", "loadfile", "tests/contract"), 90),
    Part("faults", _pytest("-n", "2", "--dist", "loadfile", "tests/faults"), 120),
    Part("browser", _pytest("-n", "2", "--dist", "loadfile", "tests/browser"), 120),
)


def main(chosen: list[str]) -> int:
    """Run the chosen parts in order; a failing part does not stop the next."""
    known = {part.name for part in PARTS}
    if unknown := [name for name in chosen if name not in known]:
        sys.stderr.write(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(known))}\n")
        return 2

    if missing := prerequisites.install():
        sys.stderr.write("These are needed and could not be installed here:\n")
        sys.stderr.writelines(f"  {line}\n" for line in missing)
        return 1

    results = [(part, *_run(part)) for part in PARTS if not chosen or part.name in chosen]
    _report(results)
    return 1 if any(code != 0 for _, code, _ in results) else 0


def _run(part: Part) -> tuple[int, float]:
    sys.stderr.write(f"\n=== {part.name}: {' '.join(part.command)}\n")
    sys.stderr.flush()
    started = time.monotonic()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GROUNDSWELL_")}
    code = subprocess.run(part.command, cwd=ROOT, env=environment, check=False).returncode
    return code, time.monotonic() - started


def _report(results: list[tuple[Part, int, float]]) -> None:
    sys.stdout.write("\npart        result    seconds  budget\n")
    for part, code, seconds in results:
        result = "ok" if code == 0 else "FAILED"
        over = "  over budget" if seconds > part.budget_s else ""
        sys.stdout.write(
            f"{part.name:<10}  {result:<8}  {seconds:>7.1f}  {part.budget_s:>6}{over}\n"
        )
    total = sum(seconds for _, _, seconds in results)
    passed = sum(code == 0 for _, code, _ in results)
    sys.stdout.write(f"{total:.0f} seconds in all\n")
    sys.stdout.write(f"{passed} passed, {len(results) - passed} failed\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
