"""May this request come in? Keys, options and limits as they were at most a second ago.

The metadata's version is read, not a clock waited for: an SDK that gets a 403 drops for good, so
nothing is refused before the version was read after the request came.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from groundswell.errors import GroundswellError, UserError
from groundswell.ingest.quotas import Limit, Limiter
from groundswell.ingest.records import DigestContext, Filters, ProjectOptions, Scrubbing
from groundswell.store.lifecycle import retention
from groundswell.store.lifecycle.retention import KINDS
from groundswell.store.metadata import Metadata, admission
from groundswell.store.metadata.admission import KeyRow, World
from groundswell.store.metadata.version import version
from groundswell.telemetry import logger

log = logger("ingest.admission")
REFRESH_S = 0.5
# One text for an unknown project, an unknown key and a key of another project.
REFUSED = "Project or key is unknown, or the key is disabled."


class Refused(UserError):
    """Raised when a key does not open this project; it does not tell whether either exists."""

    def __init__(self) -> None:
        super().__init__(REFUSED, code="refused", status=403)


class Admission:
    """Keeps the world of keys and options up to date."""

    def __init__(self, metadata: Metadata, retention_days: int) -> None:
        self._metadata = metadata
        self._retention_days = retention_days
        self._world = World(-1, {}, {}, {})
        self._limits: dict[int, tuple[Limit, ...]] = {}
        self._checking: asyncio.Task[None] | None = None
        self.limiter = Limiter()
        self.context = DigestContext(
            projects={}, default=ProjectOptions(retention_days=retention_days)
        )

    async def start(self) -> None:
        """Read the world for the first time. Raises StoreUnavailable."""
        await self._check()

    async def keep_fresh(self) -> None:
        """Follow changes until cancelled; a database that is away changes nothing."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.check_now()
            except GroundswellError as error:
                log.warning("metadata_away", error=str(error))

    async def check_now(self) -> None:
        """Return once the world is at least as new as this call; callers share a reading."""
        if self._checking is not None and not self._checking.done():
            # That one may have read before we were called: the next one has not.
            await asyncio.wait([self._checking])
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        await asyncio.shield(self._checking)

    async def _check(self) -> None:
        if await self._metadata.run(version) != self._world.version:
            self._accept(await self._metadata.run(admission.load))

    def _accept(self, world: World) -> None:
        self._limits = {key.key_id: _limits_of(key, world) for key in world.keys.values()}
        self.limiter.forget(limit for row in self._limits.values() for limit in row)
        projects = {
            project: options_from(values, self._retention_days)
            for project, values in world.options.items()
        }
        self.context = DigestContext(projects=projects, default=self.context.default)
        self._world = world

    async def admit(self, public_key: str, project: str) -> KeyRow:
        """Find the key. `project` is the id in the path, "" to take the key's own.

        Raises Refused.
        """
        row = self._find(public_key, project)
        if row is None:
            await self.check_now()
            row = self._find(public_key, project)
        if row is None:
            raise Refused

        return row

    def _find(self, public_key: str, project: str) -> KeyRow | None:
        row = self._world.keys.get(public_key)
        if row is None or not row.is_active or project not in {"", str(row.project_id)}:
            return None

        return row

    def limits(self, key_id: int) -> tuple[Limit, ...]:
        """Every rate limit that a key is under."""
        return self._limits.get(key_id, ())


def _limits_of(key: KeyRow, world: World) -> tuple[Limit, ...]:
    owners = (("organization", key.org_id), ("project", key.project_id), ("key", key.key_id))
    own = (Limit("key", key.key_id, "", *key.rate_limit),) if key.rate_limit else ()
    return own + tuple(
        Limit(scope, owner, *row)
        for scope, owner in owners
        for row in world.limits.get((scope, owner), ())
    )


def options_from(values: Mapping[str, Any], retention_days: int) -> ProjectOptions:
    """Stored options → what the digest reads; a part of a wrong type keeps its default."""
    return ProjectOptions(
        retention_days=retention_days,
        retention={kind: retention.retention_days(retention_days, values, kind) for kind in KINDS}
        if retention.OPTION in values
        else {},
        scrubbing=_part(values.get("scrubbing"), Scrubbing) or Scrubbing(),
        filters=_part(values.get("filters"), Filters) or Filters(),
    )


def check_option(name: str, value: Any) -> None:
    """Refuse an option of the digest that it could not read. Raises UserError."""
    kind = _PARTS.get(name)
    if kind is None or value is None:
        return

    known = [each.name for each in dataclasses.fields(kind)]
    unknown = [key for key in value if key not in known] if isinstance(value, dict) else []
    if unknown:
        raise UserError(
            f"{name} has no part {unknown[0]!r}; there are {', '.join(known)}.", field=name
        )

    try:
        read = msgspec.convert(value, kind)
        for pattern in read.patterns if isinstance(read, Scrubbing) else ():
            re.compile(pattern)
    except (msgspec.ValidationError, re.error) as error:
        raise UserError(f"{name}: {error}", field=name) from None


_PARTS: Mapping[str, type[Scrubbing] | type[Filters]] = {
    "scrubbing": Scrubbing,
    "filters": Filters,
}


def _part(value: Any, kind: type) -> Any:
    try:
        return msgspec.convert(value, kind) if value is not None else None
    except msgspec.ValidationError as error:
        log.warning("unreadable_option", error=str(error))
        return None
