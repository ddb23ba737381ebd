"""A real PostgreSQL server of our own: on a free port, in a directory that goes with it.

The server refuses to run as root, so then it runs as the user that Debian's package made.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

_NUMBERS = itertools.count(1)
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB"


@dataclass(frozen=True)
class PostgresServer:
    port: int
    process: int = field(default_factory=os.getpid)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """Make a database, empty or a copy of another one, and give its address."""
        name = f"test_{self.process}_{next(_NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)


@contextmanager
def start_postgres() -> Iterator[PostgresServer]:
    """Run a server for the time of the block."""
    binaries = _binaries()
    # Not pytest's own directory: as root that is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="groundswell-pg-"))
    port = _free_port()
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        initdb = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        _run(binaries / "initdb", "-D", data, *initdb)
        options = f"-p {port} -h 127.0.0.1 -k {folder} {_FAST}"
        log = folder / "log"
        _run(binaries / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield PostgresServer(port)
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent

    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    if newest is None:
        pytest.fail("PostgreSQL's server is not installed: `apt-get install postgresql`.")

    return newest.parent


def _run(*command: str | Path) -> None:
    as_owner = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    if as_owner:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.fail("PostgreSQL needs a user `postgres`: `apt-get install postgresql`.")

    # The started server keeps what it inherits, so a pipe would never end.
    done = subprocess.run(
        (*as_owner, *map(str, command)),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, command))} failed with {done.returncode}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
