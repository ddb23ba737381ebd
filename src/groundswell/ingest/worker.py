"""A digest worker: a spawned process that turns batches into ArrowStream files.

It reads jobs from its standard input, never opens the engine, holds nothing that the spool cannot
rebuild, and dies with its parent.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import pyarrow as pa

from groundswell.ingest import messages
from groundswell.ingest.digest import (
    Digested,
    digest,
    merge_groups,
    outcomes_table,
    read_frames,
    with_group_ids,
)
from groundswell.ingest.messages import Done, Failed, Ids, Job, Seen
from groundswell.ingest.records import DigestContext, Outcome

PR_SET_PDEATHSIG = 1
GC_THRESHOLD = 200_000


def main() -> None:
    """Serve jobs until the parent closes the pipe."""
    parent = int(sys.argv[1])
    _die_with(parent)
    # Ctrl-C reaches the whole group: the parent decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever prints must not end up between the answers.
    os.dup2(2, 1)
    sys.meta_path.insert(0, _NoPandas())
    pa.array([""])
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    context = DigestContext(projects={})
    while (job := messages.read(source)) is not None:
        if not isinstance(job, Job):
            continue

        context = job.context or context
        try:
            answer: Done | Failed = _work(job, context, source, answers)
        except OSError as error:
            answer = Failed(f"{type(error).__name__}: {error}")
        _send(answers, answer)
        gc.collect(1)


class _NoPandas(MetaPathFinder):
    """pyarrow's first array would load pandas: a second and 50 MB that nothing here needs."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname == "pandas":
            raise ImportError("a digest worker has no use for pandas")


def _work(job: Job, context: DigestContext, source: BinaryIO, answers: BinaryIO) -> Done | Failed:
    data = [_read_chunk(*chunk) for chunk in job.chunks]
    entries = read_frames(data, job.first, job.last, frozenset(job.skip))
    done = digest(entries, frozenset(job.duplicates), context, frozenset(job.aside))
    if job.is_probe:
        return Done({}, done.stored, done.dropped, done.read)

    tables = done.tables
    groups = merge_groups(done.groups)
    if groups and "errors" in tables:
        _send(answers, Seen.of(groups))
        ids = messages.read(source)
        if not isinstance(ids, Ids):
            return Failed("the issue ids did not come")

        known = {
            (group.project_id, group.primary_hash): number
            for group, number in zip(groups, ids.ids, strict=True)
        }
        tables["errors"] = with_group_ids(tables["errors"], known)
    return _write(job, done, tables)


def _write(job: Job, done: Digested, tables: dict[str, pa.Table]) -> Done:
    if done.outcomes:
        tables["outcomes"] = outcomes_table(done.outcomes)
    files = {}
    for name, table in sorted(tables.items()):
        path = Path(f"{job.prefix}{name}.arrow")
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
        files[name] = (str(path), table.num_rows)
    summary = _summary(done.outcomes)
    return Done(
        files,
        done.stored,
        done.dropped,
        done.read,
        tuple(done.poisoned),
        summary,
        tuple(done.projects.items()),
    )


def _summary(outcomes: list[Outcome]) -> tuple[tuple[str, str, str, int], ...]:
    sums: dict[tuple[str, str, str], int] = {}
    for one in outcomes:
        key = (one.category, one.verdict.value, one.reason)
        sums[key] = sums.get(key, 0) + one.quantity
    return tuple((*key, quantity) for key, quantity in sums.items())


def _read_chunk(path: str, begin: int, end: int) -> memoryview:
    with Path(path).open("rb", buffering=0) as file:
        file.seek(begin)
        return memoryview(file.read(end - begin))


def _send(answers: BinaryIO, message: Seen | Done | Failed) -> None:
    answers.write(messages.pack(message))
    answers.flush()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died before we asked to be told.
        os._exit(0)


if __name__ == "__main__":
    main()
