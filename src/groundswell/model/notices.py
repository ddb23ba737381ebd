"""What there is to tell people. Alerts and trends emit notices; `notify` and `slack` deliver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from groundswell.model.tenancy import OrgId


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell, from plain data. `key` makes a retry the same notice, not a second one.

    kind: "incident", "trend", "digest" … ; `body` holds the plain data that builders of messages
    read; `targets` are where it goes: ("slack", "C123"), ("email", "a@x.org"), ("webhook", url).
    """

    kind: str
    key: str
    org_id: OrgId
    body: Mapping[str, object]
    targets: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


class Notifier(Protocol):
    """Takes notices and sees that they arrive."""

    async def notify(self, notice: Notice) -> None: ...
