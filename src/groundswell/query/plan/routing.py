"""Which tables a question about errors and transactions needs."""

from __future__ import annotations

from collections.abc import Iterable

from groundswell.query.registry.fields import ERRORS, TRANSACTIONS, Field
from groundswell.query.search.tree import And, Filter, Has, Node, Or

BOTH = (ERRORS, TRANSACTIONS)
_TYPE = "event.type"


def tables(node: Node | None, fields: Iterable[Field], about: Iterable[str]) -> tuple[str, ...]:
    """Choose: what the search says of event.type, then what the columns say."""
    said = _said(node)
    if said is not None:
        return (said,)

    of_errors = of_transactions = False
    for field in fields:
        of_errors |= ERRORS in field.sources and TRANSACTIONS not in field.sources
        of_transactions |= TRANSACTIONS in field.sources and ERRORS not in field.sources
    of_transactions |= TRANSACTIONS in about
    if of_errors == of_transactions:
        return BOTH

    return (ERRORS,) if of_errors else (TRANSACTIONS,)


def _said(node: Node | None) -> str | None:
    match node:
        case And(items):
            return next((said for item in items if (said := _said(item)) is not None), None)
        case Filter(key, operator, value, items, _, negated) if (
            key.name == _TYPE and key.kind == "name" and operator in {"", "=", "!="}
        ):
            values = items if items is not None else (value,)
            if any("*" in one for one in values):
                return None

            refused = negated != (operator == "!=")
            if refused:
                return ERRORS if values == ("transaction",) else None

            if values == ("transaction",):
                return TRANSACTIONS

            return None if "transaction" in values else ERRORS
        case _:
            return None


def fields_in(node: Node | None) -> list[str]:
    """List the names of the fields that a search filters by."""
    match node:
        case And(items) | Or(items):
            return [name for item in items for name in fields_in(item)]
        case Filter(key) | Has(key):
            if key.kind == "call":
                return []

            return [key.name if key.kind == "name" else key.text]
        case _:
            return []
