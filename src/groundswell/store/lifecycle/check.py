"""`store check`: what is wrong with the store, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from groundswell.errors import StoreError
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
from groundswell.store.schema import DATA_TABLES
from groundswell.store.schema.cluster import LOCAL

MANY_PARTS = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` says what to do, empty when all is well."""

    what: str
    ok: bool
    detail: str
    fix: str = ""


def check(engine: Engine, metadata: Metadata, *, cluster: str = "") -> list[Finding]:
    """Read every checksum of the event store and look through the metadata. Slow on purpose.

    Of a cluster, the server that we talk to is checked.
    """
    suffix = LOCAL if cluster else ""
    return [*_check_tables(engine, suffix), *_check_background(engine), *_check_metadata(metadata)]


def free_bytes(data: Path) -> int:
    """Give the free space of the file system of the data directory."""
    return shutil.disk_usage(data).free


def is_below_reserve(data: Path, reserve_mb: int) -> bool:
    """Tell whether the disk watermark is reached: then nothing more is accepted."""
    return free_bytes(data) < reserve_mb * 1_000_000


def _check_tables(engine: Engine, suffix: str) -> Iterator[Finding]:
    for name in DATA_TABLES:
        table = name + suffix
        try:
            answer = engine.execute(
                f"CHECK TABLE {table} SETTINGS check_query_single_value_result = 1"
            )
        except StoreError as error:
            yield Finding(table, False, error.message, "Run `groundswell migrate`.")
            continue

        is_whole = str(answer.scalar()) == "1"
        rows = engine.execute(f"SELECT count() FROM {table}").scalar()  # noqa: S608
        yield Finding(
            table,
            is_whole,
            f"{rows} rows, checksums {'match' if is_whole else 'do NOT match'}",
            "" if is_whole else "Restore a backup: files of this table are damaged.",
        )


def _check_background(engine: Engine) -> Iterator[Finding]:
    detached = engine.execute(
        "SELECT table, count() FROM system.detached_parts"
        " WHERE database = currentDatabase() GROUP BY table"
    )
    broken = dict(detached.rows())
    yield Finding(
        "detached parts",
        not broken,
        ", ".join(f"{table}: {count}" for table, count in broken.items()) or "none",
        "" if not broken else "Parts were set aside as broken at start; compare with a backup.",
    )
    failing = engine.execute(
        "SELECT table, latest_fail_reason FROM system.mutations"
        " WHERE NOT is_done AND latest_fail_reason != '' AND database = currentDatabase()"
    )
    reasons = [f"{table}: {reason}" for table, reason in failing.rows()]
    yield Finding(
        "changes under way",
        not reasons,
        "; ".join(reasons) or "none fails",
        "" if not reasons else "A deletion cannot finish; see the reason.",
    )
    parts: int = engine.execute(
        "SELECT count() FROM system.parts WHERE active AND database = currentDatabase()"
    ).scalar()
    is_fine = parts <= MANY_PARTS
    yield Finding(
        "active parts",
        is_fine,
        str(parts),
        "" if is_fine else "Merging is behind: give the service more CPU, or wait.",
    )


def _check_metadata(metadata: Metadata) -> Iterator[Finding]:
    with metadata.begin() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("SELECT 1"))
            yield Finding("metadata", True, connection.dialect.name)
            return

        problems = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
        dangling = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    is_whole = problems == ["ok"] and not dangling
    detail = "whole" if is_whole else f"{'; '.join(problems)}; {dangling} dangling references"
    yield Finding("metadata", is_whole, detail, "" if is_whole else "Restore a backup.")
