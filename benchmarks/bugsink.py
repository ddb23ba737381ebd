"""Bugsink in its own production form, installed from PyPI into a cache: gunicorn with two workers
and its task runner, SQLite, quotas lifted. It gets the same bodies from the same generator.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Sent, send

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "groundswell-benchmarks"
KEY = "0123456789abcdef0123456789abcdef"
LIFTED = "\nBUGSINK.update({name: 10**9 for name in ("
QUOTAS = tuple(
    f"MAX_EVENTS_{scope}PER_{span}"
    for scope in ("", "PER_PROJECT_")
    for span in ("5_MINUTES", "HOUR", "MONTH")
)
PROJECT = f"""
from projects.models import Project
Project.objects.create(name="bench", sentry_key="{KEY}", retention_max_event_count=10**9)
"""


def installed() -> Path:
    """Give the directory of Bugsink's commands; install it the first time."""
    home = CACHE / "bugsink"
    if not (home / "bin" / "bugsink-runsnappea").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", "bugsink"], check=True)
    return home / "bin"


def version(commands: Path) -> str:
    asked = [str(commands / "python"), "-c"]
    asked.append("from importlib.metadata import version; print(version('bugsink'))")
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def queryable_per_second(folder: Path, bodies: Sequence[bytes]) -> dict[str, object]:
    """Send all bodies as fast as they are taken, wait until the last is digested, divide."""
    commands = installed()
    with _running(commands, folder) as port:
        path = f"/api/1/envelope/?sentry_key={KEY}"
        begun = time.perf_counter()
        sent: Sent = asyncio.run(
            send("127.0.0.1", port, path, bodies, connections=4, seconds=300, per_second=1_000_000)
        )
        accepted_s = time.perf_counter() - begun
        while (stored := _count(folder)) < sent.accepted and time.perf_counter() - begun < 300:
            time.sleep(0.1)
        seconds = time.perf_counter() - begun
    return {
        "case": f"bugsink {version(commands)}",
        "statuses": sent.statuses,
        "accepted_per_s": round(sent.accepted / accepted_s, 1),
        "queryable": stored,
        "queryable_per_s": round(stored / seconds, 1),
    }


@contextmanager
def _running(commands: Path, folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": "."}

    def run(*command: str) -> None:
        program = [str(commands / command[0]), *command[1:]]
        subprocess.run(program, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    where = ("--host", "127.0.0.1", "--port", str(port), "--base-dir", str(folder))
    run("bugsink-create-conf", "--template=singleserver", *where)
    with (folder / "bugsink_conf.py").open("a") as settings:
        settings.write(f"{LIFTED}{', '.join(map(repr, QUOTAS))})}})\n")
        settings.write("ALLOWED_HOSTS = ['*']\n")
    run("bugsink-manage", "migrate", "--verbosity", "0")
    run("bugsink-manage", "migrate", "snappea", "--database=snappea", "--verbosity", "0")
    run("bugsink-manage", "shell", "-c", PROJECT)
    with (folder / "output.log").open("wb") as output:
        processes = [
            subprocess.Popen(
                [str(commands / command[0]), *command[1:]],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
            )
            for command in (
                ("gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "bugsink.wsgi"),
                ("bugsink-runsnappea",),
            )
        ]
        try:
            _wait_for(port)
            yield port
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("gunicorn did not start")


def _count(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'db.sqlite3'}?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM events_event").fetchone()[0])
