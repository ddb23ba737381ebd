"""Which events a widget or a saved question of mixed times is about: errors or transactions.

A question that was made when both were one dataset is asked of each; what has data decides. The
decision is for the caller to keep.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from groundswell.model.series import SeriesAnswer, TableAnswer
from groundswell.stats.parameters import Params, first

T = TypeVar("T", SeriesAnswer, TableAnswer)

METRICS = frozenset({"metrics", "metricsEnhanced"})
NOT_TRANSACTIONS = "!event.type:transaction"
ONLY_TRANSACTIONS = "event.type:transaction"
_ABOUT_ERRORS = re.compile(r"(?<![\w.])(?:error\.\w+|stack\.\w+|level|location)(?![\w.])")
_ABOUT_TRANSACTIONS = re.compile(
    r"(?<![\w.])(?:transaction\.(?:duration|op|status)|measurements\.\w+|spans\.\w+)(?!\w)"
)


class Split(StrEnum):
    """What a question is about."""

    ERRORS = "error-events"
    TRANSACTIONS = "transaction-like"
    DISCOVER = "discover"


class Source(StrEnum):
    """How that was found out: from the data or words, or because something had to be chosen."""

    INFERRED = "inferred"
    FORCED = "forced"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """An answer, what it is about (None: nothing was decided), how, and in words why."""

    answer: T
    split: Split | None
    source: Source
    reason: str

    def explain(self, meta: dict[str, Any], asked: str) -> None:
        """Put the decision into a `meta`. asked: the dataset as the client named it."""
        meta["dataset"] = asked
        if self.split in {Split.ERRORS, Split.TRANSACTIONS}:
            meta["discoverSplitDecision"] = self.split.value
        meta["discoverSplitSource"] = self.source.value
        meta["discoverSplitReason"] = self.reason


Ask = Callable[[Params], Awaitable[T]]


def is_split_asked(params: Params) -> bool:
    """Tell whether a request is one of a widget that may have to be decided."""
    return (first(params, "dataset") or "") in METRICS and bool(first(params, "dashboardWidgetId"))


def narrowed(params: Params, condition: str) -> dict[str, Sequence[str]]:
    """Ask all events for the same, with one more condition."""
    search = (first(params, "query") or "").strip()
    query = f"({search}) AND {condition}" if search else condition
    return {**params, "dataset": ["discover"], "query": [query]}


def with_dataset(params: Params, dataset: str) -> dict[str, Sequence[str]]:
    """Ask another dataset for the same."""
    return {**params, "dataset": [dataset]}


async def follow(ask: Ask[T], params: Params, saved: str, variants: Variants) -> Decision[T]:
    """Answer by a decision that was made before."""
    reason = f"decided before: {saved}"
    if saved == Split.ERRORS:
        return Decision(await ask(variants.errors), Split.ERRORS, Source.SAVED, reason)

    if saved == Split.TRANSACTIONS:
        return Decision(await ask(params), Split.TRANSACTIONS, Source.SAVED, reason)

    every = with_dataset(params, "discover")
    return Decision(await ask(every), Split.DISCOVER, Source.SAVED, reason)


@dataclass(frozen=True, slots=True)
class Variants:
    """The same request, of errors alone and of transactions alone."""

    errors: Params
    transactions: Params


def series_variants(params: Params) -> Variants:
    """Series: the words of the search tell errors and transactions apart."""
    return Variants(narrowed(params, NOT_TRANSACTIONS), narrowed(params, ONLY_TRANSACTIONS))


def table_variants(params: Params) -> Variants:
    """Tables: the datasets do."""
    return Variants(with_dataset(params, "errors"), with_dataset(params, "transactions"))


async def decide(
    ask: Ask[T], params: Params, variants: Variants, *, has_selector: bool
) -> Decision[T]:
    """Ask both and decide. has_selector: errors and transactions are datasets of their own here,
    so a question has to be about one of them."""
    errors = await ask(variants.errors)
    asked = await ask(params)
    has_errors, has_transactions = has_data(errors), has_data(asked)
    if has_errors and has_transactions:
        has_transactions = has_data(await ask(variants.transactions))
    if has_errors and not has_transactions:
        return Decision(errors, Split.ERRORS, Source.INFERRED, "only errors have data")

    if has_transactions and not has_errors:
        return Decision(asked, Split.TRANSACTIONS, Source.INFERRED, "only transactions have data")

    found = "errors and transactions both have data" if has_errors else "nothing has data"
    if has_selector:
        return Decision(errors, Split.ERRORS, Source.FORCED, f"{found}; errors were chosen")

    if has_errors:
        every = await ask(with_dataset(params, "discover"))
        return Decision(every, Split.DISCOVER, Source.INFERRED, found)

    return Decision(asked, None, Source.INFERRED, found)


def infer(search: str, columns: Iterable[str]) -> Split | None:
    """Tell from words what only one of them can have: the search before the columns, errors
    before transactions."""
    for text in (search, " ".join(columns)):
        if _ABOUT_ERRORS.search(text):
            return Split.ERRORS

        if _ABOUT_TRANSACTIONS.search(text):
            return Split.TRANSACTIONS
    return None


def has_data(answer: SeriesAnswer | TableAnswer) -> bool:
    """Tell whether any number but a time is not zero."""
    if isinstance(answer, SeriesAnswer):
        return any(value for series in answer.series for value in series.values)

    return any(_has_number(row) for row in answer.rows)


def _has_number(row: Mapping[str, Any]) -> bool:
    numbers = [value for value in row.values() if isinstance(value, (int, float))]
    # A row of events without numbers is data by being there.
    return any(numbers) if numbers else True
