"""The ladder by which charts reach Slack: an address that Slack fetches, an uploaded file, text.

`rungs` decides, `Ladder` climbs down; the rung that worked is remembered for the workspace.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from groundswell.charts.snapshots import Snapshots
from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.slack.outbound import SlackError
from groundswell.slack.workspaces import Workspaces, utc_now
from groundswell.store.metadata import slack as rows

URL, FILE = "url", "file"
RETRY_AFTER_S = 3600.0
# Slack's words for what will not work the next time either.
_FINAL = frozenset(
    (
        *("invalid_blocks", "invalid_blocks_format", "cannot_parse_attachment"),
        *("invalid_attachments", "invalid_arguments", "missing_scope"),
    )
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart with what it shows."""

    png: bytes
    alt: str
    org_id: OrgId
    project_ids: tuple[ProjectId, ...]


Source = Mapping[str, Any]
Send = Callable[[Mapping[str, Source]], Awaitable[None]]


def rungs(setting: str, base_url: str, remembered: str | None) -> tuple[str, ...]:
    """List the ways to try, best first. `setting` is SLACK_IMAGES."""
    if setting == "none":
        return ()

    if setting in {URL, FILE}:
        return (setting,)

    open_ways = (URL, FILE) if is_public(base_url) else (FILE,)
    return tuple(sorted(open_ways, key=lambda way: way != remembered))


def is_public(base_url: str) -> bool:
    """Say whether an address could be reached from Slack's servers."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme != "https" or "." not in host or host.endswith((".local", ".internal")):
        return False

    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True


class Ladder:
    """Brings pictures to Slack, by the best way that works for a workspace."""

    def __init__(
        self, setting: str, base_url: str, workspaces: Workspaces, snapshots: Snapshots
    ) -> None:
        self._setting = setting
        self._base_url = base_url
        self._workspaces = workspaces
        self._snapshots = snapshots
        self._hopeless: dict[tuple[int, str], float] = {}

    def has_rung(self, installation: rows.Installation) -> bool:
        """Say whether there is a way to try, so that no chart is drawn for nobody."""
        ways = rungs(self._setting, self._base_url, installation.rung)
        return any(not self._is_hopeless(installation, way) for way in ways)

    async def climb(
        self,
        installation: rows.Installation,
        pictures: Mapping[str, Picture],
        send: Send,
        *,
        subject: str,
    ) -> str | None:
        """Send pictures by their keys; give the rung that worked, None when none did.

        `send` gets the source of each image block and raises SlackError when Slack refuses.
        """
        for way in rungs(self._setting, self._base_url, installation.rung):
            if self._is_hopeless(installation, way):
                continue
            try:
                sources = await self._sources(installation, way, pictures)
                await send(sources)
            except SlackError as error:
                detail = str(error)
                await self._workspaces.note(
                    subject, installation.team, f"image by {way}", "failed", detail
                )
                if error.is_dead_token:
                    return None
                # A file that Slack still works on says nothing about the next one.
                if error.error in _FINAL and "invalid slack file" not in detail:
                    self._hopeless[installation.id, way] = time.monotonic()
                continue
            if installation.rung != way:
                await self._workspaces.learn(installation, rung=way)
            await self._workspaces.note(subject, installation.team, f"image by {way}")
            return way
        return None

    async def source(self, installation: rows.Installation, picture: Picture) -> Source | None:
        """Bring one picture for a message that is sent later; None when there is no way.

        Raises SlackError.
        """
        for way in rungs(self._setting, self._base_url, installation.rung):
            return (await self._sources(installation, way, {"": picture}))[""]
        return None

    def _is_hopeless(self, installation: rows.Installation, way: str) -> bool:
        failed_at = self._hopeless.get((installation.id, way))
        if failed_at is None or self._setting != "auto":
            return False

        return time.monotonic() - failed_at < RETRY_AFTER_S

    async def _sources(
        self, installation: rows.Installation, way: str, pictures: Mapping[str, Picture]
    ) -> dict[str, Source]:
        one = self._as_url if way == URL else self._as_file
        made = await asyncio.gather(*(one(installation, p) for p in pictures.values()))
        return dict(zip(pictures, made, strict=True))

    async def _as_url(self, installation: rows.Installation, picture: Picture) -> Source:
        path = await self._snapshots.store(
            picture.png,
            org_id=picture.org_id,
            project_ids=picture.project_ids,
            now=utc_now(),
            installation=installation.team,
        )
        return {"image_url": self._base_url + path}

    async def _as_file(self, installation: rows.Installation, picture: Picture) -> Source:
        id = await self._workspaces.upload(installation, "chart.png", picture.png, picture.alt)
        return {"slack_file": {"id": id}}
