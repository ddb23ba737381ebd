"""What is offered can be asked: every offered call is one that the compiler understands."""

from __future__ import annotations

import pytest

from groundswell.http.web.suggestions import calls, suggestions
from groundswell.query.registry.datasets import DATASETS, functions_of
from groundswell.query.registry.fields import find
from groundswell.query.registry.functions import resolve
from groundswell.query.search.calls import parse_call


@pytest.mark.parametrize("dataset", ["discover", "spans", "profileFunctions"])
def test_every_offered_call_is_understood(dataset):
    registry = functions_of(DATASETS[dataset])
    column = "span.duration" if dataset == "spans" else "transaction.duration"
    offered = calls(dataset, drawn=False)
    assert offered[0] == "count()"
    for call in offered:
        resolve(parse_call(call), registry, find, column)


def test_only_numbers_are_drawn():
    assert "last_seen()" in calls(drawn=False)
    assert not {"last_seen()", "any(user)"} & set(calls())


def test_search_bar_offers_fields_and_functions_of_the_dataset():
    names = [row["name"] for row in suggestions("spans")]
    assert {"span.op", "cache_hit_rate()"} <= set(names)
    assert "apdex()" not in names
    assert all(row["about"] for row in suggestions("spans"))
