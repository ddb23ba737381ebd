"""Tags of many events, counted on a part of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from groundswell.store import tags
from groundswell.store.engine import Engine
from groundswell.store.tags import TagRows
from groundswell.timeframe import TimeRange
from tests.rows import every, insert, new_project

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
COUNT = 320


@pytest.fixture
def rows(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> TagRows:
    """Small blocks, of which half is read: then some hundred events are many."""
    monkeypatch.setattr(tags, "BLOCK_ROWS", 8)
    monkeypatch.setattr(tags, "ROWS_OF_BLOCK", 4)
    project = new_project()
    events = every(START, 1, COUNT, title="Boom", environment="production")
    plans = ("free", "pro", "free", "free")
    insert(
        engine, "errors", project,
        [{**event, "tags": {"plan": plans[n % 4]}} for n, event in enumerate(events)],
    )  # fmt: skip
    return TagRows("errors", [project], TimeRange(START, START + timedelta(hours=1)))


async def test_few_events_are_all_read(engine: Engine, rows: TagRows) -> None:
    chosen = await tags.part_of(engine, rows)
    found = {(each.key, each.value): each.seen for each in await tags.read_top_values(engine, rows)}

    assert (chosen.one_of, chosen.share) == (1, 1.0)
    assert found["plan", "free"] == COUNT * 3 // 4
    assert found[tags.EVERY, "1"] == COUNT
    assert await tags.count_by_project(engine, rows) == {rows.projects[0]: COUNT}


async def test_of_many_events_a_share_is_read(engine: Engine, rows: TagRows) -> None:
    part = replace(rows, one_of=2)
    found = {(each.key, each.value): each.seen for each in await tags.read_top_values(engine, part)}
    keys = {each.key: (each.seen, each.different) for each in await tags.read_keys(engine, part)}

    read = found[tags.EVERY, "1"]
    assert part.share == 0.25
    assert COUNT * part.share - 8 <= read <= COUNT * part.share + 8
    assert keys["plan"] == (read, 2)
    assert abs(found["plan", "pro"] - read / 4) <= 2


async def test_a_search_looks_in_the_same_share(engine: Engine, rows: TagRows) -> None:
    events = (
        "SELECT event_id FROM errors WHERE project_id IN {tag_projects:Array(UInt64)} "
        "AND tags['plan'] = 'pro'"
    )
    part = replace(rows, one_of=2, events=events)
    found = {(each.key, each.value): each.seen for each in await tags.read_top_values(engine, part)}

    assert 0 < found["plan", "pro"] <= COUNT // 4 * part.share + 4
    assert ("plan", "free") not in found
