"""Equality with tags, asked of the index on `key=value` instead of the map.

Only where a SELECT reads nothing else of the map: a map that is read whole beside it costs more
than the index saves.
"""

from __future__ import annotations

import msgspec

from groundswell.query.sql.expression import (
    Call,
    Column,
    Each,
    Expression,
    Pairs,
    Scalar,
    Value,
    Whole,
    call,
    negate,
    strings,
)
from groundswell.query.sql.select import Derived, Merge, Scan, Select, Source, Union

# The tables with the index `ix_tag_pairs`.
_INDEXED = frozenset({"errors", "transactions"})


def with_pairs(plan: Select) -> Select:
    """Use the index in every SELECT that gains by it."""
    match plan.source:
        case Scan() as scan:
            return _over(scan, plan)
        case Merge(scans):
            source: Source = Merge(tuple(_branch(scan) for scan in scans))
        case Derived(select):
            source = Derived(with_pairs(select))
        case Union(selects):
            source = Union(tuple(with_pairs(select) for select in selects))
    return msgspec.structs.replace(plan, source=source)


def _over(scan: Scan, plan: Select) -> Select:
    """Rewrite a SELECT that stands on a stored table."""
    use = _Use()
    rewritten = msgspec.structs.replace(
        plan,
        source=msgspec.structs.replace(scan, where=use.rewrite(scan.where)),
        columns=tuple((name, use.rewrite(part)) for name, part in plan.columns),
        where=use.rewrite(plan.where),
        group_by=tuple(use.rewrite(part) for part in plan.group_by),
        having=use.rewrite(plan.having),
        order=tuple((use.rewrite(part), descending) for part, descending in plan.order),
    )
    return rewritten if scan.table in _INDEXED and use.gains else plan


def _branch(scan: Scan) -> Scan:
    use = _Use()
    rewritten = msgspec.structs.replace(
        scan,
        where=use.rewrite(scan.where),
        columns=tuple((name, use.rewrite(part)) for name, part in scan.columns),
    )
    return rewritten if scan.table in _INDEXED and use.gains else scan


class _Use:
    """Rewrites the parts of one SELECT, and notes whether that is all that reads its tags."""

    def __init__(self) -> None:
        self._compares = False
        self._reads = False

    @property
    def gains(self) -> bool:
        return self._compares and not self._reads

    def rewrite(self, node: Expression) -> Expression:
        match node:
            case Call(name, (Call("item", (Column("tags"), Value(key))), Value(value))):
                compared = _compared(name, str(key), value)
                self._compares |= compared is not None
                self._reads |= compared is None
                return compared or node
            case Call(name, args, parameters):
                return Call(name, tuple(map(self.rewrite, args)), parameters)
            case Each(body):
                return Each(self.rewrite(body))
            case Column("tags") | Whole() | Scalar():
                self._reads = True
                return node
            case _:
                return node


def _compared(name: str, key: str, value: object) -> Expression | None:
    """The comparison by pairs; None where an absent tag would be equal, which has no pair."""
    values = value if isinstance(value, tuple) else (value,)
    if not all(values) or name not in {"equals", "notEquals", "in", "notIn"}:
        return None

    wanted = tuple(f"{key}={each}" for each in values)
    found = (
        call("hasAny", Pairs("tags"), strings(wanted))
        if isinstance(value, tuple)
        else call("has", Pairs("tags"), Value(wanted[0]))
    )
    return found if name in {"equals", "in"} else negate(found)
