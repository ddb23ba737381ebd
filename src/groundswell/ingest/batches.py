"""Batches on their way: each is digested by a worker and stored in the order of the cuts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from groundswell.errors import GroundswellError, StoreError, StoreUnavailable
from groundswell.ingest.helpers import DigestFailed, Helper, WorkerDied
from groundswell.ingest.messages import Done, Job
from groundswell.ingest.records import DigestContext, Group
from groundswell.ingest.recovery import Batch
from groundswell.ingest.spool import segment_path
from groundswell.store.metadata import Metadata, issues
from groundswell.telemetry import counter, logger

log = logger("ingest.batches")
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 15.0
UNREADABLE = counter("ingest_unreadable_items", "Accepted items that left the spool unreadable.")
UNBALANCED = counter("ingest_unbalanced_batches", "Batches whose items did not add up.")
FAILURES_BEFORE_PROBING = 2
FAILURES_BEFORE_GIVING_UP = 5


class Unbalanced(GroundswellError):
    """Raised when the items of a digested batch are not those that were accepted in it."""


class Digester:
    """Hands batches to workers; what breaks them twice is found by halving and set aside."""

    def __init__(
        self,
        workers: int,
        spool_directory: Path,
        scratch: Path,
        spool_id: str,
        metadata: Metadata,
        context: Callable[[], DigestContext],
    ) -> None:
        self._spool_directory = spool_directory
        self._scratch = scratch
        self._spool_id = spool_id
        self._metadata = metadata
        self._context = context
        self._turns: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Done]] = set()
        self._helpers: asyncio.LifoQueue[Helper] = asyncio.LifoQueue()
        self._all = [Helper(self._issue_ids) for _ in range(workers)]
        for helper in self._all:
            self._helpers.put_nowait(helper)

    async def warm(self) -> None:
        """Start one worker now, so that the first event does not wait for it."""
        await self._all[-1].warm()

    def expect(self, batch: Batch) -> asyncio.Task[Done]:
        """Begin to digest a batch. Call in the order of the cuts: issues are counted in it."""
        self._turns[batch.cut.number] = asyncio.Event()
        task = asyncio.create_task(self._digest(batch), name=f"digest-{batch.cut.number}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def forget(self, number: int) -> None:
        """A batch is stored: nobody waits for its turn any more."""
        self._turns.pop(number, None)

    async def _digest(self, batch: Batch) -> Done:
        number = batch.cut.number
        helper = await self._helpers.get()
        try:
            return await self._with_retries(helper, batch)
        finally:
            self._turns[number].set()
            self._helpers.put_nowait(helper)

    async def _with_retries(self, helper: Helper, batch: Batch) -> Done:
        wait_s = RETRY_FIRST_S
        failures = 0
        aside: tuple[int, ...] = ()
        while True:
            try:
                if failures >= FAILURES_BEFORE_GIVING_UP:
                    # No record is at fault alone. Set aside, they can be taken up again.
                    log.error("batch_set_aside", cut=batch.cut.number, items=batch.items)
                    aside = tuple(range(batch.cut.first, batch.cut.last + 1))
                elif failures >= FAILURES_BEFORE_PROBING and not aside:
                    aside = await self._culprits(helper, batch)
                done = await helper.digest(self.job_of(batch, aside=aside), self._context())
                return _balanced(done, batch, is_last_try=failures >= FAILURES_BEFORE_PROBING)
            except WorkerDied as error:
                failures += 1
                log.error("worker_died", cut=batch.cut.number, error=str(error))
            except Unbalanced as error:
                failures += 1
                UNBALANCED.inc()
                log.error("batch_unbalanced", cut=batch.cut.number, error=str(error))
                await helper.stop()
            except (DigestFailed, StoreUnavailable) as error:
                log.warning("digest_waits", cut=batch.cut.number, error=str(error))
            except Exception as error:
                # A bug must not stop the line for good: it is retried, and seen in the log.
                log.error("digest_failed", cut=batch.cut.number, exc_info=error)
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_LAST_S, wait_s * 2)

    async def _culprits(self, helper: Helper, batch: Batch) -> tuple[int, ...]:
        """Halve the batch until the records that end a worker, or do not add up, are alone."""
        culprits: list[int] = []
        todo = [tuple(range(batch.cut.first, batch.cut.last + 1))]
        everything = frozenset(todo[0])
        while todo:
            part = todo.pop()
            skip = tuple(sorted(everything - frozenset(part)))
            job = msgspec.structs.replace(self.job_of(batch, skip), is_probe=True)
            try:
                done = await helper.digest(job, self._context())
                if done.stored + done.dropped == done.read:
                    continue
            except WorkerDied:
                pass
            if len(part) == 1:
                culprits.append(part[0])
            else:
                half = len(part) // 2
                todo += [part[:half], part[half:]]
        return tuple(sorted(culprits))

    def job_of(self, batch: Batch, skip: tuple[int, ...] = (), aside: tuple[int, ...] = ()) -> Job:
        """Say to a worker what a batch is."""
        cut = batch.cut
        return Job(
            cut.number,
            str(self._scratch / f"{cut.number}-"),
            tuple(
                (str(segment_path(self._spool_directory, chunk.segment)), chunk.begin, chunk.end)
                for chunk in batch.chunks
            ),
            cut.first,
            cut.last,
            cut.duplicates,
            skip,
            aside,
        )

    async def _issue_ids(self, groups: list[Group], number: int) -> list[int]:
        """Resolve the issues of a batch after those of all batches before it."""
        for earlier, turn in list(self._turns.items()):
            if earlier < number:
                await turn.wait()
        sightings = [_sighting(group) for group in groups]
        return await self._metadata.run(issues.record_batch, self._spool_id, number, sightings)

    async def stop(self) -> None:
        """End the workers and what waits for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(helper.stop() for helper in self._all))


