"""The same engine interface over HTTP, against the same engine version behind a front."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.config import Settings, load
from groundswell.errors import QueryTooHeavy, StartupError, StoreError, StoreUnavailable
from groundswell.store.engine import Engine, open_engine
from groundswell.store.engine.arrow import write_stream
from groundswell.store.schema import migrate
from tests.clickhouse_front import serve_clickhouse

ENDLESS = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"


@pytest.fixture(scope="module")
def server_engine(engine: Engine, settings: Settings) -> Iterator[Engine]:
    with serve_clickhouse(str((settings.data / "store").resolve())) as url:
        opened = open_engine(load({"CLICKHOUSE_URL": url, "QUERY_THREADS": 2}, environ={}))
        yield opened
        opened.close()


def rows(count: int, project_id: int) -> pa.Table:
    return pa.table(
        {
            "project_id": pa.array([project_id] * count, pa.uint64()),
            "timestamp": pa.array([datetime.now(UTC)] * count, pa.timestamp("ms", "UTC")),
            "event_id": pa.array([uuid.uuid4().bytes for _ in range(count)], pa.binary(16)),
            "tags": pa.array([[("a", "it's")]] * count, pa.map_(pa.string(), pa.string())),
        }
    )


async def test_values_come_back_as_they_were(server_engine: Engine) -> None:
    when = datetime(2026, 3, 4, 5, 6, 7, 123000, tzinfo=UTC)
    answer = await server_engine.query(
        "SELECT {v:String} v, {a:Array(String)} a, {t:DateTime64(3, 'UTC')} t, '%s' p",
        {"v": "it's\0\\ %d", "a": ["x", "'"], "t": when},
    )
    assert next(answer.records()) == {"v": "it's\0\\ %d", "a": ["x", "'"], "t": when, "p": "%s"}


async def test_an_answer_without_rows_names_its_columns(server_engine: Engine) -> None:
    answer = await server_engine.query("SELECT tags FROM errors WHERE project_id = 4100000")
    assert (answer.names, len(answer)) == (("tags",), 0)


async def test_a_token_counts_once(server_engine: Engine, tmp_path: Path) -> None:
    table = rows(5, project_id=4_100_001)
    path = tmp_path / "batch.arrow"
    with path.open("wb") as file:
        write_stream(table, file)
    for token, data in [("s1", path), ("s1", table), ("s2", table)]:
        server_engine.insert("errors", data, token)
    answer = await server_engine.query(
        "SELECT count(), any(tags['a']) FROM errors WHERE project_id = 4100001"
    )
    assert list(answer.rows()) == [(10, "it's")]


def test_migrations_are_applied_already(server_engine: Engine) -> None:
    assert migrate(server_engine) == []


@pytest.mark.parametrize(
    ("sql", "error", "code"),
    [
        ("SELECT nope", StoreError, 47),
        ("SELECT number FROM numbers(1000002)", QueryTooHeavy, 396),
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", StoreError, 164),
        ("SELECT 1 SETTINGS max_execution_time = 0", StoreError, 164),
    ],
)
async def test_errors_keep_their_codes(
    server_engine: Engine, sql: str, error: type[StoreError], code: int
) -> None:
    with pytest.raises(error) as caught:
        await server_engine.query(sql)
    assert caught.value.engine_code == code


async def test_a_cancelled_question_frees_its_reader(server_engine: Engine) -> None:
    running = [asyncio.create_task(server_engine.query(ENDLESS)) for _ in range(3)]
    await asyncio.sleep(0.2)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    async with asyncio.timeout(10):
        await asyncio.gather(*(server_engine.query("SELECT 1") for _ in range(3)))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/default"
        with pytest.raises(StoreUnavailable, match=r"ClickHouse at 127\.0\.0\.1 does not answer"):
            open_engine(load({"CLICKHOUSE_URL": url}, environ={}))


@pytest.mark.parametrize("url", ["tcp://x:9000/d", "http:///d", "nonsense"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(StartupError, match="CLICKHOUSE_URL must look like"):
        open_engine(load({"CLICKHOUSE_URL": url}, environ={}))


async def test_a_server_that_went_away_is_unavailable(engine: Engine, settings: Settings) -> None:
    with serve_clickhouse(str((settings.data / "store").resolve())) as url:
        opened = open_engine(load({"CLICKHOUSE_URL": url, "QUERY_THREADS": 2}, environ={}))
    with pytest.raises(StoreUnavailable):
        await opened.query("SELECT 1")
    with pytest.raises(StoreUnavailable):
        opened.insert("errors", rows(1, 4_100_002), "t")
    opened.close()
