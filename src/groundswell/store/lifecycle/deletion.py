"""Delete by project or by person, really: rows are rewritten and the old files go.

The embedded engine keeps merged-away files for a while, so that a power cut loses nothing; after
a deletion everything is synced to disk first, and then they go within seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId
from groundswell.store.engine import Engine, Params
from groundswell.store.schema import DATA_TABLES
from groundswell.store.schema.cluster import LOCAL
from groundswell.store.schema.statements import SHARED

PersonKind: TypeAlias = Literal["id", "email", "ip", "username"]

_KEPT_FOR = "old_parts_lifetime"
_POLL_S = 0.2
_NOBODY = "00000000-0000-0000-0000-000000000000"
_PEOPLE = ("spans", "errors", "transactions")
# Rows that belong to a person only through another row, which therefore goes after them.
_REFERRING = (
    ("profiles", "transaction_id", "event_id", "transactions"),
    ("functions", "profile_id", "profile_id", "transactions"),
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many rows went, by table, and whether their files are gone from the disk already."""

    rows: dict[str, int]
    files_gone: bool


def delete_project(
    engine: Engine, project_id: ProjectId, *, cluster: str = "", wait_s: float = 60
) -> Deleted:
    """Delete every row of a project. Blocks until the files are gone, at most `wait_s`."""
    where = "project_id = {project:UInt64}"
    params: Params = {"project": project_id}
    rows = {table: _delete(engine, table, cluster, where, params) for table in DATA_TABLES}
    return Deleted(rows, _forget(engine, rows, wait_s))


def delete_person(
    engine: Engine,
    project_ids: Sequence[ProjectId],
    kind: PersonKind,
    value: str,
    *,
    cluster: str = "",
    wait_s: float = 60,
) -> Deleted:
    """Delete every row of one person in some projects. Blocks like `delete_project`.

    Raises UserError for an unknown kind or an empty value.
    """
    if kind not in ("id", "email", "ip", "username"):
        raise UserError(f"kind must be id, email, ip or username, got {kind!r}.", field="kind")

    if not value:
        raise UserError("value must not be empty: that is everybody unnamed.", field="value")

    mine = f"project_id IN {{projects:Array(UInt64)}} AND (user_{kind} = {{value:String}}"
    mine += " OR user = {tagged:String})"
    params: Params = {
        "projects": list(project_ids),
        "value": value,
        "tagged": f"{kind}:{value}",
    }
    rows: dict[str, int] = {}
    for table, column, referred, source in _REFERRING:
        found = f"SELECT {referred} FROM {source} WHERE {mine} AND {referred} != '{_NOBODY}'"  # noqa: S608
        where = f"project_id IN {{projects:Array(UInt64)}} AND {column} IN ({found})"
        rows[table] = _delete(engine, table, cluster, where, params)
    for table in _PEOPLE:
        rows[table] = _delete(engine, table, cluster, mine, params)
    return Deleted(rows, _forget(engine, rows, wait_s))


def _delete(engine: Engine, table: str, cluster: str, where: str, params: Params) -> int:
    count = engine.execute(f"SELECT count() FROM {table} WHERE {where}", params)  # noqa: S608
    rows: int = count.scalar()
    if rows:
        place = f"{table}{LOCAL} ON CLUSTER {cluster}" if cluster else table
        engine.execute(f"ALTER TABLE {place} DELETE WHERE {where}", params)
    return rows


def _forget(engine: Engine, rows: dict[str, int], wait_s: float) -> bool:
    """Let the files of rewritten parts go now; tell whether they are gone."""
    tables = [table for table, count in rows.items() if count]
    if not tables or not engine.is_embedded:
        return not tables

    os.sync()
    for table in tables:
        engine.execute(f"ALTER TABLE {table} MODIFY SETTING {_KEPT_FOR} = 0")
    try:
        return _wait_until_gone(engine, tables, wait_s)
    finally:
        for table in tables:
            engine.execute(f"ALTER TABLE {table} MODIFY SETTING {_KEPT_FOR} = {SHARED[_KEPT_FOR]}")


def _wait_until_gone(engine: Engine, tables: list[str], wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    left = (
        "SELECT path FROM system.parts WHERE NOT active AND table IN {tables:Array(String)}"
        " AND database = currentDatabase()"
    )
    seen: set[Path] = set()
    while True:
        paths = engine.execute(left, {"tables": tables}).column("path")
        seen.update(Path(path) for path in paths)
        if not paths and not any(map(_is_there, seen)):
            return True

        if time.monotonic() > until:
            return False

        time.sleep(_POLL_S)


def _is_there(part: Path) -> bool:
    """Look for the files of a part: the engine forgets and renames it before it deletes them."""
    return part.exists() or part.with_name(f"delete_tmp_{part.name}").exists()
