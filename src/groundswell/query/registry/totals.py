"""A number over all rows of a question, beside the numbers of its groups."""

from __future__ import annotations

from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import Field
from groundswell.query.sql.expression import Expression, Whole, call


def total_of(value: Expression, *, filtered: bool) -> Expression:
    """Sum a value over every row of the range; with the filters of the question or without."""
    return Whole(call("sum", value), filtered)


def total_field(field: Field, aggregates: Aggregates) -> Expression:
    """`total.count` and `total.transaction_duration`: over all groups of the question."""
    if field.name == "total.count":
        return Whole(aggregates.count(), True)

    return Whole(call("sum", aggregates.value_of("transaction.duration")), True)
