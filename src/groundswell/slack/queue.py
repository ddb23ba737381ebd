"""Messages that must arrive: kept in the outbox until Slack took them, for up to a day.

One message at a time per channel, in order, about one a second as Slack asks (in a conversation
with one person a few at once). A key makes the same message the same; one that Slack refuses for
its picture is sent without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from groundswell.slack.outbound import SlackError
from groundswell.slack.workspaces import GONE, Workspaces, utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_outbox as outbox
from groundswell.telemetry import gauge, logger

KEEP = timedelta(hours=24)
# For how long Slack takes answers at a `response_url`; what one person is told alone is old then.
KEEP_ANSWER = timedelta(minutes=30)
SPACING_S = 1.05
TALK_BURST = 4
LOOK_AGAIN_S = 5.0
# How long a process may take to deliver a message before another one takes it for dead.
CLAIM = timedelta(minutes=2)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 900.0
_PICTURE_REFUSED = frozenset(
    ("invalid_blocks", "invalid_attachments", "cannot_parse_attachment", "invalid_blocks_format")
)

log = logger("slack")
_waiting = gauge("slack_outbox_waiting", "Messages on their way to Slack.")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. thread: the messages of one thread share this key; the first begins it.

    broadcast: show a reply in the channel too. edits: change the message that began the thread
    instead of posting another one. response_url: where to send it, instead of posting it. alone:
    the person who sees it alone. step: its name in the delivery log.
    """

    key: str
    installation_id: int
    channel: str
    arguments: Mapping[str, Any]
    thread: str = ""
    broadcast: bool = False
    edits: bool = False
    response_url: str = ""
    alone: str = ""
    step: str = "message"

    @property
    def is_answer(self) -> bool:
        return bool(self.response_url or self.alone)


