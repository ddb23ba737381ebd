"""Brings the event store to the newest schema: numbered files, each applied once and recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from groundswell.errors import StartupError
from groundswell.store.engine.protocol import Engine
from groundswell.store.schema.cluster import for_cluster
from groundswell.store.schema.statements import split, with_shared_properties

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_RECORDS = """
CREATE TABLE IF NOT EXISTS schema_migrations
(number UInt32, name String, applied DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name and its statements without the shared properties."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations() -> tuple[Migration, ...]:
    """Read every migration that this version knows, in order."""
    return tuple(sorted(_read(), key=lambda migration: migration.number))


def _read() -> Iterator[Migration]:
    for file in files(__package__).iterdir():
        found = _NAME.fullmatch(file.name)
        if found:
            statements = tuple(split(file.read_text()))
            yield Migration(int(found.group(1)), found.group(2), statements)


def migrate(engine: Engine, cluster: str = "") -> list[Migration]:
    """Apply what is missing and give it back; a second run applies nothing.

    cluster: CLICKHOUSE_CLUSTER; with it the tables are made on every server of the cluster.

    Every statement can run again, so a crash between a statement and its record does no harm.
    Raises StartupError when the data was written by a newer version.
    """
    for statement in _forms(_RECORDS.strip(), cluster):
        engine.execute(statement)
    done = set(engine.execute("SELECT number FROM schema_migrations").column("number"))
    known = migrations()
    newest = max(migration.number for migration in known)
    if done and max(done) > newest:
        raise StartupError(
            f"The event store has schema {max(done)}, this version knows {newest}: the data was "
            "written by a newer Groundswell. Install that version, or restore an older backup."
        )

    missing = [migration for migration in known if migration.number not in done]
    for migration in missing:
        for plain in migration.statements:
            for statement in _forms(plain, cluster):
                engine.execute(statement)
        record = (
            "INSERT INTO schema_migrations (number, name) VALUES ({number:UInt32}, {name:String})"
        )
        engine.execute(record, {"number": migration.number, "name": migration.name})
    return missing


def _forms(statement: str, cluster: str) -> list[str]:
    return for_cluster(statement, cluster) if cluster else [with_shared_properties(statement)]
