"""Names of datasets as clients send them → the rows that answer, and a filter where one is needed.

Everything is answered from events: the names of aggregated stores (`metrics`, `metricsEnhanced`,
`spansMetrics`) are other names of transactions and spans.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from groundswell.errors import UserError
from groundswell.query.question import Dataset
from groundswell.query.registry.datasets import DATASETS

DEFAULT = "discover"
# The aggregated store of spans knew self times first.
_DEFAULT_COLUMN = {"spansMetrics": "span.self_time"}


@dataclass(frozen=True, slots=True)
class Source:
    """One dataset name: `label` as asked, `dataset` that answers, `filter` that narrows it.

    span_column: what functions of spans take where no column is given.
    """

    label: str
    dataset: Dataset
    filter: str = ""
    top_events: bool = True
    span_column: str = "span.duration"

    def narrowed(self, search: str) -> str:
        """Put the filter of the dataset before a search."""
        if not self.filter:
            return search

        return f"{self.filter} ({search})" if search.strip() else self.filter


SOURCES: dict[str, Source] = {
    source.label: source
    for source in (
        *(
            Source(label, dataset, span_column=_DEFAULT_COLUMN.get(label, "span.duration"))
            for label, dataset in DATASETS.items()
        ),
        Source("profiles", Dataset.TRANSACTIONS, "has:profile.id", top_events=False),
        Source("issuePlatform", Dataset.ERRORS, "event.type:generic", top_events=False),
    )
}
# What only an error has; a `metricsEnhanced` question about it falls back to all events.
_ABOUT_ERRORS = re.compile(
    r"(?<![\w.\[])(?:error\.\w|stack\.\w|issue(?:\.id)?\b|event\.type:(?!transaction))"
)


def source_of(name: str | None, search: str, columns: tuple[str, ...]) -> Source:
    """Choose what answers a question.

    Raises UserError that lists the names when `name` is none of them.
    """
    label = name or DEFAULT
    source = SOURCES.get(label)
    if source is None:
        raise UserError(
            f"dataset must be one of {', '.join(SOURCES)}; got {label!r}",
            code="unknown_dataset",
            field="dataset",
        )

    if label == "metricsEnhanced" and any(
        _ABOUT_ERRORS.search(text) for text in (search, *columns)
    ):
        return Source(label, Dataset.DISCOVER)

    return source


def fallback_reason(source: Source) -> str:
    """Say why a dataset of metrics was answered from all events; "unchanged" where it was not."""
    if source.label == "metricsEnhanced" and source.dataset is Dataset.DISCOVER:
        return "The question is about errors, so all events were asked instead of transactions."

    return "unchanged"
