"""The real embedded engine: what readers cannot do, limits, cancellation, exactly-once inserts."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.config import Settings
from groundswell.errors import QueryTooHeavy, StoreError
from groundswell.store.engine import Engine, Lane, Result
from groundswell.store.engine.arrow import write_stream
from groundswell.store.engine.session import Session

ENDLESS = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"
# Not a fixed day: rows older than the retention are gone as soon as they are inserted.
WHEN = datetime.now(UTC).replace(microsecond=123000)


def events(count: int, project_id: int) -> pa.Table:
    return pa.table(
        {
            "project_id": pa.array([project_id] * count, pa.uint64()),
            "timestamp": pa.array([WHEN] * count, pa.timestamp("ms", "UTC")),
            "event_id": pa.array([uuid.uuid4().bytes for _ in range(count)], pa.binary(16)),
            "primary_hash": pa.array([(7).to_bytes(16, "little")] * count, pa.binary(16)),
            "level": pa.array(["error"] * count).dictionary_encode(),
            "tags": pa.array([[("browser", "Chrome")]] * count, pa.map_(pa.string(), pa.string())),
        }
    )


async def counted(engine: Engine, project_id: int) -> int:
    sql = "SELECT count() FROM errors WHERE project_id = {project:UInt64}"
    count: int = (await engine.query(sql, {"project": project_id})).scalar()
    return count


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'line String')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM executable('/bin/true', 'CSV', 'x String')",
        "SELECT * FROM sqlite('/tmp/x.db', 't')",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
    ],
)
async def test_a_reader_reaches_no_files_no_network_and_no_limits(engine: Engine, sql: str) -> None:
    with pytest.raises(StoreError) as caught:
        await engine.query(sql)
    assert caught.value.engine_code == 164, "refused as read-only by the engine itself"


async def test_a_reader_that_slips_past_the_guard_still_cannot_write(engine: Engine) -> None:
    session: Session = engine._readers._sessions[0]  # type: ignore[attr-defined]
    for sql in (
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "INSERT INTO errors (project_id) VALUES (1)",
        "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a UInt8') VALUES (1)",
        "DROP TABLE errors",
        "ALTER TABLE errors DELETE WHERE 1",
        "SET readonly = 0",
    ):
        with pytest.raises(Exception, match="readonly"):
            session.run(sql)


async def test_writing_a_file_and_two_statements_are_refused(
    engine: Engine, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    for sql in (f"SELECT 1 INTO OUTFILE '{target}'", "SELECT 1; SELECT 2"):
        with pytest.raises(StoreError, match="Refused"):
            await engine.query(sql)
    assert not target.exists()


@pytest.mark.parametrize(
    "value", ["", "it's", '"', "\\", "\\'", "a\0b", "\t\n\r", "{x:String}", "%s %d", "é🦀", "NULL"]
)
async def test_bound_text_comes_back_as_it_was(engine: Engine, value: str) -> None:
    answer = await engine.query("SELECT {value:String} AS v", {"value": value})
    assert answer == Result(("v",), ("String",), ([value],))


async def test_bound_values_of_every_kind(engine: Engine) -> None:
    params = {"n": 2**64 - 1, "a": ["x", "it's"], "none": None, "t": WHEN, "f": 0.5}
    answer = await engine.query(
        "SELECT {n:UInt64} n, {a:Array(String)} a, {none:Nullable(String)} o,"
        " {t:DateTime64(3, 'UTC')} t, {f:Float64} f",
        params,
    )
    assert next(answer.records()) == {
        "n": 2**64 - 1,
        "a": ["x", "it's"],
        "o": None,
        "t": WHEN,
        "f": 0.5,
    }


async def test_an_answer_without_rows_still_names_its_columns(engine: Engine) -> None:
    answer = await engine.query(
        "WITH {x:UInt64} AS x SELECT timestamp AS t, tags FROM errors WHERE project_id = x",
        {"x": 4_000_001},
    )
    assert (answer.names, len(answer)) == (("t", "tags"), 0)
    assert answer.types == ("DateTime64(3, 'UTC')", "Map(LowCardinality(String), String)")


async def test_concurrent_questions_never_mix_their_values(engine: Engine) -> None:
    async def ask(number: int) -> None:
        wait_s = random.choice(["0", "0.001", "0.005"])
        sql = f"SELECT {{value:String}}, {{other:UInt64}}, sleep({wait_s})"
        value = f"value {number}"
        answer = await engine.query(sql, {"value": value, "other": number}, lane=Lane.LIGHT)
        assert next(answer.rows())[:2] == (value, number)

    await asyncio.gather(*(ask(number) for number in range(400)))


@pytest.mark.parametrize(
    ("sql", "code", "names"),
    [
        ("SELECT number FROM numbers(1000002)", 396, "1000000 rows"),
        ("SELECT groupArray(number) FROM numbers(1000000000)", 241, "1500 MB"),
        (ENDLESS, 159, "0.2 s"),
    ],
)
async def test_a_question_over_a_limit_names_it(
    engine: Engine, sql: str, code: int, names: str
) -> None:
    timeout_s = 0.2 if code == 159 else None
    with pytest.raises(QueryTooHeavy) as caught:
        await engine.query(sql, timeout_s=timeout_s)
    assert caught.value.engine_code == code
    assert names in caught.value.message


async def test_a_failed_question_leaves_nothing_behind_for_the_next(engine: Engine) -> None:
    """The engine gives the rest of a broken answer to the next query of the same handle."""
    half_written = "SELECT throwIf(number = 900000) FROM numbers(1000000)"
    for _ in range(8):
        with pytest.raises(StoreError):
            await engine.query(half_written)
        answers = await asyncio.gather(*(engine.query("SELECT 'clean'") for _ in range(4)))
        assert [answer.columns for answer in answers] == [(["clean"],)] * 4


async def test_a_cancelled_question_frees_its_reader(engine: Engine, settings: Settings) -> None:
    readers = settings.integer("QUERY_THREADS")
    running = [asyncio.create_task(engine.query(ENDLESS)) for _ in range(readers + 2)]
    await engine.query("SELECT 1", lane=Lane.LIGHT)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    # As many heavy questions as there are readers: they can only run once all are free again.
    # Left alone they would take until the time limit of 20 s.
    async with asyncio.timeout(5):
        await asyncio.gather(*(engine.query("SELECT 1") for _ in range(readers)))


async def test_a_light_question_does_not_wait_for_heavy_ones(engine: Engine) -> None:
    running = [asyncio.create_task(engine.query(ENDLESS)) for _ in range(8)]
    await asyncio.sleep(0)
    answer = await engine.query("SELECT 1", lane=Lane.LIGHT)
    assert answer.scalar() == 1
    assert not any(task.done() for task in running)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_token_counts_once(engine: Engine, tmp_path: Path) -> None:
    table = events(10, project_id=4_000_002)
    path = tmp_path / "it's a batch.arrow"
    with path.open("wb") as file:
        write_stream(table, file)
    engine.insert("errors", path, token="batch-1")
    engine.insert("errors", table, token="batch-1")
    assert await counted(engine, 4_000_002) == 10
    engine.execute("OPTIMIZE TABLE errors FINAL")
    engine.insert("errors", path, token="batch-1")
    engine.insert("errors", table, token="batch-2")
    assert await counted(engine, 4_000_002) == 20


async def test_arrow_columns_arrive_with_their_values(engine: Engine) -> None:
    table = events(1, project_id=4_000_003)
    engine.insert("errors", table, token="arrow")
    answer = await engine.query(
        "SELECT event_id, primary_hash, timestamp, level, tags FROM errors"
        " WHERE project_id = 4000003"
    )
    event_id = uuid.UUID(bytes=table["event_id"][0].as_py())
    assert list(answer.rows()) == [(event_id, 7, WHEN, "error", {"browser": "Chrome"})]


async def test_a_row_that_does_not_fit_is_an_error_and_stores_nothing(engine: Engine) -> None:
    with pytest.raises(StoreError) as caught:
        engine.insert("errors", pa.table({"no_such_column": [1]}), token="bad")
    assert caught.value.engine_code is not None
    engine.execute("SELECT 1")


async def test_explain_tells_which_index_is_used(engine: Engine) -> None:
    # Of an empty table nothing is read, with no index.
    engine.insert("errors", events(1, project_id=4_000_004), token="explained")
    plan = await engine.explain(
        "SELECT event_id FROM errors WHERE project_id = {p:UInt64}", {"p": 4_000_004}
    )
    assert "PrimaryKey" in plan
