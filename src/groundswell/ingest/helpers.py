"""The serving process's side of a digest worker: start it on need, ask it, replace it when dead."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import msgspec

from groundswell.errors import GroundswellError
from groundswell.ingest import messages
from groundswell.ingest.messages import Done, Failed, Ids, Job, Seen
from groundswell.ingest.records import DigestContext, Group
from groundswell.telemetry import counter, logger

log = logger("ingest.worker")
RESTARTS = counter("digest_worker_restarts", "Digest workers that died and were replaced.")
ResolveIds = Callable[[list[Group], int], Awaitable[list[int]]]


class WorkerDied(GroundswellError):
    """Raised when a digest worker ends in the middle of a job."""


class DigestFailed(GroundswellError):
    """Raised when a job failed for a reason outside of its records; it may be tried again."""


class Helper:
    """One digest worker. Jobs come one after the other."""

    def __init__(self, resolve: ResolveIds) -> None:
        self._resolve = resolve
        self._process: asyncio.subprocess.Process | None = None
        self._context: DigestContext | None = None

    async def digest(self, job: Job, context: DigestContext) -> Done:
        """Run a job. Raises WorkerDied, DigestFailed."""
        process = await self._started()
        assert process.stdin is not None
        if context != self._context:
            job = msgspec.structs.replace(job, context=context)
            self._context = context
        try:
            process.stdin.write(messages.pack(job))
            await process.stdin.drain()
            return await self._answer(process, job)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            await self.stop()
            RESTARTS.inc()
            raise WorkerDied(f"digest worker ended with {process.returncode}") from error

    async def _answer(self, process: asyncio.subprocess.Process, job: Job) -> Done:
        assert process.stdin is not None
        while True:
            answer = await self._read(process)
            if isinstance(answer, Done):
                return answer

            if isinstance(answer, Failed):
                raise DigestFailed(answer.reason)

            ids = await self._ids(answer, job)
            process.stdin.write(messages.pack(Ids(tuple(ids))))
            await process.stdin.drain()

    async def _ids(self, seen: Seen, job: Job) -> list[int]:
        try:
            return await self._resolve(seen.restored(), job.number)
        except BaseException:
            # The worker waits for ids that will not come: begin anew with another one.
            await self.stop()
            raise

    async def _read(self, process: asyncio.subprocess.Process) -> messages.FromWorker:
        assert process.stdout is not None
        head = await process.stdout.readexactly(messages.LENGTH.size)
        body = await process.stdout.readexactly(messages.LENGTH.unpack(head)[0])
        return messages.from_worker.decode(body)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._context = None
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "groundswell.ingest.worker",
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        return self._process

    async def warm(self) -> None:
        """Start the worker before the first job needs it."""
        await self._started()

    async def stop(self) -> None:
        """End the worker; it holds nothing that would be lost."""
        process, self._process = self._process, None
        if process is None:
            return

        if process.returncode is None:
            process.kill()
        await process.wait()
