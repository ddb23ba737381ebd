"""The cluster form of the same migrations: replicated local tables under Distributed ones.

Rows are spread by trace, so that joins and distinct counts by trace stay on one shard. A batch's
token works per shard, because the same batch is always cut the same way.
"""

from __future__ import annotations

import re

from groundswell.store.schema.statements import SHARED, with_shared_properties

LOCAL = "_local"
# Tables without a trace: rows that belong together share these instead.
_SHARDING = {
    "profiles": "profile_id",
    "functions": "profile_id",
    "outcomes": "project_id",
    "schema_migrations": "number",
}
_TRACE = "trace_id"
_CREATE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")
_ALTER = re.compile(r"ALTER TABLE (\w+)")
_ENGINE = re.compile(r"ENGINE = (\w*)MergeTree(?:\(([^)]*)\))?")
_WINDOW = "non_replicated_deduplication_window"


def for_cluster(statement: str, cluster: str) -> list[str]:
    """Give what one statement of a migration file becomes on a cluster, in order.

    statement: as `split` gives it, without the shared properties.
    """
    created = _CREATE.match(statement)
    if created:
        return [
            _local_table(statement, created.group(1), cluster),
            _over(created.group(1), cluster),
        ]

    altered = _ALTER.match(statement)
    if altered:
        name = altered.group(1)
        local = f"ALTER TABLE {name}{LOCAL} ON CLUSTER {cluster}"
        return [statement.replace(altered.group(), local, 1)]

    return [statement]


def _local_table(statement: str, name: str, cluster: str) -> str:
    head = f"CREATE TABLE IF NOT EXISTS {name}{LOCAL} ON CLUSTER {cluster}"
    local = _CREATE.sub(head, statement, count=1)
    with_window = with_shared_properties(_ENGINE.sub(_replicated, local, count=1))
    window = f"{_WINDOW} = {SHARED[_WINDOW]}"
    return with_window.replace(window, window.replace("non_replicated_", "replicated_"))


def _replicated(engine: re.Match[str]) -> str:
    kind, arguments = engine.groups()
    place = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
    inner = f"{place}, {arguments}" if arguments else place
    return f"ENGINE = Replicated{kind}MergeTree({inner})"


def _over(name: str, cluster: str) -> str:
    key = _SHARDING.get(name, _TRACE)
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ON CLUSTER {cluster} AS {name}{LOCAL}\n"
        f"ENGINE = Distributed({cluster}, currentDatabase(), {name}{LOCAL}, cityHash64({key}))"
    )