class Queue:
    """Delivers the outbox. start() and stop() own its tasks."""

    def __init__(self, workspaces: Workspaces, *, spacing_s: float = SPACING_S) -> None:
        self._workspaces = workspaces
        self._spacing_s = spacing_s
        # On SQLite nobody else is there; what a killed process was sending may go out at once.
        self._is_alone = workspaces.metadata.engine.dialect.name == "sqlite"
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._channels: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._paces: dict[tuple[int, str], _Pace] = {}

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop; what is not delivered stays in the outbox for the next start."""
        tasks = [task for task in (self._task, *self._channels.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, message: Outgoing) -> bool:
        """Take a message; False when it was taken before."""
        now = utc_now()
        body = {
            "arguments": dict(message.arguments),
            "thread": message.thread,
            "broadcast": message.broadcast,
            "edits": message.edits,
            "response_url": message.response_url,
            "alone": message.alone,
            "step": message.step,
        }
        is_new = await self._workspaces.writer.run(
            outbox.enqueue,
            message.key,
            message.installation_id,
            message.channel,
            body,
            now,
            now + (KEEP_ANSWER if message.is_answer else KEEP),
        )
        self._wake.set()
        return is_new

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._look()
            except Exception as error:
                log.error("slack_outbox_failed", exc_info=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN_S)

    async def _look(self) -> None:
        # What a channel delivers while this is read may still be listed as waiting.
        busy = frozenset(self._channels)
        waiting = await self._workspaces.metadata.run(outbox.waiting)
        _waiting.set(len(waiting))
        by_channel: dict[tuple[int, str], list[outbox.Waiting]] = {}
        for message in waiting:
            by_channel.setdefault(_place(message), []).append(message)
        for place, messages in by_channel.items():
            if place not in busy and messages[0].due_at <= utc_now():
                task = asyncio.create_task(self._drain(messages))
                self._channels[place] = task
                task.add_done_callback(lambda _, place=place: self._channel_done(place))  # type: ignore[misc]

    def _channel_done(self, place: tuple[int, str]) -> None:
        self._channels.pop(place, None)
        self._wake.set()

    async def _drain(self, messages: list[outbox.Waiting]) -> None:
        pace = self._pace(_place(messages[0]))
        for message in messages:
            await asyncio.sleep(pace.pause_s(time.monotonic()))
            if not await self._deliver(message):
                # Later messages of the channel wait, so that they keep their order.
                break

    def _pace(self, place: tuple[int, str]) -> _Pace:
        now = time.monotonic()
        self._paces = {at: pace for at, pace in self._paces.items() if not pace.is_rested(now)}
        burst = TALK_BURST if place[1].startswith("D") else 1
        return self._paces.setdefault(place, _Pace(self._spacing_s, burst))

    async def _deliver(self, waiting: outbox.Waiting) -> bool:
        metadata, now = self._workspaces.metadata, utc_now()
        if not (self._is_alone or await metadata.run(outbox.claim, waiting.id, now, now + CLAIM)):
            return False

        installation = await metadata.run(rows.by_id, waiting.installation_id)
        if installation is None or installation.broken in GONE:
            return await self._later(waiting, installation, "the app is not installed", None)

        try:
            await self._post(installation, waiting)
        except SlackError as error:
            if error.retryable or error.is_dead_token:
                return await self._later(waiting, installation, str(error), error.retry_after_s)
            await self._settle(waiting, installation, "failed", str(error))
            return True

        await self._settle(waiting, installation, "sent", "ok")
        return True

    async def _post(self, installation: rows.Installation, waiting: outbox.Waiting) -> None:
        try:
            await self._call(installation, waiting, waiting.message["arguments"])
        except SlackError as error:
            bare = without_pictures(waiting.message["arguments"])
            if error.error not in _PICTURE_REFUSED or bare == waiting.message["arguments"]:
                raise
            await self._workspaces.note(
                waiting.key, installation.team, "message", "without picture", str(error)
            )
            await self._call(installation, waiting, bare)

    async def _call(
        self,
        installation: rows.Installation,
        waiting: outbox.Waiting,
        arguments: Mapping[str, Any],
    ) -> None:
        if waiting.message.get("response_url"):
            await self._workspaces.outbound.respond(waiting.message["response_url"], arguments)
            return

        metadata, thread = self._workspaces.metadata, waiting.message["thread"]
        place = {"channel": waiting.channel}
        if waiting.message.get("alone"):
            whom = {"user": waiting.message["alone"]}
            await self._workspaces.call(
                installation, "chat.postEphemeral", **place, **whom, **arguments
            )
            return

        began = None
        if thread:
            began = await metadata.run(outbox.thread_of, thread, waiting.channel)
        if began is not None and waiting.message["edits"]:
            kept = {k: v for k, v in arguments.items() if k in {"text", "blocks", "attachments"}}
            await self._workspaces.call(installation, "chat.update", **place, ts=began, **kept)
            return

        if began is not None:
            broadcast = True if waiting.message["broadcast"] else None
            extra = {"thread_ts": began, "reply_broadcast": broadcast}
            await self._workspaces.call(
                installation, "chat.postMessage", **place, **arguments, **extra
            )
            return

        told = await self._workspaces.call(installation, "chat.postMessage", **place, **arguments)
        if thread and isinstance(told.get("ts"), str):
            await metadata.run(outbox.begin_thread, thread, waiting.channel, told["ts"], utc_now())

    async def _later(
        self,
        waiting: outbox.Waiting,
        installation: rows.Installation | None,
        answer: str,
        retry_after_s: float | None,
    ) -> bool:
        pause_s = retry_after_s or min(FIRST_PAUSE_S * 2**waiting.attempts, LONGEST_PAUSE_S)
        due_at = utc_now() + timedelta(seconds=pause_s)
        if due_at > waiting.expires_at:
            await self._settle(waiting, installation, "failed", f"given up: {answer}")
            return False

        def write(connection: Connection) -> None:
            outbox.postpone(connection, waiting.id, due_at, answer)
            _log(connection, waiting, installation, "postponed", answer)

        await self._workspaces.writer.run(write)
        return False

    async def _settle(
        self,
        waiting: outbox.Waiting,
        installation: rows.Installation | None,
        state: str,
        answer: str,
    ) -> None:
        """Write the end of a message, and its line of the log with it."""

        def write(connection: Connection) -> None:
            outbox.settle(connection, waiting.id, state, answer)
            outcome, detail = ("ok", "") if state == "sent" else (state, answer)
            _log(connection, waiting, installation, outcome, detail)

        await self._workspaces.writer.run(write)


class _Pace:
    """How often one channel may be written to: `burst` messages at once, then one at a time."""

    def __init__(self, spacing_s: float, burst: int) -> None:
        self._spacing_s = spacing_s
        self._burst = burst
        self._free_at = 0.0

    def pause_s(self, now: float) -> float:
        """Say how long to wait before the next message, and count it as sent."""
        self._free_at = max(self._free_at, now) + self._spacing_s
        return max(0.0, self._free_at - now - self._burst * self._spacing_s)

    def is_rested(self, now: float) -> bool:
        return self._free_at <= now


def _log(
    connection: Connection,
    waiting: outbox.Waiting,
    installation: rows.Installation | None,
    outcome: str,
    detail: str,
) -> None:
    team = installation.team if installation else ""
    step = str(waiting.message.get("step") or "message")
    outbox.log_step(connection, waiting.key, team, step, outcome, detail, utc_now())


def _place(message: outbox.Waiting) -> tuple[int, str]:
    """Name the line in which a message stands: its channel's, or one of its own."""
    is_answer = message.message.get("response_url") or message.message.get("alone")
    return message.installation_id, f"answer {message.key}" if is_answer else message.channel


def without_pictures(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Take the images out of a message."""
    bare = copy.deepcopy(dict(arguments))
    for holder in (bare, *(bare.get("attachments") or [])):
        if holder.get("blocks"):
            holder["blocks"] = [b for b in holder["blocks"] if b.get("type") != "image"]
    return bare
