"""The settings of ClickHouse that readers, the writer and the embedded server run with."""

from __future__ import annotations

import os
from pathlib import Path

from groundswell.config import Settings
from groundswell.store.engine.failures import RESULT_ROWS
from groundswell.store.engine.readers import Limits

MARK_CACHE_BYTES = 256 * 1024 * 1024
INSERT_TIMEOUT_S = 600


def limits_of(settings: Settings) -> Limits:
    """Read what one question may use from the settings."""
    return Limits(
        timeout_s=float(settings.integer("QUERY_TIMEOUT_S")),
        memory_mb=settings.integer("QUERY_MEMORY_MB"),
        threads=os.cpu_count() or 1,
    )


def reader_settings(limits: Limits) -> dict[str, str | int]:
    """List the settings of a reading client. `readonly` is last: after it nothing may change."""
    memory_bytes = limits.memory_mb * 1_000_000
    return {
        **_common(),
        "max_execution_time": int(limits.timeout_s),
        "timeout_overflow_mode": "throw",
        "max_memory_usage": memory_bytes,
        "max_bytes_before_external_group_by": memory_bytes // 3,
        "max_bytes_before_external_sort": memory_bytes // 3,
        "max_threads": limits.threads,
        "max_result_rows": RESULT_ROWS,
        "result_overflow_mode": "throw",
        # A subquery over a cluster is answered once, not once per shard.
        "distributed_product_mode": "global",
        "readonly": 1,
    }


def writer_settings() -> dict[str, str | int]:
    """List the settings of the writing client."""
    return {
        **_common(),
        "async_insert": 0,
        # A cluster must have the rows when the insert returns.
        "distributed_foreground_insert": 1,
        "max_execution_time": INSERT_TIMEOUT_S,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "mutations_sync": 2,
    }


def _common() -> dict[str, str | int]:
    return {"session_timezone": "UTC", "date_time_input_format": "best_effort"}


def write_config(path: Path, memory_mb: int) -> None:
    """Write the embedded server's configuration file.

    Backups may go anywhere that this process may write; readers cannot make any.
    """
    path.write_text(
        "<clickhouse>\n"
        f"  <max_server_memory_usage>{memory_mb * 1_000_000}</max_server_memory_usage>\n"
        f"  <mark_cache_size>{MARK_CACHE_BYTES}</mark_cache_size>\n"
        "  <timezone>UTC</timezone>\n"
        "  <backups><allowed_path>/</allowed_path></backups>\n"
        "</clickhouse>\n"
    )
