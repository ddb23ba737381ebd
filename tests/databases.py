"""Metadata databases that have their tables: made once for a process, copied for each test."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from groundswell.store.metadata import Metadata
from tests.postgresql import PostgresServer


def migrated(path: Path) -> Metadata:
    """Open a new SQLite database at `path`."""
    path.write_bytes(_sqlite())
    return Metadata.open(f"sqlite:///{path}")


def migrated_postgres(server: PostgresServer) -> Metadata:
    """Open a new database of the server."""
    return Metadata.open(server.new_database(_postgres(server)))


@cache
def _sqlite() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "metadata.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


@cache
def _postgres(server: PostgresServer) -> str:
    url = server.new_database()
    _migrate(url)
    return url.rpartition("/")[2]


def _migrate(url: str) -> None:
    metadata = Metadata.open(url)
    metadata.migrate()
    # Closed, nothing of it is left in a log beside the file, and the server copies it.
    metadata.close()
