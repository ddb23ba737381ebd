"""A batch in the store: once per token, bad rows alone in quarantine, then the checkpoint."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.errors import StoreError, StoreUnavailable
from groundswell.ingest.frames import Cut
from groundswell.ingest.messages import Done
from groundswell.ingest.recovery import Batch, Checkpoint, Chunk, read_checkpoint
from groundswell.ingest.storing import Storer
from groundswell.store.engine import Engine

BATCH = Batch(Cut(4, 10, 19), (Chunk(2, 0, 1),), 3)


def _outcomes_file(folder: Path, project: int, quantities: list[int]) -> Done:
    rows = pa.table(
        {
            "project_id": pa.array([project] * len(quantities), pa.uint64()),
            "timestamp": pa.array([1_790_000_000] * len(quantities)).cast(pa.timestamp("s", "UTC")),
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
    assert read_checkpoint(tmp_path) == Checkpoint(spool_id, 4, 19, 7, 6)
    assert not (tmp_path / "4-outcomes.arrow").exists()


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
