"""Delivers notices: each target in order, again after a failure for a day, never too many at once.

Taking a notice is a row in the transaction of whoever has something to tell (`notify.enqueue` of
the metadata), so what was told and what was written down cannot differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from groundswell.errors import GroundswellError, UpstreamError
from groundswell.model.notices import Notice
from groundswell.store.metadata import Metadata, notify
from groundswell.store.metadata.notify import Delivery
from groundswell.telemetry import counter, logger

log = logger("notify")
SENT = counter("notices", "Notices that were settled.", ("channel", "state"))

FIRST_RETRY_S, LONGEST_RETRY_S = 15.0, 3600.0
EXPIRES = timedelta(hours=24)
DEADLINE_S = 30.0
AT_ONCE = 8
# How many notices one target gets in an hour; the rest waits, and nothing is lost.
PER_HOUR: Mapping[str, int] = {"email": 60, "webhook": 600, "slack": 600}
HOUR = timedelta(hours=1)

# Delivers, and gives what the other side answered. Raises UpstreamError.
Sender: TypeAlias = Callable[[Delivery], Awaitable[str]]


class Notices:
    """The queue of one installation. `senders` by channel; `deliver` is called again and again."""

    def __init__(
        self,
        metadata: Metadata,
        senders: Mapping[str, Sender],
        *,
        per_hour: Mapping[str, int] = PER_HOUR,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._metadata = metadata
        self._senders = dict(senders)
        self._per_hour = per_hour
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def notify(self, notice: Notice) -> None:
        """Take a notice."""
        now = self._clock()
        await self._metadata.run(notify.enqueue, notice, now, now + EXPIRES)

    async def deliver(self) -> int:
        """Deliver what is due; give how many notices were settled."""
        waiting = await self._metadata.run(notify.waiting)
        by_target: dict[tuple[str, str], list[Delivery]] = {}
        for one in waiting:
            by_target.setdefault((one.channel, one.target), []).append(one)
        counts = await asyncio.gather(*(self._in_order(some) for some in by_target.values()))
        return sum(counts)

    async def forget(self) -> None:
        """Drop old records."""
        await self._metadata.run(notify.forget, self._clock())

    async def _in_order(self, waiting: list[Delivery]) -> int:
        settled = 0
        async with self._turns:
            for one in waiting:
                # Who is told that something ended must have been told before that it began.
                if one.due_at > self._clock() or not await self._deliver(one):
                    break
                settled += 1
        return settled

    async def _deliver(self, one: Delivery) -> bool:
        now = self._clock()
        if now >= one.expires_at:
            await self._settle(one, "failed", f"Given up after a day: {one.answer or 'no answer'}")
            return True

        if await self._is_over_limit(one, now):
            later = now + timedelta(minutes=1)
            said = f"More than {self._per_hour[one.channel]} an hour: waits"
            await self._metadata.run(notify.postpone, one.id, later, said, is_attempt=False)
            return False

        sender = self._senders.get(one.channel)
        if sender is None:
            await self._settle(one, "failed", f"There is no way to send by {one.channel}")
            return True

        try:
            async with asyncio.timeout(DEADLINE_S):
                answer = await sender(one)
        except UpstreamError as error:
            return await self._after_failure(one, error.message, error)
        except (GroundswellError, TimeoutError, OSError) as error:
            return await self._after_failure(one, str(error) or type(error).__name__, None)

        await self._settle(one, "sent", answer)
        return True

    async def _after_failure(self, one: Delivery, why: str, error: UpstreamError | None) -> bool:
        if error is not None and not error.retryable:
            await self._settle(one, "failed", why)
            return True

        wait_s = min(FIRST_RETRY_S * 2**one.attempts, LONGEST_RETRY_S)
        if error is not None and error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, LONGEST_RETRY_S))
        due = self._clock() + timedelta(seconds=wait_s)
        log.warning("notice_postponed", key=one.key, channel=one.channel, why=why, wait_s=wait_s)
        await self._metadata.run(notify.postpone, one.id, due, why)
        return False

    async def _is_over_limit(self, one: Delivery, now: datetime) -> bool:
        limit = self._per_hour.get(one.channel)
        if limit is None:
            return False

        sent = await self._metadata.run(notify.sent_since, one.channel, one.target, now - HOUR)
        return sent >= limit

    async def _settle(self, one: Delivery, state: str, answer: str) -> None:
        SENT.labels(one.channel, state).inc()
        if state == "failed":
            log.warning("notice_failed", key=one.key, channel=one.channel, why=answer)
        await self._metadata.run(notify.settle, one.id, state, answer, self._clock())
