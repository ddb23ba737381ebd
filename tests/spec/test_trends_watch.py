"""Promised behaviour of the watch: found once, seen again, recovered, told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pytest

from groundswell.config import Settings
from groundswell.model.notices import Notice
from groundswell.model.tenancy import ProjectId
from groundswell.model.trends import Status, Trend
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import trends as rows
from groundswell.trends.watch import Watch, digest_of
from groundswell.trends.watch.runner import scope_of
from tests.asking import MIDNIGHT
from tests.rows import insert, new_project

NOW = MIDNIGHT + timedelta(hours=12)
DAYS = 14
TARGETS = [["slack", "C1"], ["email", "a@x.org"]]


@dataclass
class Box:
    """Keeps what it is told."""

    notices: list[Notice] = field(default_factory=list)

    async def notify(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass(frozen=True)
class House:
    """An organization with one project whose transactions a test stores."""

    engine: Engine
    metadata: Metadata
    statistics: Statistics
    project: int
    box: Box

    def store(self, name: str, levels: Sequence[tuple[int, float]], until: datetime = NOW) -> None:
        """Store durations: (hours before `NOW` from which a level holds, milliseconds)."""
        noise = np.random.default_rng(len(name))
        made = []
        for hour in range(DAYS * 24):
            at = NOW - timedelta(hours=DAYS * 24 - hour)
            back = DAYS * 24 - hour
            level = next(ms for since, ms in reversed(levels) if back <= since)
            if at >= until or (until != NOW and at < until - timedelta(days=DAYS)):
                continue

            for i, ms in enumerate(level * np.exp(noise.normal(0, 0.15, 6))):
                stamp = at + timedelta(minutes=10 * i, seconds=1)
                times = {"timestamp": stamp, "start_timestamp": stamp}
                made.append({**times, "transaction": name, "duration": int(ms)})
        insert(self.engine, "transactions", self.project, made)

    def store_calls(self, function: str, ms: float, since: int, ratio: float) -> None:
        """Store calls of a function that take longer since so many hours."""
        noise = np.random.default_rng(len(function))
        made = []
        for back in range(DAYS * 24, 0, -1):
            level = ms * (ratio if back <= since else 1.0)
            for i, took in enumerate(level * np.exp(noise.normal(0, 0.15, 6))):
                at = NOW - timedelta(hours=back) + timedelta(minutes=10 * i, seconds=1)
                times = [int(took * 1e6)]
                group = {"name": function, "package": "app.views", "fingerprint": 7}
                made.append({**group, "timestamp": at, "self_times": times, "total_times": times})
        insert(self.engine, "functions", self.project, made)

    def store_errors(self, issue: int, hourly: int, since: int, ratio: int) -> None:
        """Store events of an issue that come more often since so many hours."""
        made = []
        for back in range(DAYS * 24, 0, -1):
            many = hourly * (ratio if back <= since else 1)
            start = NOW - timedelta(hours=back)
            made += [
                {"timestamp": start + timedelta(minutes=59 * i / many), "group_id": issue}
                for i in range(many)
            ]
        insert(self.engine, "errors", self.project, made)

    async def scan(self, now: datetime) -> list[Trend]:
        await Watch(self.metadata, self.statistics, self.box).run(now)
        since = NOW - timedelta(days=90)
        return await self.metadata.run(rows.known_trends, ProjectId(self.project), since)

    def set(self, **options: object) -> None:
        with self.metadata.begin() as connection:
            id = ProjectId(self.project)
            given = {"functions": ["p50()"], "min_events": 100, "targets": TARGETS, **options}
            tenancy.set_option(connection, id, "trend_watch", given)


@pytest.fixture
def house(engine: Engine, settings: Settings, sqlite_metadata: Metadata) -> House:
    id = new_project()
    with sqlite_metadata.begin() as connection:
        acme = tenancy.create_organization(connection, "acme", now=NOW)
        made = tenancy.create_project(connection, acme.id, "web", now=NOW)
        connection.exec_driver_sql("DELETE FROM project_keys")
        connection.exec_driver_sql(f"UPDATE projects SET id = {id} WHERE id = {made.id}")
    statistics = Statistics(engine, sqlite_metadata, settings)
    found = House(engine, sqlite_metadata, statistics, id, Box())
    found.set()
    return found


def brief(trends: Sequence[Trend]) -> list[tuple[str, str, str]]:
    return [(each.group, each.change, each.status.value) for each in trends]


async def test_a_trend_is_recorded_and_told_once(house: House) -> None:
    house.store("/slower", [(999, 100), (40, 180)])
    house.store("/same", [(999, 100)])

    first = await house.scan(NOW)
    again = await house.scan(NOW + timedelta(hours=2))

    assert brief(first) == [("/slower", "regression", "new")]
    assert first[0].at == NOW - timedelta(hours=40)
    assert first[0].ratio == pytest.approx(1.8, rel=0.05)
    assert [trend.id for trend in again] == [first[0].id]
    assert again[0].seen_at > first[0].seen_at
    (notice,) = house.box.notices
    assert (notice.kind, notice.key) == ("trend", f"trend:{first[0].id}")
    assert notice.targets == (("slack", "C1"), ("email", "a@x.org"))
    assert str(notice.body["title"]).startswith("p50() of /slower regressed by 8")
    assert "/organizations/acme/trends/details/?project=" in str(notice.body["url"])


async def test_one_change_in_several_functions_is_one_notice(house: House) -> None:
    house.set(functions=["p50()", "p95()", "avg(transaction.duration)"])
    house.store("/slower", [(999, 100), (40, 200)])

    found = await house.scan(NOW)

    assert {trend.function for trend in found} == {"p50()", "p95()", "avg(transaction.duration)"}
    (notice,) = house.box.notices
    assert len(notice.body["also"]) == 2  # type: ignore[arg-type]


async def test_a_level_that_is_back_is_recovered_and_no_new_trend(house: House) -> None:
    house.store("/passing", [(999, 100), (70, 200), (30, 100)])

    before = await house.scan(NOW - timedelta(hours=36))
    after = await house.scan(NOW)

    assert brief(before) == [("/passing", "regression", "new")]
    assert brief(after) == [("/passing", "regression", "recovered")]
    assert after[0].recovered_at is not None
    assert abs(after[0].recovered_at - (NOW - timedelta(hours=30))) <= timedelta(hours=3)
    assert len(house.box.notices) == 1


async def test_what_passed_before_anybody_looked_is_no_trend(house: House) -> None:
    house.store("/passing", [(999, 100), (70, 200), (30, 100)])

    assert await house.scan(NOW) == []


async def test_a_dismissed_trend_does_not_come_back(house: House) -> None:
    house.store("/slower", [(999, 100), (40, 180)])
    (found,) = await house.scan(NOW)
    await house.metadata.run(rows.set_status, found.id, Status.DISMISSED, None, NOW)

    assert brief(await house.scan(NOW + timedelta(hours=2))) == [
        ("/slower", "regression", "dismissed")
    ]


@pytest.mark.parametrize(
    "options",
    [{"enabled": False}, {"min_events": 100_000}, {"min_change": 0.9}],
    ids=["off", "little traffic", "small change"],
)
async def test_settings_decide_what_is_recorded(house: House, options: dict[str, object]) -> None:
    house.set(**options)
    house.store("/slower", [(999, 100), (40, 180)])

    assert await house.scan(NOW) == []


async def test_a_change_of_the_last_hours_waits(house: House) -> None:
    house.store("/slower", [(999, 100), (40, 180)])

    assert await house.scan(NOW - timedelta(hours=36)) == []
    assert len(await house.scan(NOW - timedelta(hours=30))) == 1


async def test_a_scan_comes_when_it_is_due(house: House) -> None:
    watch = Watch(house.metadata, house.statistics, house.box)
    after = (0, 30, 61)

    assert [await watch.run(NOW + timedelta(minutes=m)) for m in after] == [1, 0, 1]


async def test_a_feature_that_is_off_is_not_scanned(house: House) -> None:
    with house.metadata.begin() as connection:
        (acme,) = tenancy.list_organizations(connection)
        tenancy.set_feature(connection, acme.id, "performance-new-trends", False)

    assert await Watch(house.metadata, house.statistics, house.box).run(NOW) == 0


async def test_words_that_mean_nothing_are_noted(house: House) -> None:
    house.set(functions=["p51q()"])

    assert await house.scan(NOW) == []
    looked = await house.metadata.run(rows.looked)
    assert "p51q" in (looked[ProjectId(house.project)].last_error or "")


async def test_functions_of_profiles_and_issues_are_watched_too(house: House) -> None:
    house.store_calls("render", 40, 40, 2.0)
    house.store_calls("steady", 40, 40, 1.0)
    house.store_errors(91, 4, 30, 3)

    found = await house.scan(NOW)
    again = await house.scan(NOW + timedelta(hours=2))

    assert [(each.subject.dataset, each.function, each.change) for each in found] == [
        ("profileFunctions", "p95()", "regression"),
        ("errors", "count()", "regression"),
    ]
    assert [each.id for each in again] == [each.id for each in found]
    assert (found[0].group, found[0].ratio) == ("app.views,render", pytest.approx(2, rel=0.1))
    assert (found[1].raw, found[1].ratio) == ((91,), pytest.approx(3, rel=0.1))
    titles = sorted(str(notice.body["title"]) for notice in house.box.notices)
    assert titles[1].startswith("p95() of render (app.views) regressed by ")
    (about,) = (n.body for n in house.box.notices if n.body["dataset"] == "profileFunctions")
    assert "dataset=profileFunctions&field=package&field=function" in str(about["url"])

    with house.metadata.begin() as connection:
        (acme,) = tenancy.list_organizations(connection)
        scope = scope_of(connection, acme.id)
    assert scope is not None
    week = await digest_of(house.metadata, house.statistics, scope, scope.projects[0], NOW)
    charts = {each["dataset"]: each["chart"] for each in week["regressions"]}
    assert [charts["profileFunctions"]["unit"], charts["errors"]["type"]] == [
        "nanosecond",
        "integer",
    ]


async def test_any_question_can_be_watched_and_a_bad_one_keeps_no_other(house: House) -> None:
    house.set(
        questions=[
            {"dataset": "nothing", "field": ["transaction"], "functions": ["count()"]},
            {"field": ["tags[plan]"], "functions": ["p50()"], "query": "transaction:/sl*"},
        ]
    )
    house.store("/slower", [(999, 100), (40, 180)])

    # Nobody has the tag, so that its only group has no name.
    assert brief(await house.scan(NOW)) == [("/slower", "regression", "new")]
    looked = await house.metadata.run(rows.looked)
    assert "dataset must be one of" in (looked[ProjectId(house.project)].last_error or "")


async def test_the_week_as_a_document(house: House) -> None:
    house.store("/slower", [(999, 100), (40, 180)])
    house.store("/faster", [(999, 100), (50, 40)])
    await house.scan(NOW)
    with house.metadata.begin() as connection:
        (acme,) = tenancy.list_organizations(connection)
        scope = scope_of(connection, acme.id)
    assert scope is not None

    week = await digest_of(house.metadata, house.statistics, scope, scope.projects[0], NOW)

    assert [each["transaction"] for each in week["regressions"]] == ["/slower"]
    assert [each["transaction"] for each in week["improvements"]] == ["/faster"]
    chart = week["regressions"][0]["chart"]
    (line,) = chart["lines"]
    assert len(line["values"]) == len(line["timestamps"]) == 14 * 24
    assert chart["markers"] == [{"at": week["regressions"][0]["breakpoint"], "label": "regression"}]
    assert [round(level["value"], -1) for level in chart["levels"]] == [100, 180]
    assert (chart["type"], chart["unit"]) == ("duration", "millisecond")


async def test_the_digest_goes_out_once_a_week(house: House) -> None:
    house.store("/slower", [(999, 100), (40, 180)])
    await house.scan(NOW)
    for days in (7, 7.1, 8):
        await Watch(house.metadata, house.statistics, house.box).run(NOW + timedelta(days=days))

    (sent,) = (notice for notice in house.box.notices if notice.kind == "digest")
    assert sent.body["found"] == 1
