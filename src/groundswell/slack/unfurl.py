"""A link_shared event → what appears below the links: text first, then the charts in its place.

Every link once; the first twenty with a chart; what the sharer may not see leaves no trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from groundswell.errors import GroundswellError, UserError
from groundswell.model.tenancy import OrgId, User
from groundswell.slack.dispatch import Work
from groundswell.slack.images import Ladder, Picture, Source
from groundswell.slack.inbound import text_of
from groundswell.slack.linking import Page, Signer, Ticket
from groundswell.slack.links import Kind, Link, parse_all
from groundswell.slack.messages.unfurls import chart_unfurl, link_prompt, not_unfurled
from groundswell.slack.outbound import SlackError
from groundswell.slack.preview import Preview, Previewer, Silent
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.workspaces import Workspaces, utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata.tenancy import list_features

MAX_CHARTS = 20
AT_ONCE = 6
COMPOSER = "composer"
DATA_KINDS = frozenset({Kind.DISCOVER, Kind.EXPLORE, Kind.WIDGET})
SHARED_NAMES = "organizations:slack-shared-channel-names"
# Each fits into the deadline of a piece of work, with time left to tell Slack.
ANSWERS_S, DRAWING_S = 9.0, 8.0
TOO_LATE = "The statistics did not answer in time. Try again later."
T = TypeVar("T")
ANALYTICS = "integrations.slack.chart_unfurl"


@dataclass(frozen=True, slots=True)
class Shared:
    """One link_shared event, read."""

    subject: str
    installation: rows.Installation
    target: Mapping[str, str]
    channel: str
    slack_user: str
    links: tuple[Link, ...]
    is_composer: bool
    is_external: bool


# Other rooms unfurl their own pages: (link, sharer or None, how to draw) → entry, or None.
Handler: TypeAlias = Callable[[Link, User | None, Shared], Awaitable[dict[str, Any] | None]]


class Unfurler:
    """Answers link_shared events."""

    def __init__(
        self,
        base_url: str,
        workspaces: Workspaces,
        queue: Queue,
        previewer: Previewer,
        ladder: Ladder,
        signer: Signer,
    ) -> None:
        self._base_url = base_url
        self._workspaces = workspaces
        self._queue = queue
        self._previewer = previewer
        self._ladder = ladder
        self._signer = signer
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.handlers: dict[Kind, Handler] = {}

    async def link_shared(
        self, installation: rows.Installation, payload: Mapping[str, Any], subject: str
    ) -> Work | None:
        """Unfurl the links of one message as text; give the work that puts charts in its place."""
        shared = await self._read(installation, payload, subject)
        if shared is None:
            return None

        user = None
        if shared.slack_user:
            user = await self._workspaces.metadata.run(
                rows.user_of, installation.id, shared.slack_user
            )
        data = [link for link in shared.links if link.kind in DATA_KINDS]
        asks = bool(data) and user is None
        others = [link for link in shared.links if link.kind not in DATA_KINDS]
        (previews, reasons), other_entries = await asyncio.gather(
            self._previews(shared, data, user), self._other_entries(shared, others, user)
        )
        entries = {p.link.url: chart_unfurl(p.told) for p in previews} | other_entries
        prompt = await self._prompt(shared, data) if asks else {}
        is_shown = False
        if not entries and not prompt:
            await self._note(shared, "nothing to unfurl", "skipped")
        else:
            is_shown = await self._send(shared, entries, prompt, "text")
        if user is not None and data:
            await self._record(shared, previews or data, user, len(previews))
        if reasons and not shared.is_composer:
            plain = {url.replace("&amp;", "&"): why for url, why in reasons.items()}
            await self._alone(shared, "reason", *not_unfurled(plain))
        if not previews or not is_shown or shared.is_composer:
            return None

        return lambda: self._charts(shared, previews[:MAX_CHARTS], entries)

    async def _read(
        self, installation: rows.Installation, payload: Mapping[str, Any], subject: str
    ) -> Shared | None:
        event = payload["event"]
        channel, user = text_of(event, "channel"), text_of(event, "user")
        links = parse_all(event.get("links"), self._base_url)
        slugs = await self._workspaces.metadata.run(rows.org_slugs, installation.org_ids)
        ours = tuple(link for link in links if link.org in slugs)
        team = installation.team
        if not ours:
            detail = f"{len(links)} links of ours, none of an organization attached here"
            await self._workspaces.note(subject, team, "links", "skipped", detail)
            return None

        is_composer = text_of(event, "source") == COMPOSER
        ts, unfurl_id = text_of(event, "message_ts"), text_of(event, "unfurl_id")
        target = {"channel": channel, "ts": ts}
        if unfurl_id and (is_composer or not (channel and ts)):
            target = {"unfurl_id": unfurl_id, "source": text_of(event, "source")}
        if not all(target.values()):
            await self._workspaces.note(subject, team, "links", "skipped", "no message to unfurl")
            return None

        return Shared(
            subject,
            installation,
            target,
            channel,
            user,
            ours,
            is_composer,
            payload.get("is_ext_shared_channel") is True,
        )

    async def _previews(
        self, shared: Shared, links: list[Link], user: User | None
    ) -> tuple[list[Preview], dict[str, str]]:
        if user is None:
            return [], {}

        made = await within(
            ANSWERS_S, [self._preview(shared, link, user) for link in links], TOO_LATE
        )
        previews = [found for found in made if isinstance(found, Preview)]
        reasons = {
            link.url: found for link, found in zip(links, made, strict=True)
            if isinstance(found, str) and found
        }  # fmt: skip
        return previews, reasons

    async def _preview(self, shared: Shared, link: Link, user: User) -> Preview | str:
        """Give the preview, or why there is none: "" when nobody may know."""
        try:
            async with self._turns:
                hides = shared.is_external and not await self._may_show_names(link.org)
                return await self._previewer.preview(link, user, now=utc_now(), hides_names=hides)
        except Silent as error:
            await self._note(shared, f"link {link.kind}", "hidden", str(error))
            return ""
        except UserError as error:
            await self._note(shared, f"link {link.kind}", "refused", error.message)
            return error.message
        except GroundswellError as error:
            await self._note(shared, f"link {link.kind}", "failed", str(error))
            return TOO_LATE

    async def _may_show_names(self, org: str) -> bool:
        def allowed(connection: Any) -> bool:
            org_id = rows.org_id_of(connection, org)
            features = list_features(connection, org_id) if org_id is not None else {}
            return features.get(SHARED_NAMES, False)

        return await self._workspaces.metadata.run(allowed)

    async def _other_entries(
        self, shared: Shared, links: list[Link], user: User | None
    ) -> dict[str, dict[str, Any]]:
        work = [self._other_entry(shared, link, user) for link in links]
        made = await within(ANSWERS_S, work, None)
        return {
            link.url: entry for link, entry in zip(links, made, strict=True) if entry is not None
        }

    async def _other_entry(
        self, shared: Shared, link: Link, user: User | None
    ) -> dict[str, Any] | None:
        handler = self.handlers.get(link.kind)
        if handler is None:
            return None

        try:
            async with self._turns:
                return await handler(link, user, shared)
        except GroundswellError as error:
            await self._note(shared, f"link {link.kind}", "failed", str(error))
            return None

    async def _prompt(self, shared: Shared, data: list[Link]) -> dict[str, Any]:
        """Ask the sharer to say who they are; where there is no channel, nobody is asked."""
        if shared.is_composer or not shared.channel or not shared.slack_user:
            return {}

        await self._record(shared, data, None, 0)
        ticket = Ticket(
            Page.LINK_IDENTITY, shared.installation.id, shared.slack_user, shared.channel
        )
        text, _ = link_prompt("")
        return {
            "user_auth_required": True,
            "user_auth_message": text,
            "user_auth_url": self._signer.url(ticket),
        }

    async def _send(
        self,
        shared: Shared,
        entries: Mapping[str, Any],
        prompt: Mapping[str, Any],
        step: str,
    ) -> bool:
        try:
            await self._unfurl(shared, entries, prompt)
        except SlackError as error:
            await self._note(shared, step, "failed", str(error))
            if error.is_dead_token:
                return False
            if prompt:
                await self._alone(shared, "prompt", *link_prompt(prompt["user_auth_url"]))
            if prompt and entries:
                return await self._send(shared, entries, {}, step)
            if error.retryable and not prompt:
                raise
            return False

        await self._note(shared, step, "ok", f"{len(entries)} links")
        return True

    async def _unfurl(
        self, shared: Shared, entries: Mapping[str, Any], prompt: Mapping[str, Any]
    ) -> None:
        await self._workspaces.call(
            shared.installation, "chat.unfurl", **shared.target, unfurls=dict(entries), **prompt
        )

    async def _alone(
        self, shared: Shared, step: str, text: str, blocks: list[dict[str, Any]]
    ) -> None:
        """Tell the sharer alone."""
        key = f"{step}:{shared.installation.team}:{shared.subject}"
        message = {"text": text, "blocks": blocks}
        id, user = shared.installation.id, shared.slack_user
        await self._queue.send(Outgoing(key, id, shared.channel, message, alone=user, step=step))

    async def _charts(
        self, shared: Shared, previews: list[Preview], entries: Mapping[str, Any]
    ) -> None:
        if not self._ladder.has_rung(shared.installation):
            return

        drawn = await within(DRAWING_S, [self._draw(shared, preview) for preview in previews], None)
        pictures = {
            preview.link.url: picture
            for preview, picture in zip(previews, drawn, strict=True)
            if picture is not None
        }
        if not pictures:
            return

        told = {preview.link.url: preview.told for preview in previews}

        async def send(sources: Mapping[str, Source]) -> None:
            full = {url: chart_unfurl(told[url], source) for url, source in sources.items()}
            await self._unfurl(shared, {**entries, **full}, {})

        await self._ladder.climb(shared.installation, pictures, send, subject=shared.subject)

    async def _draw(self, shared: Shared, preview: Preview) -> Picture | None:
        try:
            return await self._previewer.draw(preview)
        except GroundswellError as error:
            await self._note(shared, "draw", "failed", str(error))
            return None

    async def _record(
        self, shared: Shared, of: list[Link] | list[Preview], user: User | None, count: int
    ) -> None:
        first = of[0]
        org = first.org if isinstance(first, Link) else first.link.org

        def record(connection: Any) -> None:
            org_id: OrgId | None = rows.org_id_of(connection, org)
            data = {"organization_id": org_id, "unfurls_count": count}
            user_id = user.id if user else None
            rows.record(connection, ANALYTICS, data, utc_now(), org_id=org_id, user_id=user_id)

        await self._workspaces.writer.run(record)

    async def _note(self, shared: Shared, step: str, outcome: str, detail: str = "") -> None:
        await self._workspaces.note(shared.subject, shared.installation.team, step, outcome, detail)


async def within(seconds: float, work: Sequence[Coroutine[Any, Any, T]], otherwise: T) -> list[T]:
    """Do things side by side; what is not done in time counts as `otherwise`."""
    if not work:
        return []

    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.wait(tasks, timeout=seconds)
    finally:
        for task in tasks:
            task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    found: list[T] = []
    for result in done:
        if isinstance(result, asyncio.CancelledError):
            found.append(otherwise)
        elif isinstance(result, BaseException):
            raise result
        else:
            found.append(result)
    return found
