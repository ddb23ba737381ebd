"""Slack as the rest of the service sees it: start, stop, and handle what arrives."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from groundswell.charts.render import Renderer
from groundswell.charts.snapshots import Snapshots
from groundswell.config import Settings
from groundswell.errors import StoreUnavailable, UpstreamError
from groundswell.slack import inbound
from groundswell.slack.actions import Actions
from groundswell.slack.commands import DIRECT_MESSAGE, Answer, Asked, Commands, needs_ids
from groundswell.slack.dispatch import Pool, Work
from groundswell.slack.events import concerns_us, is_of_note, lacks_ids, matters, passes
from groundswell.slack.images import Ladder
from groundswell.slack.inbound import Door, Meta, Refused, text_of
from groundswell.slack.inbox import MAX_ATTEMPTS, Inbox
from groundswell.slack.incidents import IncidentSender
from groundswell.slack.issues import IssueLinks
from groundswell.slack.linking import Signer
from groundswell.slack.links import Kind
from groundswell.slack.messages.help import disconnected
from groundswell.slack.outbound import Outbound, import_clients
from groundswell.slack.pages import Pages
from groundswell.slack.preview import Previewer
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.trends import TrendLinks
from groundswell.slack.unfurl import Unfurler
from groundswell.slack.vault import Vault
from groundswell.slack.workspaces import GONE, Workspaces, utc_now
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_inbox as inbox_rows
from groundswell.store.metadata import slack_outbox as outbox_rows
from groundswell.store.metadata.slack_inbox import Accepted
from groundswell.telemetry import logger

ORG_AGAIN_S = 0.8
# Later than this nobody waits for an unfurl or a reply any more, and Slack takes none.
WORTH_DOING = timedelta(minutes=30)
LONGEST_PAUSE_S = 600.0
_SPOKEN_SUBTYPES = frozenset({"", "file_share", "thread_broadcast"})

if TYPE_CHECKING:
    from groundswell.slack.socket import Socket

log = logger("slack")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered at once: a status, and a JSON body or none."""

    status: int = 200
    body: Mapping[str, Any] | None = None


