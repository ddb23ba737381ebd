"""A batch in the store: once per token, bad rows alone in quarantine, then the checkpoint."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from groundswell.errors import StoreError, StoreUnavailable
from groundswell.ingest.batches import token_of
from groundswell.ingest.frames import Cut
from groundswell.ingest.messages import Done
from groundswell.ingest.recovery import Batch, Checkpoint, Chunk, read_checkpoint
from groundswell.ingest.storing import Storer
from groundswell.store.blocks import grown, newest_blocks, without
from groundswell.store.engine import Engine

BATCH = Batch(Cut(4, 10, 19), (Chunk(2, 0, 1),), 3)


MONTH_S = 31 * 86_400


def _outcomes_file(folder: Path, project: int, quantities: list[int], *, months: int = 1) -> Done:
    """Rows of which each belongs to the next of some months, so to another partition."""
    at = [1_790_000_000 + MONTH_S * (row % months) for row in range(len(quantities))]
    rows = pa.table(
        {
            "project_id": pa.array([project] * len(quantities), pa.uint64()),
            "timestamp": pa.array(at).cast(pa.timestamp("s", "UTC")),
            "reason": pa.array([str(one) for one in quantities]),
            "quantity": pa.array(quantities, pa.uint64()),
        }
    )
    path = folder / "4-outcomes.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, rows.schema) as stream:
        stream.write_table(rows)
    return Done({"outcomes": (str(path), len(quantities))}, stored=2, dropped=1, read=3)


async def _sum(engine: Engine, project: int) -> int:
    answer = await engine.query(
        "SELECT sum(quantity) FROM outcomes WHERE project_id = {p:UInt64}", {"p": project}
    )
    return int(answer.scalar())


async def test_a_batch_counts_once_and_moves_the_checkpoint(engine: Engine, tmp_path: Path) -> None:
    spool_id = uuid.uuid4().hex
    for _ in range(2):
        storer = Storer(engine, tmp_path, Checkpoint(spool_id, 3, 9, 5, 5))
        await storer.store(BATCH, _outcomes_file(tmp_path, 7101, [1, 2, 3]), print)
        storer.close()
    assert await _sum(engine, 7101) == 6
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint == Checkpoint(spool_id, 4, 19, 7, 6, blocks=newest_blocks(engine))
    assert not (tmp_path / "4-outcomes.arrow").exists()


@pytest.mark.parametrize("there", [[], [1, 3], [2, 4], [1, 2, 3, 4]])
@pytest.mark.parametrize("is_token_known", [True, False])
async def test_a_batch_of_which_a_crash_left_a_part_is_completed(
    engine: Engine, tmp_path: Path, there: list[int], is_token_known: bool
) -> None:
    """A power cut may lose what the engine notes of tokens, and keep it without the rows."""
    project = uuid.uuid4().int % 2**40
    storer = Storer(engine, tmp_path, Checkpoint(uuid.uuid4().hex, 3, 9))
    storer.note_blocks()
    storer.close()
    token = token_of(storer.checkpoint.spool_id, BATCH, "outcomes")
    done = _outcomes_file(tmp_path, project, [1, 2, 3, 4], months=2)
    rows = _read(Path(done.files["outcomes"][0]))
    found = rows.filter(pc.is_in(rows.column("quantity"), pa.array(there, pa.uint64())))
    if there:
        engine.insert("outcomes", found, token if is_token_known else uuid.uuid4().hex)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    storer = Storer(engine, tmp_path, checkpoint, in_doubt=BATCH.cut.number)
    await storer.store(BATCH, done, print)
    storer.close()
    assert await _sum(engine, project) == 10


async def test_rows_the_store_refuses_are_found_by_halving(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = engine.insert

    def refusing(table: str, data: pa.Table | Path, token: str) -> None:
        rows = data if isinstance(data, pa.Table) else _read(data)
        if 13 in rows.column("quantity").to_pylist():
            raise StoreError("cannot parse", engine_code=27)

        insert(table, data, token)

    monkeypatch.setattr(engine, "insert", refusing)
    refused: list[tuple[str, str, str, bytes]] = []
    storer = Storer(engine, tmp_path, Checkpoint(uuid.uuid4().hex))
    done = _outcomes_file(tmp_path, 7102, [10, 11, 12, 13, 14])
    await storer.store(BATCH, done, lambda *row: refused.append(row))
    assert await _sum(engine, 7102) == 47
    ((table, name, reason, stream),) = refused
    assert (table, reason) == ("outcomes", "cannot parse")
    monkeypatch.setattr(engine, "insert", insert)
    for _ in range(2):
        storer.again(table, name, stream)
    assert await _sum(engine, 7102) == 60, "taken up again, it counts once"
    storer.close()


async def test_work_between_batches_never_sees_half_of_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storer = Storer(engine, tmp_path, Checkpoint(uuid.uuid4().hex))
    assert await storer.run(lambda: "alone") == "alone"
    insert = engine.insert
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away(table: str, data: pa.Table | Path, token: str) -> None:
        loop.call_soon_threadsafe(failed.set)
        raise StoreUnavailable("gone")

    monkeypatch.setattr(engine, "insert", away)
    storing = asyncio.create_task(storer.store(BATCH, _outcomes_file(tmp_path, 7103, [1]), print))
    await failed.wait()
    with pytest.raises(StoreUnavailable, match="tried again"):
        await storer.run(lambda: "half")
    monkeypatch.setattr(engine, "insert", insert)
    await storing
    assert await storer.run(lambda: storer.checkpoint.cut) == BATCH.cut.number
    storer.close()


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
        return reader.read_all()


async def test_partitions_are_named_as_the_engine_names_them(engine: Engine) -> None:
    rows = pa.table(
        {
            "project_id": pa.array([7104] * 3, pa.uint64()),
            "timestamp": pa.array([1_790_000_000_000, 1_790_726_399_999, 1_790_726_400_000]).cast(
                pa.timestamp("ms", "UTC")
            ),
            "retention_days": pa.array([90, 91, 3650], pa.uint16()),
        }
    )
    before = newest_blocks(engine)
    engine.insert("spans", rows, uuid.uuid4().hex)
    after = newest_blocks(engine)
    assert before is not None
    assert after is not None
    there = grown("spans", before, after)
    assert len(there) == 3
    assert without("spans", rows, there).num_rows == 0
    assert without("spans", rows, sorted(there)[:1]).num_rows == 2
