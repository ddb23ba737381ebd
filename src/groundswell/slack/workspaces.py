"""The workspaces as the running service sees them: looked up, called on, marked when they break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from groundswell.model.tenancy import OrgId
from groundswell.slack.outbound import Outbound, SlackError
from groundswell.slack.vault import Vault
from groundswell.slack.writer import Writer
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_outbox as log_rows
from groundswell.telemetry import logger

# What the command line changes must count within a second.
REMEMBER_S = 0.8
PROVE_EVERY_S, PROVE_AGAIN_S = 20.0, 600.0
# Slack's words for an app that is gone: nothing is asked of it until somebody installs it again.
GONE = frozenset({"app_uninstalled", "tokens_revoked"})
FOREIGN = "the token belongs to another workspace"
log = logger("slack")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspaces:
    """Finds installations, calls Slack for them and writes the delivery log."""

    def __init__(
        self,
        metadata: Metadata,
        outbound: Outbound,
        vault: Vault,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metadata = metadata
        self.outbound = outbound
        self.vault = vault
        self.writer = Writer(metadata)
        self._clock = clock
        self._known: dict[str, tuple[float, rows.Installation]] = {}

    async def find(self, team: str) -> rows.Installation | None:
        """Find the workspace of a request; only what exists is remembered, and briefly."""
        if not team:
            return None

        known = self._known.get(team)
        if known is not None and self._clock() - known[0] < REMEMBER_S:
            return known[1]

        found = await self.metadata.run(rows.by_team, team[:32])
        if found is None:
            self._known.pop(team, None)
        else:
            self._known[team] = (self._clock(), found)
        return found

    async def call(
        self, installation: rows.Installation, method: str, **arguments: Any
    ) -> dict[str, Any]:
        """Call Slack with the workspace's token. Raises SlackError; a dead token is marked."""
        token = self.token(installation)
        try:
            answer = await self.outbound.call(token, method, **arguments)
        except SlackError as error:
            if error.is_dead_token and installation.broken != error.error:
                await self.mark_broken(installation, error.error)
            raise

        if installation.broken is not None and installation.broken != FOREIGN:
            await self.learn(installation, broken=None)
        return answer

    async def upload(
        self, installation: rows.Installation, name: str, content: bytes, alt_text: str
    ) -> str:
        """Upload a file for the workspace and give its id. Raises SlackError."""
        return await self.outbound.upload(self.token(installation), name, content, alt_text)

    def token(self, installation: rows.Installation) -> str:
        """Give the token in the clear. Raises SlackError when no key of ours opens it."""
        token = self.vault.unlock(installation.token)
        if token is None:
            raise SlackError("token", "token_unreadable")

        return token

    async def bot_user(self, installation: rows.Installation) -> str | None:
        """Tell the app's own user, learning it from Slack the first time."""
        if installation.bot_user:
            return installation.bot_user

        try:
            told = await self.call(installation, "auth.test", tries=1)
        except SlackError:
            return None

        if told.get("team_id") not in {None, installation.team}:
            await self.mark_broken(installation, FOREIGN)
            return None

        user = told.get("user_id")
        facts = {"bot_user": user, "name": told.get("team")}
        await self.learn(installation, **{k: v for k, v in facts.items() if isinstance(v, str)})
        await self.metadata.run(rows.prove, installation.id)
        return user if isinstance(user, str) else None

    async def prove_tokens(self) -> None:
        """Ask Slack, as long as it runs, whose the tokens are that were never proven."""
        tried: dict[tuple[int, str], float] = {}
        while True:
            try:
                await self._prove(tried)
            except Exception as error:
                log.error("slack_tokens_not_proven", exc_info=error)
            await asyncio.sleep(PROVE_EVERY_S)

    async def _prove(self, tried: dict[tuple[int, str], float]) -> None:
        for one in await self.metadata.run(rows.every):
            key, now = (one.id, one.token), self._clock()
            is_due = key not in tried or now - tried[key] >= PROVE_AGAIN_S
            if one.bot_user is None and one.broken is None and is_due:
                tried[key] = now
                await self.bot_user(one)
        for one, org_id, token in await self.metadata.run(rows.waiting_for_proof):
            key, now = (one.id, token), self._clock()
            if key not in tried or now - tried[key] >= PROVE_AGAIN_S:
                tried[key] = now
                await self._prove_attachment(one, org_id, token)

    async def _prove_attachment(
        self, installation: rows.Installation, org_id: OrgId, locked: str
    ) -> None:
        """Ask Slack whose the token of an attachment is; one that works replaces a broken one."""
        token = self.vault.unlock(locked)
        try:
            told = await self.outbound.call(token or "", "auth.test", tries=1)
        except SlackError as error:
            if not error.is_dead_token:
                return
            told = {"team_id": error.error}
        if not isinstance(told.get("team_id"), str):
            return

        is_ours = told["team_id"] == installation.team
        if is_ours and installation.broken is not None:
            await self.learn(installation, token=locked, broken=None)
        await self.metadata.run(rows.settle_proof, installation, org_id, is_ours=is_ours)
        self._known.pop(installation.team, None)
        outcome = "ok" if is_ours else "refused"
        await self.note(f"organization {org_id}", installation.team, "proof", outcome)

    async def learn(self, installation: rows.Installation, **facts: str | None) -> None:
        if facts:
            await self.metadata.run(rows.learn, installation.id, **facts)
            self._known.pop(installation.team, None)

    async def mark_broken(self, installation: rows.Installation, reason: str) -> None:
        """Record that a workspace does not work any more, so that people can see it."""
        log.warning("slack_installation_broken", team=installation.team, reason=reason)
        await self.learn(installation, broken=reason[:255])

    async def note(
        self, subject: str, team: str, step: str, outcome: str = "ok", detail: str = ""
    ) -> None:
        """Write a line of the delivery log."""
        await self.writer.run(log_rows.log_step, subject, team, step, outcome, detail, utc_now())
