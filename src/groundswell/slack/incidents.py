"""Incidents on their way to channels: one message per incident, its course in the thread below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from groundswell.model.tenancy import OrgId
from groundswell.slack.images import Ladder, Picture
from groundswell.slack.messages.incidents import DESCRIPTION_FEATURE, Incident, incident_message
from groundswell.slack.outbound import SlackError
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.workspaces import GONE, Workspaces
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_outbox as outbox
from groundswell.store.metadata.tenancy import list_features


class IncidentSender:
    """Puts incident messages into the queue."""

    def __init__(self, base_url: str, workspaces: Workspaces, queue: Queue, ladder: Ladder) -> None:
        self._base_url = base_url
        self._workspaces = workspaces
        self._queue = queue
        self._ladder = ladder

    async def send(
        self,
        org_id: OrgId,
        channel: str,
        incident: Incident,
        *,
        key: str,
        action: str = "",
        picture: Picture | None = None,
        edits: bool = False,
    ) -> bool:
        """Tell a channel of an incident's new status; False when nobody can be told, or was.

        key: makes a retry the same message. action: the trigger action; with rule and incident it
        names the thread. The first message of the thread is edited to show the present status;
        with `edits` that is all that happens.
        """
        installation, shows_notes = await self._workspaces.metadata.run(_whom, org_id)
        if installation is None:
            return False

        if not shows_notes:
            incident = replace(incident, notes="")
        source = None
        if picture is not None:
            try:
                source = await self._ladder.source(installation, picture)
            except SlackError as error:
                # A chart that cannot be shown never loses the message it belongs to.
                await self._workspaces.note(key, installation.team, "picture", "failed", str(error))
        message = incident_message(incident, self._base_url, source)
        thread = f"incident:{incident.rule_id}:{incident.number}:{action}"
        outgoing = Outgoing(
            key,
            installation.id,
            channel,
            message,
            thread=thread,
            broadcast=incident.status == "Critical",
            edits=edits,
        )
        has_begun = await self._workspaces.metadata.run(outbox.has_begun, thread, channel)
        if edits and not has_begun:
            # The first message never arrived, so there is nothing to edit.
            return True

        is_new = await self._queue.send(outgoing)
        if is_new and has_begun and not edits:
            await self._queue.send(replace(outgoing, key=f"{key}:edit", edits=True))
        return is_new

    async def say(
        self, org_id: OrgId, channel: str, message: Mapping[str, Any], *, key: str
    ) -> bool:
        """Put any message for a channel into the queue; False when nobody can be told."""
        installation, _ = await self._workspaces.metadata.run(_whom, org_id)
        if installation is None:
            return False

        await self._queue.send(Outgoing(key, installation.id, channel, message))
        return True

    async def can_reach(self, org_id: OrgId) -> bool:
        """Say whether a workspace is connected to an organization."""
        installation, _ = await self._workspaces.metadata.run(_whom, org_id)
        return installation is not None


def _whom(connection: Connection, org_id: OrgId) -> tuple[rows.Installation | None, bool]:
    features = list_features(connection, org_id)
    found = (
        one for one in rows.every(connection) if org_id in one.org_ids and one.broken not in GONE
    )
    return next(found, None), features.get(DESCRIPTION_FEATURE, True)
