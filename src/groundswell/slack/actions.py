"""Buttons: a press → what it does. Rooms that own buttons register a handler by `action_id`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from groundswell.model.tenancy import User
from groundswell.slack.inbound import text_of
from groundswell.slack.messages.linking import PRESS_NEEDS_IDENTITY
from groundswell.slack.messages.unfurls import IGNORE_ACTION, LINK_ACTION
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.workspaces import Workspaces, utc_now
from groundswell.store.metadata import slack as rows

ANALYTICS = "integrations.slack.chart_unfurl_action"
_PROMPT = frozenset({LINK_ACTION, IGNORE_ACTION})


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press of a button by a person who is known here."""

    installation: rows.Installation
    user: User
    slack_user: str
    action_id: str
    value: str
    channel: str
    message_ts: str
    response_url: str


# What a handler gives back is told to the presser alone; None says nothing.
Handler: TypeAlias = Callable[[Pressed], Awaitable[str | None]]


class Actions:
    """Answers presses. What nobody registered (buttons that only open an address) does nothing."""

    def __init__(self, workspaces: Workspaces, queue: Queue) -> None:
        self._workspaces = workspaces
        self._queue = queue
        self.handlers: dict[str, Handler] = {}

    async def act(
        self, installation: rows.Installation, payload: Mapping[str, Any], subject: str
    ) -> None:
        """Do what the buttons of one payload mean; `subject` names it, in the log too."""
        response_url = text_of(payload, "response_url")
        slack_user = text_of(_object(payload, "user"), "id")
        is_unfurl = _object(payload, "container").get("is_app_unfurl") is True
        actions = payload.get("actions")
        for number, action in enumerate(actions if isinstance(actions, list) else []):
            if not isinstance(action, dict):
                continue
            action_id, value = text_of(action, "action_id"), text_of(action, "value")
            handler = self.handlers.get(action_id.partition("::")[0])
            answer = Outgoing(
                f"{subject}:{number}", installation.id, "", {}, response_url=response_url
            )
            if value in _PROMPT or action_id in _PROMPT:
                await self._prompt(installation, value or action_id, slack_user, answer)
            elif handler is not None:
                pressed = (action_id, value, _channel(payload), _message(payload), response_url)
                said = await self._press(installation, slack_user, handler, pressed)
                if said:
                    await self._say(answer, said, is_unfurl=is_unfurl)

    async def _prompt(
        self, installation: rows.Installation, chosen: str, slack_user: str, answer: Outgoing
    ) -> None:
        org_id = installation.org_ids[0] if installation.org_ids else None

        def record(connection: Connection) -> None:
            user = rows.user_of(connection, installation.id, slack_user)
            data = {"organization_id": org_id, "action": chosen}
            user_id = user.id if user else None
            rows.record(connection, ANALYTICS, data, utc_now(), org_id=org_id, user_id=user_id)

        await self._workspaces.writer.run(record)
        await self._respond(answer, {"delete_original": True}, step="delete_original")

    async def _press(
        self,
        installation: rows.Installation,
        slack_user: str,
        handler: Handler,
        pressed: tuple[str, str, str, str, str],
    ) -> str | None:
        user = await self._workspaces.metadata.run(rows.user_of, installation.id, slack_user)
        if user is None:
            return PRESS_NEEDS_IDENTITY

        return await handler(Pressed(installation, user, slack_user, *pressed))

    async def _say(self, answer: Outgoing, text: str, *, is_unfurl: bool) -> None:
        body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False}
        section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
        # Slack refuses `text` where the pressed button stands in an unfurl.
        body |= {"blocks": [section]} if is_unfurl else {"text": text}
        await self._respond(answer, body, step="response")

    async def _respond(self, answer: Outgoing, body: Mapping[str, Any], *, step: str) -> None:
        if answer.response_url:
            await self._queue.send(replace(answer, arguments=body, step=step))


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def _channel(payload: Mapping[str, Any]) -> str:
    return text_of(_object(payload, "channel"), "id")


def _message(payload: Mapping[str, Any]) -> str:
    found = text_of(_object(payload, "container"), "message_ts")
    return found or text_of(_object(payload, "message"), "ts")
