"""What the stand-in for Slack holds: one workspace with tokens, people, channels and messages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ALL_SCOPES = frozenset(
    (
        *("links:read", "links:write", "chat:write", "chat:write.public", "commands"),
        *("files:write", "files:read", "im:history", "im:read", "im:write", "users:read"),
        *("users:read.email", "channels:read", "groups:read", "team:read", "connections:write"),
    )
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One misbehaviour: an HTTP answer, a call that never ends, or a connection that breaks."""

    kind: Literal["answer", "hang", "drop"] = "answer"
    status: int = 200
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Behaviour:
    """The switches. Everything is off or as Slack documents it until a test turns it.

    fetches_images: whether Slack's servers reach our addresses: over https only, over any scheme
    (as if a public proxy stood before us), or never. slack_file_in_unfurl: whether chat.unfurl
    takes uploaded files, which Slack's documentation leaves open.
    """

    fetches_images: Literal["https", "any", "never"] = "https"
    slack_file_in_unfurl: bool = True
    file_ready_after_s: float = 0.0
    limits_messages: bool = False
    failures: dict[str, deque[Failure]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    def fail(self, method: str, *failures: Failure) -> None:
        """Let the next calls of `method` fail this way, one after the other."""
        self.failures.setdefault(method, deque()).extend(failures)


@dataclass(slots=True)
class Message:
    """A message as the channel shows it, with what was unfurled below it."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    is_broadcast: bool = False
    only_for: str | None = None
    links: list[str] = field(default_factory=list)
    unfurls: dict[str, dict[str, Any]] = field(default_factory=dict)
    unfurl_history: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    auth_prompt: dict[str, Any] | None = None
    edits: int = 0


@dataclass(slots=True)
class File:
    id: str
    name: str
    length: int
    alt_text: str = ""
    content: bytes | None = None
    is_complete: bool = False
    ready_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Web API as it arrived, with what was answered."""

    method: str
    token: str
    args: Mapping[str, Any]
    answer: Mapping[str, Any]


class World:
    """One workspace. `clock` is monotonic seconds, given by tests that turn it themselves."""

    def __init__(
        self,
        *,
        team: str = "T0001",
        bot_token: str = "xoxb-simulated",  # noqa: S107
        app_token: str = "xapp-simulated",  # noqa: S107
        scopes: frozenset[str] = ALL_SCOPES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.team = team
        self.team_name = "Simulated Workspace"
        self.bot_user = "U0BOT"
        self.bot_id = "B0BOT"
        self.tokens: dict[str, frozenset[str]] = {bot_token: scopes, app_token: scopes}
        self.users: dict[str, dict[str, Any]] = {
            "U0001": person("U0001", "ada", "Ada Lovelace", "ada@example.com"),
        }
        self.channels: dict[str, dict[str, Any]] = {
            "C0001": {"id": "C0001", "name": "general", "is_channel": True, "is_member": True},
        }
        self.messages: list[Message] = []
        self.files: dict[str, File] = {}
        self.calls: list[Call] = []
        self.refusals: list[str] = []
        self.responses: list[tuple[str, dict[str, Any]]] = []
        self.last_post: dict[str, float] = {}
        self.behaviour = Behaviour()
        self.clock = clock
        self._count = 0

    def next_ts(self) -> str:
        self._count += 1
        return f"{int(time.time())}.{self._count:06d}"

    def next_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:010X}"

    def share(self, channel: str, user: str, *urls: str, ts: str | None = None) -> Message:
        """Let a person write a message with links, which may then unfurl."""
        message = Message(channel, ts or self.next_ts(), user, " ".join(urls), links=list(urls))
        self.messages.append(message)
        return message

    def message(self, channel: str, ts: str) -> Message | None:
        found = (m for m in self.messages if m.channel == channel and m.ts == ts)
        return next(found, None)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]


def person(id: str, name: str, real_name: str, email: str) -> dict[str, Any]:
    """Describe a user as users.info does."""
    profile = {"real_name": real_name, "display_name": name, "email": email, "image_48": ""}
    return {"id": id, "name": name, "is_bot": False, "deleted": False, "profile": profile}
