"""A statement as data: what the passes work on and the printer writes."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from groundswell.query.sql.expression import TRUE, Expression


class Scan(msgspec.Struct, frozen=True):
    """One read of a stored table. `guard` is set by the guard pass alone; a scan without one is
    never printed. columns: (name, expression) that the scan offers when it is a part of a merged
    table; empty when the query stands on the table itself."""

    table: str
    where: Expression = TRUE
    guard: Expression | None = None
    columns: tuple[tuple[str, Expression], ...] = ()


class Merge(msgspec.Struct, frozen=True):
    """Several scans with the same columns, one below the other."""

    scans: tuple[Scan, ...]


class Derived(msgspec.Struct, frozen=True):
    """A query as the table of another."""

    select: Select


class Union(msgspec.Struct, frozen=True):
    """Several queries with the same columns, one below the other, as the table of another."""

    selects: tuple[Select, ...]


Source: TypeAlias = "Scan | Merge | Derived | Union"


class Select(msgspec.Struct, frozen=True):
    """One SELECT. columns: (result name, expression). order: (expression, descending)."""

    source: Scan | Merge | Derived | Union
    columns: tuple[tuple[str, Expression], ...]
    where: Expression = TRUE
    group_by: tuple[Expression, ...] = ()
    having: Expression = TRUE
    order: tuple[tuple[Expression, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
