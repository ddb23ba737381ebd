"""Names of datasets as clients send them → the rows they are about, and their functions."""

from __future__ import annotations

from collections.abc import Mapping

from groundswell.query.question import Dataset
from groundswell.query.registry.events import EVENTS
from groundswell.query.registry.functions import Function
from groundswell.query.registry.profiles import PROFILES
from groundswell.query.registry.spans import SPANS

DATASETS: Mapping[str, Dataset] = {
    "discover": Dataset.DISCOVER,
    "errors": Dataset.ERRORS,
    "transactions": Dataset.TRANSACTIONS,
    "metrics": Dataset.TRANSACTIONS,
    "metricsEnhanced": Dataset.TRANSACTIONS,
    "spans": Dataset.SPANS,
    "spansIndexed": Dataset.SPANS,
    "spansMetrics": Dataset.SPANS,
    "profileFunctions": Dataset.FUNCTIONS,
}


def functions_of(dataset: Dataset) -> Mapping[str, Function]:
    """List the functions of a dataset."""
    match dataset:
        case Dataset.SPANS:
            return SPANS
        case Dataset.FUNCTIONS:
            return PROFILES
        case _:
            return EVENTS
