"""What the meaning of a word depends on: the question's surroundings, and notes for people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from groundswell.query.catalog import Catalog
from groundswell.query.question import Dataset
from groundswell.query.registry.fields import FUNCTIONS, TABLES, Field, find
from groundswell.query.registry.reader import Reader
from groundswell.timeframe import TimeRange


@dataclass(slots=True)
class Frame:
    """The surroundings of one question. `notes` is the only thing that grows, and what it takes to
    answer: `keeps_values` once there is an exact quantile."""

    dataset: Dataset
    window: TimeRange
    now: datetime
    catalog: Catalog
    span_column: str = "span.self_time"
    interval_s: int | None = None
    extrapolate: bool = False
    ungrouped: bool = False
    estimated_above: int | None = None
    keeps_values: bool = False
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def field(self, name: str) -> Field | None:
        """Find a field by name; None where the name cannot be one here."""
        unit = ""
        if name.startswith("measurements."):
            unit = self.catalog.measurement_units.get(name[13:].lower(), "")
        found = find(name, unit)
        if found is None or (self.dataset is Dataset.FUNCTIONS and FUNCTIONS not in found.sources):
            return None

        return found

    def weighted(self) -> Frame:
        """The same surroundings, with sampling weights."""
        return replace(self, extrapolate=True)

    @property
    def default_column(self) -> str:
        if self.dataset is Dataset.SPANS:
            return self.span_column

        return "function.duration" if self.dataset is Dataset.FUNCTIONS else "transaction.duration"


TABLES_OF = {
    Dataset.ERRORS: ("errors",),
    Dataset.TRANSACTIONS: ("transactions",),
    Dataset.SPANS: ("spans",),
    Dataset.FUNCTIONS: ("functions",),
    Dataset.DISCOVER: ("errors", "transactions"),
}
assert all(table in TABLES for tables in TABLES_OF.values() for table in tables)

__all__ = ["TABLES_OF", "Frame", "Reader"]
