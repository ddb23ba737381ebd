"""Batches and their workers: a record that ends workers is found, left out and set aside."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from groundswell.ingest import batches
from groundswell.ingest.batches import Digester, token_of
from groundswell.ingest.frames import Cut
from groundswell.ingest.helpers import Helper, WorkerDied
from groundswell.ingest.messages import Done, Job
from groundswell.ingest.records import KILLER, DigestContext, Poisoned
from groundswell.ingest.recovery import Batch, Chunk
from groundswell.store.metadata import Metadata

BATCH = Batch(Cut(1, 1, 9), (Chunk(4, 0, 1), Chunk(5, 0, 1)), 12, ((6, 9), (7, 3)))


def _items(job: Job) -> dict[int, int]:
    """The items of each record that is read: 12 in 9 records."""
    return {
        seq: 1 + (seq % 3 == 0) for seq in range(job.first, job.last + 1) if seq not in job.skip
    }


def _done(job: Job, *, also_lost: int = 0) -> Done:
    read = _items(job)
    dropped = sum(items for seq, items in read.items() if seq in job.aside)
    poisoned = tuple(Poisoned(seq, KILLER) for seq in job.aside)
    total = sum(read.values()) - also_lost
    projects = ((6, 9 - also_lost), (7, 3))
    return Done({}, total - dropped, dropped, total, poisoned, projects=projects)


def _kills(job: Job) -> Done:
    if {3, 7} & (set(_items(job)) - set(job.aside)):
        raise WorkerDied("gone")

    return _done(job)


def _miscounts(job: Job) -> Done:
    done = _done(job)
    return (
        done if 5 in job.aside else structs.replace(done, stored=done.stored + (5 in _items(job)))
    )


def _always_dies(job: Job) -> Done:
    if job.is_probe or len(job.aside) == 9:
        return _done(job)

    raise WorkerDied("gone")


@pytest.mark.parametrize(
    ("behave", "aside", "stored", "dropped"),
    [
        (_done, [], 12, 0),
        (_kills, [3, 7], 9, 3),
        (_miscounts, [5], 11, 1),
        (_always_dies, [1, 2, 3, 4, 5, 6, 7, 8, 9], 0, 12),
        (partial(_done, also_lost=2), [], 10, 2),
    ],
    ids=["sound", "two kill the worker", "one does not add up", "no one's fault", "two unreadable"],
)
async def test_every_accepted_item_is_stored_or_dropped(
    behave: Callable[[Job], Done],
    aside: list[int],
    stored: int,
    dropped: int,
    sqlite_metadata: Metadata,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that misbehaves on purpose: what is at fault is found, set aside and counted."""
    jobs = itertools.count()

    async def digest(self: Helper, job: Job, context: DigestContext) -> Done:
        next(jobs)
        return behave(job)

    monkeypatch.setattr(Helper, "digest", digest)
    monkeypatch.setattr(batches, "RETRY_FIRST_S", 0.001)
    digester = Digester(1, tmp_path, tmp_path, "s", sqlite_metadata, DigestContext)
    done = await digester.expect(BATCH)
    assert [(row.seq, row.reason) for row in done.poisoned] == [(seq, KILLER) for seq in aside]
    assert (done.stored, done.dropped) == (stored, dropped)
    assert done.unreadable == (((6, 2),) if done.read < BATCH.items else ())
    assert next(jobs) < 30
    await digester.stop()


def test_a_token_names_spool_segment_cut_and_table() -> None:
    assert token_of("abc", BATCH, "errors") == "abc:4:1:errors"
