"""The whole metadata database as one JSON line per row, and back: the same on both databases."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, insert, select, text
from sqlalchemy.types import JSON

from groundswell.errors import UserError

_REVISIONS = "alembic_version"
_BATCH = 500


def dump_metadata(connection: Connection, folder: Path) -> dict[str, int]:
    """Write every table to `folder/<table>.jsonl`; give the number of rows by table.

    All of it is of one moment, whatever others write meanwhile.
    """
    _freeze(connection)
    folder.mkdir(parents=True)
    counts: dict[str, int] = {}
    for table in _reflect(connection).sorted_tables:
        with (folder / f"{table.name}.jsonl").open("w") as file:
            counts[table.name] = 0
            for row in connection.execute(select(table)).mappings():
                record = {name: _plain(value) for name, value in row.items()}
                file.write(json.dumps(record) + "\n")
                counts[table.name] += 1
    return counts


def restore_metadata(connection: Connection, folder: Path) -> dict[str, int]:
    """Fill a migrated database that has no organization yet; give the number of rows by table.

    Raises UserError when it is in use.
    """
    tables = _reflect(connection).sorted_tables
    _refuse_used(connection, tables)
    for table in reversed(tables):
        if table.name != _REVISIONS:
            connection.execute(table.delete())
    counts = {
        table.name: _load(connection, table, folder / f"{table.name}.jsonl")
        for table in tables
        if table.name != _REVISIONS
    }
    if connection.dialect.name == "postgresql":
        for table in tables:
            _advance_sequence(connection, table)
    return counts


def _freeze(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    else:
        connection.exec_driver_sql("BEGIN")


def _reflect(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    return found


def _refuse_used(connection: Connection, tables: list[Table]) -> None:
    for table in tables:
        if table.name == "organizations":
            used = connection.execute(select(func.count()).select_from(table)).scalar_one()
            if used:
                raise UserError(
                    f"The metadata database holds {used} organizations already: restore into an "
                    "empty data directory, or an empty database."
                )


def _load(connection: Connection, table: Table, path: Path) -> int:
    if not path.exists():
        return 0

    count = 0
    rows: list[dict[str, Any]] = []
    with path.open() as file:
        for line in file:
            rows.append(_typed(table, json.loads(line)))
            count += 1
            if len(rows) == _BATCH:
                connection.execute(insert(table), rows)
                rows = []
    if rows:
        connection.execute(insert(table), rows)
    return count


def _typed(table: Table, record: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(table, name, value) for name, value in record.items() if name in table.c}


def _value(table: Table, name: str, value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"$bytes"}:
        return base64.b64decode(value["$bytes"])

    if isinstance(value, dict) and set(value) == {"$json"}:
        return value["$json"]

    if isinstance(value, dict) and set(value) == {"$time"}:
        moment = datetime.fromisoformat(value["$time"])
        is_aware = getattr(table.c[name].type, "timezone", False)
        return moment if is_aware else moment.astimezone(UTC).replace(tzinfo=None)

    if isinstance(value, dict) and set(value) == {"$date"}:
        return date.fromisoformat(value["$date"])

    # Reflected JSON columns of PostgreSQL take values, SQLite's too: both decode them by type.
    assert not (isinstance(value, dict) and not isinstance(table.c[name].type, JSON)), name
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return {"$time": aware.astimezone(UTC).isoformat()}

    if isinstance(value, date):
        return {"$date": value.isoformat()}

    if isinstance(value, bytes | memoryview):
        return {"$bytes": base64.b64encode(value).decode()}

    if isinstance(value, dict | list):
        return {"$json": value}

    return value


def _advance_sequence(connection: Connection, table: Table) -> None:
    """Let PostgreSQL's next id come after the restored ones."""
    for column in table.primary_key:
        name = connection.execute(
            select(func.pg_get_serial_sequence(table.name, column.name))
        ).scalar()
        if name:
            highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(name, highest, False)))
