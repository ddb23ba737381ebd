"""Rules over real events: what opens, what ends, what is told, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groundswell.alerts import desk
from groundswell.errors import StoreUnavailable
from groundswell.model.alerts import FOREVER, Detection, Level, Side
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, alerts
from tests.alerting import Watch, open_watch
from tests.unit.alerts.builders import rule


@pytest.fixture
def watch(engine: Engine, sqlite_metadata: Metadata) -> Watch:
    return open_watch(engine, sqlite_metadata)


async def test_an_incident_has_a_beginning_a_course_and_an_end(watch: Watch) -> None:
    watch.rule(rule(100, 20))
    watch.events(3, 30)
    watch.events(5, 120, step_s=0.1)
    await watch.until(20)
    (incident,) = watch.incidents()
    assert (incident.number, incident.level, incident.is_open) == (1, Level.CRITICAL, False)
    assert incident.started_at == watch.at(-1)
    assert incident.peak == 150
    # Windows of five minutes are judged a minute after their end.
    assert watch.notices() == ["5 Warning", "7 Critical", "12 Resolved"]


async def test_nothing_is_judged_twice(watch: Watch) -> None:
    watch.rule(rule(100))
    watch.events(0, 200, step_s=0.1)
    for _ in range(5):
        await watch.evaluator.evaluate(watch.at(3))
    assert watch.notices() == ["3 Critical"]


async def test_rules_with_the_same_question_share_one_query(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        watch.rule(rule(100, name=name))
    watch.rule(rule(100, aggregate="count_unique(user)"))
    watch.rule(rule(100, query="level:fatal"))
    asked = []
    query = watch.engine.query

    async def counted(sql: str, *args: object, **named: object) -> object:
        # How much a question reads is looked up now and then; only questions count.
        if "EXPLAIN" not in sql:
            asked.append(sql)
        return await query(sql, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(watch.engine, "query", counted)
    assert await watch.evaluator.evaluate(watch.at(10)) == 5
    assert len(asked) == 2


async def test_a_failed_query_is_no_recovery(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    made = watch.rule(rule(100))
    watch.events(0, 200, step_s=0.1)
    await watch.until(3)
    with monkeypatch.context() as broken:

        async def fail(*args: object, **named: object) -> None:
            raise StoreUnavailable("away")

        broken.setattr(watch.engine, "query", fail)
        await watch.until(30)
    assert [one.is_open for one in watch.incidents()] == [True]
    assert watch.run(alerts.find_rule, watch.org_id, made.id).last_error == "away"
    await watch.until(32)
    assert watch.notices() == ["2 Critical", "31 Resolved"]
    assert watch.run(alerts.find_rule, watch.org_id, made.id).last_error is None


async def test_what_came_and_went_while_nothing_ran_is_old_news(watch: Watch) -> None:
    watch.rule(rule(100))
    await watch.until(5)
    watch.events(30, 200, step_s=0.1)
    watch.now = watch.at(119)
    await watch.until(125)
    (incident,) = watch.incidents()
    assert (incident.started_at, incident.closed_at) == (watch.at(30), watch.at(40))
    assert watch.notices() == []


async def test_what_is_still_wrong_after_a_stop_is_told_once(watch: Watch) -> None:
    watch.rule(rule(100))
    await watch.until(5)
    watch.events(30, 95 * 60 * 2, step_s=0.5)
    watch.now = watch.at(119)
    await watch.until(122)
    (incident,) = watch.incidents()
    assert incident.started_at == watch.at(30)
    assert watch.notices() == ["120 Critical"]


async def test_a_clock_that_jumps_back_tells_nothing_twice(watch: Watch) -> None:
    watch.rule(rule(100))
    watch.events(5, 200, step_s=0.1)
    await watch.until(20)
    told = watch.notices()
    watch.now -= timedelta(hours=1)
    await watch.until(30)
    assert watch.notices() == told == ["7 Critical", "12 Resolved"]


async def test_a_muted_rule_is_silent_and_speaks_of_what_is_still_open(watch: Watch) -> None:
    made = watch.rule(rule(100, muted_until=FOREVER))
    watch.events(5, 200, step_s=0.1)
    watch.events(40, 60 * 60, step_s=0.5)
    await watch.until(45)
    assert [one.is_open for one in watch.incidents()] == [False, True]
    assert watch.notices() == []
    watch.run(desk.mute_rule, made, None, None, watch.now)
    await watch.until(60)
    assert watch.notices() == ["46 Critical"]


async def test_a_deleted_rule_is_gone_at_once(watch: Watch) -> None:
    made = watch.rule(rule(100))
    watch.events(0, 200, step_s=0.1)
    await watch.until(3)
    watch.run(desk.delete, made)
    await watch.until(20)
    assert watch.incidents() == []
    assert watch.notices() == []


async def test_a_rule_that_watches_something_else_begins_anew(watch: Watch) -> None:
    from dataclasses import replace

    made = watch.rule(rule(100))
    watch.events(0, 60 * 60, step_s=0.5)
    await watch.until(3)
    before = watch.run(alerts.find_rule, watch.org_id, made.id)
    watch.run(desk.change, before, replace(before.rule, window_min=1), "acme", watch.now, None)
    assert watch.notices() == ["2 Critical", "3 Resolved"]
    await watch.until(5)
    assert [one.is_open for one in watch.incidents()] == [False, True]


async def test_each_group_has_an_incident_up_to_the_cap(watch: Watch) -> None:
    watch.rule(rule(10, group_by="transaction", group_limit=2))
    for name, count in (("/a", 50), ("/b", 30), ("/c", 20), ("/d", 5)):
        watch.events(0, count, step_s=0.1, transaction=name)
    await watch.until(3)
    assert [(one.group, one.is_open) for one in watch.incidents()] == [("/a", True), ("/b", True)]
    await watch.until(10)
    assert not any(one.is_open for one in watch.incidents()[:2])


async def test_too_little_traffic_is_not_judged(watch: Watch) -> None:
    watch.rule(rule(10, side=Side.BELOW, minimum=3))
    watch.events(0, 2)
    watch.events(8, 5)
    await watch.until(20)
    assert watch.notices() == ["10 Critical"]


async def test_a_change_is_compared_with_the_same_time_before(watch: Watch) -> None:
    watch.rule(rule(100, detection=Detection.PERCENT, delta_min=60))
    watch.events(0, 100, step_s=0.1)
    watch.events(60, 250, step_s=0.1)
    await watch.until(70)
    (incident,) = watch.incidents()
    assert incident.peak == 250
    assert watch.notices()[0] == "62 Critical"


async def test_windows_wait_for_what_the_spool_holds(
    engine: Engine, sqlite_metadata: Metadata
) -> None:
    done = [0]
    watch = open_watch(engine, sqlite_metadata, progress=lambda: (10, done[0]))
    watch.rule(rule(100))
    watch.events(3, 200, step_s=0.1)
    await watch.until(6)
    assert watch.notices() == []
    done[0] = 10
    await watch.until(7)
    assert watch.notices() == ["7 Critical"]


async def test_two_processes_judge_a_window_once(watch: Watch, sqlite_metadata: Metadata) -> None:
    import asyncio

    from groundswell.alerts.evaluator import Evaluator

    watch.rule(rule(100))
    watch.events(0, 200, step_s=0.1)
    other = Evaluator(sqlite_metadata, watch.statistics, delay_s=60, max_phase_s=0)
    at = watch.at(3)
    await asyncio.gather(watch.evaluator.evaluate(at), other.evaluate(at))
    assert watch.notices() == ["3 Critical"]
    assert len(watch.incidents()) == 1
