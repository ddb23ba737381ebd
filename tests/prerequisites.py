"""What the tests need from the host: Chromium, Node with npm, PostgreSQL; installed if we may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_CLIENTS = ROOT / "tests" / "contract" / "node"


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be there, and the Debian packages that bring it."""

    name: str
    present: Callable[[], bool]
    packages: tuple[str, ...]


def _postgresql() -> bool:
    on_path = shutil.which("initdb") is not None
    return on_path or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


NEEDS: tuple[Need, ...] = (
    Need("Chromium", lambda: shutil.which("chromium") is not None, ("chromium",)),
    Need(
        "Node.js with npm",
        lambda: shutil.which("node") is not None and shutil.which("npm") is not None,
        ("nodejs", "npm"),
    ),
    Need("PostgreSQL's server", _postgresql, ("postgresql",)),
)


def install() -> list[str]:
    """Install what is missing; give a line for each thing that could not be had."""
    missing = [need for need in NEEDS if not need.present()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [package for need in missing for package in need.packages]
        sys.stderr.write(f"Installing {', '.join(packages)}\n")
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *packages)
        missing = [need for need in missing if not need.present()]
    lines = [
        f"{need.name}: install it, for example `apt-get install {' '.join(need.packages)}`"
        for need in missing
    ]
    return lines or _node_clients()


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(("apt-get", "-qq", *arguments), env=environment, check=False)


def _node_clients() -> list[str]:
    """Install the JavaScript clients that the contract tests start, from their lock file."""
    if not (NODE_CLIENTS / "package-lock.json").exists():
        return []

    stamp = NODE_CLIENTS / "node_modules" / ".package-lock.json"
    lock = NODE_CLIENTS / "package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return []

    done = subprocess.run(
        ("npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"),
        cwd=NODE_CLIENTS,
        check=False,
    )
    return [] if done.returncode == 0 else ["the npm packages of tests/contract/node: run `npm ci`"]
