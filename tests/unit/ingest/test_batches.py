"""Batches and their workers: a record that ends workers is found, left out and set aside."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from groundswell.ingest import batches
from groundswell.ingest.batches import KILLER, Digester, token_of
from groundswell.ingest.frames import Cut
from groundswell.ingest.helpers import Helper, WorkerDied
from groundswell.ingest.messages import Done, Job
from groundswell.ingest.records import DigestContext
from groundswell.ingest.recovery import Batch, Chunk
from groundswell.store.metadata import Metadata

BATCH = Batch(Cut(1, 1, 9), (Chunk(4, 0, 1), Chunk(5, 0, 1)), 12)


async def test_records_that_end_workers_are_found_by_halving(
    sqlite_metadata: Metadata, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = {3, 7}
    jobs = itertools.count()

    async def digest(self: Helper, job: Job, context: DigestContext) -> Done:
        next(jobs)
        if deadly & (set(range(job.first, job.last + 1)) - set(job.skip)):
            raise WorkerDied("gone")

        return Done({}, stored=9, dropped=1)

    monkeypatch.setattr(Helper, "digest", digest)
    monkeypatch.setattr(batches, "RETRY_FIRST_S", 0.001)
    digester = Digester(1, tmp_path, tmp_path, "s", sqlite_metadata, DigestContext)
    done = await digester.expect(BATCH)
    assert [(row.seq, row.reason) for row in done.poisoned] == [(3, KILLER), (7, KILLER)]
    assert (done.stored, done.dropped) == (9, 3), "nothing of the 12 items is forgotten"
    assert next(jobs) < 30


def test_a_token_names_spool_segment_cut_and_table() -> None:
    assert token_of("abc", BATCH, "errors") == "abc:4:1:errors"
