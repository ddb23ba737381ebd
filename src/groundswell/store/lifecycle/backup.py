"""Backups: the event store, the metadata and the spool of one moment, in one directory.

The moment is between two batches: the spool's checkpoint names the last batch that the store
holds, and a service that starts on the restored directory replays the rest from the spool.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from groundswell.errors import StoreError, UserError
from groundswell.store.engine import Engine
from groundswell.store.engine.arrow import quote_text
from groundswell.store.lifecycle.dump import dump_metadata, restore_metadata
from groundswell.store.metadata import Metadata
from groundswell.store.schema import DATA_TABLES, migrations

FORMAT = 1
_MANIFEST = "manifest.json"
_CHECKPOINT = "checkpoint.json"
_OF_BATCH = frozenset({"spool_id", "cut", "seq", "stored", "dropped"})
# Merges join rows of outcomes whenever they like; only what they add up to stays.
_AMOUNT = {"outcomes": "sum(quantity)"}
# Files that are made again from the rest, or belong to one running process.
_NOT_COPIED = shutil.ignore_patterns("*.tmp", "*.arrow")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `last_batch` is the spool's checkpoint, None without a spool.

    rows: by table; of outcomes, the sum of what they count.
    """

    created_at: str
    schema: int
    rows: Mapping[str, int]
    metadata_rows: Mapping[str, int]
    last_batch: Mapping[str, Any] | None


def create_backup(
    engine: Engine,
    metadata: Metadata,
    data: Path,
    target: Path,
    *,
    now: datetime,
    with_secret: bool = False,
) -> Backup:
    """Write a backup to `target`: a new directory, or one file when it ends in ".tar".

    Call it where no batch is being stored (on the writer's thread) while the service runs.
    data: the data directory. The key that signs (DATA/secret) is left out unless asked for.
    Raises UserError when the target exists or the store is a server.
    """
    _refuse_target(engine, target)
    if target.suffix == ".tar":
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
            work = Path(folder) / "backup"
            made = _write(engine, metadata, data, work, now, with_secret)
            packed = Path(folder) / target.name
            with tarfile.open(packed, "w") as archive:
                archive.add(work, arcname=".")
            packed.rename(target)
        return made

    work = target.with_name(f".{target.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    try:
        made = _write(engine, metadata, data, work, now, with_secret)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise

    work.rename(target)
    return made


def read_backup(source: Path) -> Backup:
    """Read what a backup directory holds. Raises UserError when it is none, or of a newer kind."""
    try:
        manifest = json.loads((source / _MANIFEST).read_text())
    except (OSError, ValueError):
        raise UserError(f"{source} is not a backup: it has no readable {_MANIFEST}.") from None

    newest = max(migration.number for migration in migrations())
    if manifest["format"] != FORMAT or manifest["schema"] > newest:
        raise UserError(f"{source} was made by a newer Groundswell: restore it with that version.")

    fields = ("created_at", "schema", "rows", "metadata_rows", "last_batch")
    return Backup(**{name: manifest[name] for name in fields})


def restore_backup(engine: Engine, metadata: Metadata, data: Path, source: Path) -> Backup:
    """Fill an empty data directory from a backup.

    engine: newly opened, not migrated. Raises UserError when the place is in use already.
    """
    if source.is_file():
        with tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
            with tarfile.open(source) as archive:
                archive.extractall(folder, filter="data")
            return restore_backup(engine, metadata, data, Path(folder))

    backup = read_backup(source)
    held = engine.execute("SELECT count() FROM system.tables WHERE database = currentDatabase()")
    if held.scalar():
        raise UserError("The event store is not empty: restore into an empty data directory.")

    if (data / "spool").exists() and any((data / "spool").iterdir()):
        raise UserError("The spool is not empty: restore into an empty data directory.")

    metadata.migrate()
    with metadata.begin() as connection:
        restore_metadata(connection, source / "metadata")
    place = quote_text(str((source / "store").resolve()))
    engine.execute(f"RESTORE DATABASE default FROM File({place})")
    if (source / "spool").exists():
        shutil.copytree(source / "spool", data / "spool", dirs_exist_ok=True)
    if (source / "secret").exists():
        shutil.copy2(source / "secret", data / "secret")
    if _count(engine) != backup.rows:
        raise StoreError("The restored store does not hold the rows that the backup names.")

    return backup


def _refuse_target(engine: Engine, target: Path) -> None:
    if not engine.is_embedded:
        raise UserError(
            "The event store is a ClickHouse server: back it up with its own BACKUP, and the "
            "metadata with pg_dump."
        )

    if target.exists():
        raise UserError(f"{target} exists already: name a new directory or .tar file.")

    if not target.absolute().parent.is_dir():
        raise UserError(f"{target.absolute().parent} is not a directory.")


def _write(
    engine: Engine, metadata: Metadata, data: Path, work: Path, now: datetime, with_secret: bool
) -> Backup:
    work.mkdir(parents=True, mode=0o700)
    _copy_spool(data / "spool", work / "spool")
    engine.execute(
        f"BACKUP DATABASE default TO File({quote_text(str((work / 'store').resolve()))})"
    )
    with metadata.begin() as connection:
        metadata_rows = dump_metadata(connection, work / "metadata")
    if with_secret and (data / "secret").exists():
        shutil.copy2(data / "secret", work / "secret")
    schema = engine.execute("SELECT max(number) FROM schema_migrations").scalar()
    made = Backup(
        created_at=now.isoformat(),
        schema=schema,
        rows=_count(engine),
        metadata_rows=metadata_rows,
        last_batch=_last_batch(work / "spool"),
    )
    manifest = {
        "format": FORMAT,
        "created_at": made.created_at,
        "schema": made.schema,
        "rows": made.rows,
        "metadata_rows": made.metadata_rows,
        "last_batch": made.last_batch,
    }
    # The manifest is last: without it a directory is no backup.
    with (work / _MANIFEST).open("w") as file:
        json.dump(manifest, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return made


def _copy_spool(source: Path, target: Path) -> None:
    """Copy the segments while more is appended: an end that is half there is cut at replay."""
    if not source.exists():
        return

    while True:
        try:
            shutil.copytree(source, target, ignore=_NOT_COPIED)
        except shutil.Error:
            # A segment that is stored as a whole went while we copied.
            shutil.rmtree(target)
        else:
            return


def _last_batch(spool: Path) -> Mapping[str, Any] | None:
    path = spool / _CHECKPOINT
    if not path.exists():
        return None

    found: dict[str, Any] = json.loads(path.read_text())
    return {name: value for name, value in found.items() if name in _OF_BATCH}


def _count(engine: Engine) -> dict[str, int]:
    return {
        table: engine.execute(f"SELECT {_AMOUNT.get(table, 'count()')} FROM {table}").scalar()  # noqa: S608
        for table in DATA_TABLES
    }
