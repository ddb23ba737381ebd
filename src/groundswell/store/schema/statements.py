"""Migration files → statements, split at ";", with the properties that every table shares."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Without the two fsyncs and the two settings about merges, a power cut loses acknowledged rows and
# even old ones; the window makes a repeated token count once; parts are dropped whole by TTL.
SHARED: dict[str, str] = {
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
    "min_compressed_bytes_to_fsync_after_merge": "1",
    "old_parts_lifetime": "480",
    # How often old parts are looked for: what was deleted on request must really go.
    "cleanup_delay_period": "5",
    "max_cleanup_delay_period": "5",
    "non_replicated_deduplication_window": "1000",
    "ttl_only_drop_parts": "1",
    # One key of a map is read at half the cost when the map lies in buckets.
    "map_serialization_version": "'with_buckets'",
    "map_buckets_min_avg_size": "0",
    # A projection must neither double-count a repeated token nor outlive a deleted row.
    "deduplicate_merge_projection_mode": "'rebuild'",
    "lightweight_mutation_projection_mode": "'rebuild'",
}
_TOKENS = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|--[^\n]*\n?|;|[^'`;-]+|-", re.DOTALL)
_MERGE_TREE = re.compile(r"\bENGINE\s*=\s*(\w*MergeTree)\b", re.IGNORECASE)
_SETTINGS = re.compile(r"\bSETTINGS\b", re.IGNORECASE)


def split(text: str) -> Iterator[str]:
    """Give the statements of a file without comments."""
    statement: list[str] = []
    for piece in _TOKENS.findall(text):
        if piece == ";":
            yield "".join(statement).strip()
            statement = []
        elif not piece.startswith("--"):
            statement.append(piece)
    rest = "".join(statement).strip()
    if rest:
        yield rest


def with_shared_properties(statement: str) -> str:
    """Add the shared table settings to a CREATE TABLE of a MergeTree; leave the rest alone."""
    if not _MERGE_TREE.search(statement) or not statement.upper().startswith("CREATE"):
        return statement

    settings = ", ".join(f"{name} = {value}" for name, value in SHARED.items())
    separator = ", " if _SETTINGS.search(statement) else "\nSETTINGS "
    return f"{statement}{separator}{settings}"
