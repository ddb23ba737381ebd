"""A number over all rows of a question, beside the numbers of its groups."""

from __future__ import annotations

from groundswell.query.expression import Expression, Whole, call
from groundswell.query.frame import Frame


def total_of(frame: Frame, value: Expression, *, filtered: bool) -> Expression:
    """Sum a value over every row of the range; with the filters of the question or without."""
    return Whole(call("sum", value), filtered)