def token_of(spool_id: str, batch: Batch, table: str) -> str:
    """Name the rows of a table in an immutable batch: spool, segment, cut, table."""
    segment = batch.chunks[0].segment if batch.chunks else 0
    return f"{spool_id}:{segment}:{batch.cut.number}:{table}"


def is_data_fault(error: StoreError) -> bool:
    """Whether the rows themselves are refused: trying the same again changes nothing."""
    return not isinstance(error, StoreUnavailable) and error.engine_code in _DATA_FAULTS


# ClickHouse's codes for rows that it cannot take: types, parsing, sizes, bad Arrow.
_DATA_FAULTS = frozenset(
    {6, 8, 10, 16, 20, 26, 27, 33, 36, 38, 41, 43, 47, 53, 62, 69, 70, 72, 73, 117, 128, 131}
    | {190, 321, 349, 407, 441, 467, 530, 561, 611, 619, 620, 634, 636, 691}
)


def _balanced(done: Done, batch: Batch, *, is_last_try: bool) -> Done:
    """Check that every accepted item was stored or dropped. Raises Unbalanced.

    What the disk does not give back on the last try is counted as dropped.
    """
    missing = batch.items - done.read
    if done.stored + done.dropped != done.read or missing < 0 or (missing and not is_last_try):
        raise Unbalanced(
            f"{batch.items} items were accepted, {done.read} read, "
            f"{done.stored} stored and {done.dropped} dropped"
        )

    if not missing:
        return done

    UNREADABLE.inc(missing)
    log.error("items_unreadable", cut=batch.cut.number, items=missing)
    rest = Counter(dict(batch.projects))
    rest.subtract(dict(done.projects))
    return msgspec.structs.replace(
        done, dropped=done.dropped + missing, unreadable=tuple((+rest).items())
    )


def _sighting(group: Group) -> issues.Sighting:
    return issues.Sighting(
        group.project_id,
        f"{group.primary_hash:032x}",
        group.title,
        group.culprit,
        group.level,
        group.type,
        group.platform,
        datetime.fromtimestamp(group.first_seen, UTC),
        datetime.fromtimestamp(group.last_seen, UTC),
        group.count,
    )