class Slack:
    """One per process. Both doors end in `handle`; nothing slow happens before its reply."""

    def __init__(
        self,
        settings: Settings,
        secret_keys: Sequence[str],
        metadata: Metadata,
        statistics: Statistics,
        renderer: Renderer,
    ) -> None:
        self._settings = settings
        self.metadata = metadata
        self.base_url = settings.base_url
        self.outbound = Outbound(settings.text("SLACK_API_URL"))
        self.workspaces = Workspaces(metadata, self.outbound, Vault(secret_keys))
        self.signer = Signer(secret_keys, self.base_url)
        self.commands = Commands(metadata, self.signer, self.base_url + "/")
        self.pool = Pool()
        self.inbox = Inbox(metadata, self.workspaces.writer)
        self.queue = Queue(self.workspaces)
        self.actions = Actions(self.workspaces, self.queue)
        self.pages = Pages(self.workspaces, self.queue, self.signer, secret_keys)
        self.snapshots = Snapshots(metadata)
        self.ladder = Ladder(
            settings.text("SLACK_IMAGES"), self.base_url, self.workspaces, self.snapshots
        )
        self.previewer = Previewer(metadata, statistics, renderer)
        self.unfurler = Unfurler(
            self.base_url, self.workspaces, self.queue, self.previewer, self.ladder, self.signer
        )
        self.unfurler.handlers[Kind.ISSUE] = IssueLinks(metadata).unfurl
        self.unfurler.handlers[Kind.TRENDS] = TrendLinks(
            metadata, statistics, renderer, self.ladder
        ).unfurl
        self.incidents = IncidentSender(self.base_url, self.workspaces, self.queue, self.ladder)
        self._socket: Socket | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work; never waits for Slack."""
        self.pool.start()
        self.queue.start()
        self.inbox.start(self._take_up)
        self._tasks.append(asyncio.create_task(self.workspaces.prove_tokens()))
        if self._settings.text("SLACK_SIGNING_SECRET") or self._settings.text("SLACK_APP_TOKEN"):
            self._tasks.append(asyncio.create_task(asyncio.to_thread(import_clients)))
        if self._settings.text("SLACK_BOT_TOKEN"):
            self._tasks.append(asyncio.create_task(self._install_from_settings()))
        if self._settings.text("SLACK_APP_TOKEN"):
            from groundswell.slack.socket import Socket

            self._socket = Socket(self._settings, self.outbound.api_url, self.handle)
            self._socket.start()

    async def stop(self) -> None:
        """Finish what was acknowledged, as far as the time allows, and close every connection."""
        if self._socket is not None:
            await self._socket.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.stop()
        await self.inbox.stop()
        await self.queue.stop()
        await self.workspaces.writer.close()
        await self.outbound.close()

    async def upkeep(self) -> None:
        """Forget what is old."""

        def forget(connection: Connection) -> None:
            rows.forget(connection, utc_now())
            inbox_rows.forget(connection, utc_now())
            outbox_rows.forget(connection, utc_now())

        await self.metadata.run(forget)

    async def receive(
        self, door: Door, stamp: str | None, signature: str | None, body: bytes, meta: Meta
    ) -> Reply:
        """Answer a request of the HTTP door: authorize, parse, handle."""
        secret = self._settings.text("SLACK_SIGNING_SECRET")
        try:
            inbound.authorize(secret, stamp, signature, body, now=time.time())
            payload = inbound.parse(door, body)
        except Refused as refused:
            log.info("slack_refused", door=door.value, status=refused.status, why=refused.reason)
            return Reply(refused.status)

        return await self.handle(door, payload, meta)

    async def handle(self, door: Door, payload: Mapping[str, Any], meta: Meta) -> Reply:
        """Answer what arrived by either door; work is handed to the pool."""
        if door is Door.EVENT and payload.get("type") == "url_verification":
            challenge = payload.get("challenge")
            return (
                Reply(body={"challenge": challenge}) if isinstance(challenge, str) else Reply(400)
            )

        installation = await self.workspaces.find(inbound.team_of(payload))
        if installation is None:
            if door is Door.COMMAND:
                return Reply(body=disconnected(self.commands.docs_url))
            return Reply(403)

        if door is Door.EVENT:
            return await self._event(installation, payload)

        if door is Door.COMMAND:
            return await self._command(installation, payload)

        if door is Door.ACTION:
            return await self._accept(door, installation, payload, f"action {secrets.token_hex(8)}")

        return Reply(body={"options": []})

    async def _event(self, installation: rows.Installation, payload: Mapping[str, Any]) -> Reply:
        if payload.get("type") == "app_rate_limited":
            log.warning("slack_app_rate_limited", team=installation.team)
            return Reply()

        event = payload.get("event")
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            return Reply(400)

        if lacks_ids(event):
            return Reply(400)

        if not matters(event):
            return Reply()

        stamp = text_of(event, "event_ts") or secrets.token_hex(8)
        id = text_of(payload, "event_id") or f"{event['type']} {stamp}"
        return await self._accept(Door.EVENT, installation, payload, id)

    async def _accept(
        self, door: Door, installation: rows.Installation, payload: Mapping[str, Any], id: str
    ) -> Reply:
        """Write down what arrived, once, and hand it to the pool."""
        try:
            # Where there is no room Slack sends it again; nothing was remembered of it.
            if not self.pool.has_room:
                return Reply(503)

            if await self.inbox.accept(id, door, json.dumps(payload)):
                self._begin(Accepted(id, door, "", utc_now()), installation, payload)
        except StoreUnavailable as error:
            log.warning("slack_not_accepted", id=id, why=str(error))
            return Reply(503)

        return Reply()

    async def _take_up(self, one: Accepted) -> None:
        """Begin again what was acknowledged and not finished."""
        payload = json.loads(one.payload)
        team = inbound.team_of(payload)
        installation = await self.workspaces.find(team)
        is_late = utc_now() - one.accepted_at > WORTH_DOING and not is_of_note(payload)
        if installation is None or is_late or one.attempts > MAX_ATTEMPTS:
            why = "too late" if is_late else "given up" if installation else "not installed"
            await self.workspaces.note(one.id, team, "taken up again", "skipped", why)
            self.inbox.finish(one.id)
            return

        await self.workspaces.note(one.id, team, "taken up again")
        self._begin(one, installation, payload)

    def _begin(
        self, one: Accepted, installation: rows.Installation, payload: Mapping[str, Any]
    ) -> None:
        follow: list[Work] = []

        async def work() -> None:
            if one.door == Door.ACTION:
                await self.actions.act(installation, payload, one.id)
            elif more := await self._work(installation, payload, one.id):
                follow.append(more)

        def done(_: BaseException | None) -> None:
            self.inbox.finish(one.id)

        def after(failure: BaseException | None) -> None:
            if passes(failure) and one.attempts < MAX_ATTEMPTS:
                pause_s = getattr(failure, "retry_after_s", None) or 5.0 * 2**one.attempts
                self.inbox.postpone(one.id, min(pause_s, LONGEST_PAUSE_S))
            elif not follow or not self.pool.submit("charts", follow[0], done):
                self.inbox.finish(one.id)

        if not self.pool.submit(one.door, work, after):
            self.inbox.postpone(one.id, 5.0)

    async def _work(
        self, installation: rows.Installation, payload: Mapping[str, Any], subject: str
    ) -> Work | None:
        """Do what an event is for; give what is left to do when people have their first answer."""
        event = payload["event"]
        kind = event["type"]
        if kind in GONE and concerns_us(event):
            await self.workspaces.mark_broken(installation, kind)
            await self.snapshots.revoke_installation(installation.team)
        elif kind in GONE or self._is_own(installation, payload):
            return None
        elif installation.broken in GONE:
            await self.workspaces.note(
                subject, installation.team, kind, "skipped", f"broken: {installation.broken}"
            )
        elif kind == "link_shared":
            return await self.unfurler.link_shared(installation, payload, subject)
        elif kind == "message":
            await self._message(installation, event, subject)
        return None

    def _is_own(self, installation: rows.Installation, payload: Mapping[str, Any]) -> bool:
        """Say whether our own app wrote this: it must never answer itself."""
        event = payload["event"]
        granted = payload.get("authorizations")
        bots = {installation.bot_user} | {
            one.get("user_id")
            for one in (granted if isinstance(granted, list) else [])
            if isinstance(one, dict) and one.get("is_bot") is True
        }
        return bool(event.get("bot_id")) or (event.get("user") or None) in bots - {None}

    async def _message(
        self, installation: rows.Installation, event: Mapping[str, Any], subject: str
    ) -> None:
        text = text_of(event, "text")
        if not text.strip():
            return

        if text_of(event, "subtype") not in _SPOKEN_SUBTYPES:
            return

        channel = text_of(event, "channel")
        asked = Asked(installation, text, text_of(event, "user"), channel, is_direct=True)
        answer = await self.commands.answer(asked)
        await self._log_unknown(installation, answer, subject)
        message = {
            "text": answer.text,
            "unfurl_links": False,
            "unfurl_media": False,
            **({"blocks": answer.blocks} if answer.blocks else {}),
        }
        key = f"reply:{installation.team}:{subject}"
        await self.queue.send(Outgoing(key, installation.id, channel, message, step="reply"))

    async def _command(self, installation: rows.Installation, payload: Mapping[str, Any]) -> Reply:
        text, user = text_of(payload, "text"), text_of(payload, "user_id")
        channel, name = text_of(payload, "channel_id"), text_of(payload, "channel_name")
        if needs_ids(text) and not (user and channel):
            return Reply(400)

        asked = Asked(
            installation,
            text,
            user,
            channel,
            name,
            text_of(payload, "response_url"),
            is_direct=name == DIRECT_MESSAGE or channel.startswith("D"),
        )
        answer = await self.commands.answer(asked)
        await self._log_unknown(installation, answer, "command")
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": answer.text,
        }
        return Reply(body=body | ({"blocks": answer.blocks} if answer.blocks else {}))

    async def _log_unknown(
        self, installation: rows.Installation, answer: Answer, subject: str
    ) -> None:
        if answer.unknown:
            await self.workspaces.note(
                subject, installation.team, "command", "unknown", answer.unknown
            )

    async def _install_from_settings(self) -> None:
        """Install the workspace of SLACK_BOT_TOKEN; asks Slack which one it is, until it says."""
        token, org = self._settings.text("SLACK_BOT_TOKEN"), self._settings.text("SLACK_ORG")
        wait_s = 1.0
        while True:
            try:
                told = await self.outbound.call(token, "auth.test")
                break
            except UpstreamError as error:
                log.warning("slack_token_not_proven", why=str(error), again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, 300.0)
        locked, said = self.workspaces.vault.lock(token), ""
        while problem := await self.metadata.run(_attach_from_settings, told, locked, org):
            # The organization may be created while we run, and counts at once then.
            if problem != said:
                log.error("slack_bot_token_unused", why=problem)
            said = problem
            await asyncio.sleep(ORG_AGAIN_S)


def _attach_from_settings(
    connection: Connection, told: Mapping[str, Any], locked: str, org: str
) -> str:
    from groundswell.store.metadata import tenancy

    if not isinstance(told.get("team_id"), str):
        return "Slack did not say which workspace SLACK_BOT_TOKEN belongs to"

    every = tenancy.list_organizations(connection)
    chosen = [one for one in every if one.slug == org] if org else every
    if len(chosen) != 1:
        return f"SLACK_ORG must name one organization; there are {len(every)}"

    rows.install(
        connection,
        team=told["team_id"],
        token=locked,
        org_id=chosen[0].id,
        now=utc_now(),
        name=str(told.get("team") or ""),
        bot_user=str(told.get("user_id") or "") or None,
    )
    return ""
