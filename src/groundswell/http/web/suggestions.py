"""What the search bar and the pickers offer: the registries of the query language."""

from __future__ import annotations

import functools

from groundswell.query.fields import FIELDS

COMMON_FUNCTIONS = (
    "count()",
    "count_unique(user)",
    "failure_rate()",
    "epm()",
    "p50(transaction.duration)",
    "p75(transaction.duration)",
    "p95(transaction.duration)",
    "p99(transaction.duration)",
    "avg(transaction.duration)",
    "max(transaction.duration)",
    "apdex(300)",
    "count_unique(issue)",
    "last_seen()",
)


@functools.cache
def suggestions() -> list[dict[str, str]]:
    """List the fields that a search may name, with a sentence on each."""
    return [
        {"name": name, "about": field.doc}
        for name, field in sorted(FIELDS.items())
        if field.selectable
    ]


@functools.cache
def columns() -> tuple[str, ...]:
    """List what a column of the table may be."""
    return (*(row["name"] for row in suggestions()), *COMMON_FUNCTIONS)
