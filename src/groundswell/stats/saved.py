"""Saved questions: whether one can be asked as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.question import Dataset, Question
from groundswell.timeframe import TimeRange, parse_period, parse_range

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics

MOST_TOP_EVENTS = 10
DATASETS: Mapping[str | None, Dataset] = {
    None: Dataset.DISCOVER,
    "discover": Dataset.DISCOVER,
    "error-events": Dataset.ERRORS,
    "transaction-like": Dataset.TRANSACTIONS,
}


@dataclass(frozen=True, slots=True)
class Saved:
    """What is judged of a saved question; empty where it was not given."""

    fields: Sequence[str]
    query: str
    axes: Sequence[str]
    top_events: str
    interval: str
    range: str
    start: str
    end: str
    dataset: Dataset


async def judge_saved(
    statistics: Statistics, scope: Scope, saved: Saved, now: datetime
) -> dict[str, list[str]]:
    """List what is wrong, by the name of the field."""
    wrong = _judge_words(statistics, saved, now)
    place = "fields"
    try:
        await _compile(statistics, scope, saved, saved.fields, now)
        place = "query"
        await _compile(statistics, scope, saved, saved.fields, now, saved.query)
        place = "yAxis"
        if saved.axes:
            await _compile(statistics, scope, saved, saved.axes, now)
    except UserError as error:
        wrong[place] = [error.message]
    return wrong


def _judge_words(statistics: Statistics, saved: Saved, now: datetime) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    top = saved.top_events
    if top and not (top.isascii() and top.isdigit() and 1 <= int(top) <= MOST_TOP_EVENTS):
        text = f"topEvents must be a number between 1 and {MOST_TOP_EVENTS}, got {top!r}"
        wrong["topEvents"] = [text]
    if saved.interval and not parse_period(saved.interval):
        wrong["interval"] = [f"interval must be a width such as 5m, got {saved.interval!r}"]
    if saved.range and not parse_period(saved.range):
        wrong["range"] = [f"range must be a period such as 14d, got {saved.range!r}"]
    ends = {name: [text] for name, text in (("start", saved.start), ("end", saved.end)) if text}
    if ends and not saved.range:
        try:
            # Of an old question nothing is left, which is no reason not to keep it.
            parse_range(ends, now=now, retention=timedelta(days=36_500))
        except UserError as error:
            wrong["start"] = [error.message]
    return wrong


async def _compile(
    statistics: Statistics, scope: Scope, saved: Saved, select: Sequence[str], now: datetime,
    search: str = "",
) -> None:  # fmt: skip
    question = Question(
        dataset=saved.dataset,
        window=TimeRange(now - timedelta(days=1), now),
        projects=tuple(project.id for project in scope.projects) or (ProjectId(0),),
        select=tuple(select),
        search=search,
        limit=1,
        now=now,
    )
    await statistics.compile(question, scope)
