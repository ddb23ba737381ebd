"""Answers questions on a pool of blocking clients, with time limits and cancellation that work."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from groundswell.errors import QueryTooHeavy, StoreError, StoreUnavailable
from groundswell.store.engine.failures import ADVICE, translate
from groundswell.store.engine.guard import refuse_unsafe
from groundswell.store.engine.pool import ReaderPool
from groundswell.store.engine.protocol import Lane, Params, Result
from groundswell.store.engine.session import Session
from groundswell.telemetry import histogram, logger

Outcome: TypeAlias = "Result | StoreError"

SLOW_S = 1.0
_KILL_EVERY_S = 0.05
_KILL_TRIES = 100
_log = logger("store")
_seconds = histogram("query_seconds", "Time the engine took to answer a question.", ("lane",))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may use."""

    timeout_s: float
    memory_mb: int
    threads: int


@dataclass(slots=True, eq=False)
class _Job:
    """One running query; `mark` is the comment by which KILL finds it."""

    mark: str
    done: threading.Event


class Readers:
    """Owns the reading sessions, a control session for KILL, and the threads they run on."""

    def __init__(self, connect: Callable[[], Session], count: int, limits: Limits) -> None:
        self._limits = limits
        self._sessions = [connect() for _ in range(count)]
        self._control = connect()
        self._pool: ReaderPool[Session] = ReaderPool(list(self._sessions))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")
        self._killer = ThreadPoolExecutor(1, thread_name_prefix="kill")
        self._numbers = itertools.count(1)
        self._running: set[_Job] = set()
        self._process = f"{os.getpid():x}-{time.time_ns():x}"

    async def query(
        self, sql: str, params: Params | None, lane: Lane, timeout_s: float | None
    ) -> Result:
        """Answer one SELECT. Raises QueryTooHeavy, StoreUnavailable, StoreError."""
        refuse_unsafe(sql)
        limit_s = min(timeout_s or self._limits.timeout_s, self._limits.timeout_s)
        session = await self._pool.acquire(lane)
        job = _Job(f"/* req={self._process}-{next(self._numbers)} */", threading.Event())
        self._running.add(job)
        answer = self._start(session, job, sql, params, lane)
        try:
            await asyncio.wait({answer}, timeout=limit_s)
        except asyncio.CancelledError:
            self._kill(job)
            raise

        if not answer.done():
            self._kill(job)
            raise QueryTooHeavy(
                f"The question took longer than the time limit of {limit_s:g} s.{ADVICE}",
                engine_code=159,
            )

        outcome = answer.result()
        if isinstance(outcome, StoreError):
            raise outcome

        return outcome

    def _start(
        self, session: Session, job: _Job, sql: str, params: Params | None, lane: Lane
    ) -> asyncio.Future[Outcome]:
        """Run on a thread; the reader goes back when the thread is through, not when we are."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()

        def work() -> None:
            outcome = self._answer(session, job, sql, params, lane)
            job.done.set()
            self._running.discard(job)
            self._pool.release(session)
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answer, outcome)

        try:
            self._threads.submit(work)
        except RuntimeError:
            self._running.discard(job)
            raise StoreUnavailable("The event store is closing.") from None

        return answer

    def _answer(
        self, session: Session, job: _Job, sql: str, params: Params | None, lane: Lane
    ) -> Outcome:
        started = time.perf_counter()
        try:
            return session.run(f"{job.mark} {sql}", params)
        except Exception as error:
            return translate(
                error, timeout_s=self._limits.timeout_s, memory_mb=self._limits.memory_mb
            )
        finally:
            took_s = time.perf_counter() - started
            _seconds.labels(lane.value).observe(took_s)
            if took_s > SLOW_S:
                # Values are bound, so the text holds nothing of the user's.
                _log.info("slow query", seconds=round(took_s, 3), lane=lane.value, sql=sql)

    def _kill(self, job: _Job) -> None:
        """Cancel a query in the engine, again until its thread is through."""
        try:
            self._killer.submit(self._kill_now, job)
        except RuntimeError:
            return

    def _kill_now(self, job: _Job) -> None:
        # A query that has not begun yet is not in the list of processes: hence more than one try.
        for _ in range(_KILL_TRIES):
            if job.done.is_set():
                return

            try:
                kill = "KILL QUERY WHERE startsWith(query, {mark:String}) ASYNC"
                self._control.run(kill, {"mark": job.mark})
            except Exception:
                _log.warning("kill failed", exc_info=True)
            job.done.wait(_KILL_EVERY_S)

    def close(self) -> None:
        """Cancel what runs, then close every client."""
        self._pool.close()
        for job in list(self._running):
            self._kill(job)
        self._threads.shutdown(wait=True)
        self._killer.shutdown(wait=True, cancel_futures=True)
        for session in [*self._sessions, self._control]:
            session.close()


def _settle(answer: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not answer.done():
        answer.set_result(outcome)
