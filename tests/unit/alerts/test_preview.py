"""What a rule would have done: of a rule per group, each group for itself, up to the cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from groundswell.alerts.charts import chart_of, preview_chart, span_of_incident
from groundswell.alerts.preview import episodes, preview
from groundswell.alerts.rules import Window, limits_of
from groundswell.alerts.scopes import scope_of
from groundswell.model.alerts import Detection, Rule
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
from tests.alerting import Watch, open_watch
from tests.unit.alerts.builders import rule


@pytest.fixture
def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    return open_watch(engine, sqlite_metadata)


async def test_a_rule_per_group_is_previewed_per_group(watch: Watch) -> None:
    watch.events(60, 30, transaction="/a")
    watch.events(70, 30, transaction="/b")
    watch.events(180, 40, transaction="/b")
    watch.events(300, 5, transaction="/c")
    made = _mine(watch, rule(20, group_by="transaction", window_min=60))
    found = await preview(
        watch.statistics, made, watch.run(scope_of, watch.org_id), watch.at(600), days=1
    )
    begun = [(one.group, one.start, one.peak) for one in found.episodes]
    hour = 3600
    start = int(watch.start.timestamp())
    assert begun == [
        ("/a", start + hour, 30), ("/b", start + hour, 30), ("/b", start + 3 * hour, 40)
    ]  # fmt: skip
    assert list(found.windows) == ["/b", "/a", "/c"]
    chart = preview_chart(made, found)
    assert [line.name for line in chart.lines] == ["/b", "/a", "/c"]
    assert "of 3 groups, 14 days · would have fired 3 times" in chart.subtitle


async def test_groups_have_the_names_that_a_search_finds(watch: Watch) -> None:
    watch.events(0, 30, step_s=0.1)
    made = watch.rule(rule(20, group_by="project"))
    await watch.evaluator.evaluate(watch.at(3))
    (incident,) = watch.incidents()
    assert (incident.group, incident.title) == ("web", "High errors · web")
    span = span_of_incident(made, incident, watch.at(3))
    scope = watch.run(scope_of, watch.org_id)
    chart = await chart_of(watch.statistics, made, scope, span, [incident], group="web")
    assert max(value or 0 for value in chart.lines[0].values) == 30


def test_no_more_groups_are_open_at_once_than_allowed() -> None:
    made = rule(10, group_by="transaction", group_limit=1)
    values = {"/a": [50, 50, 0, 0], "/b": [90, 0, 0, 90], "/c": [20, 20, 20, 20]}
    windows = {
        group: [Window(n * 300, float(value), limits_of(made)) for n, value in enumerate(some, 1)]
        for group, some in values.items()
    }
    assert [(one.group, one.start, one.end) for one in episodes(made, windows)] == [
        ("/b", 0, 600), ("/a", 300, 900), ("/c", 600, None)
    ]  # fmt: skip


async def test_every_group_has_habits_of_its_own(watch: Watch) -> None:
    """What is usual for a busy page is a disaster for a quiet one."""
    # A Wednesday: workdays are compared with workdays.
    watch.start -= timedelta(days=(watch.start.weekday() - 2) % 7)
    for day in range(11):
        watch.events((day - 10) * 1440, 300, transaction="/busy", step_s=10)
        if day < 10:
            watch.events((day - 10) * 1440, 10, transaction="/quiet", step_s=300)
    watch.events(0, 200, transaction="/quiet", step_s=15)
    watch.rule(rule(0, group_by="transaction", window_min=60, detection=Detection.DYNAMIC))
    watch.now = watch.at(58)
    await watch.until(63)
    assert [one.group for one in watch.incidents()] == ["/quiet"]


def _mine(watch: Watch, made: Rule) -> Rule:
    return replace(made, org_id=watch.org_id, projects=(watch.project,))
