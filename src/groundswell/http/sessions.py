"""Login sessions: who is behind the cookie, and how often a password may be tried."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotAuthenticated, UserError
from groundswell.model.tenancy import Caller
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import sessions as rows

COOKIE = "groundswell_session"
LASTS = timedelta(days=14)
TRIES_PER_MINUTE = 5
TRIES_PER_MINUTE_OF_ADDRESS = 30
MAX_REMEMBERED = 10_000


async def session_caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Tell who is logged in on this connection; roles are read anew with every request.

    Raises NotAuthenticated without a session that holds.
    """
    token = connection.cookies.get(COOKIE)
    if not token:
        raise NotAuthenticated

    metadata: Metadata = connection.app.state.services.metadata
    return await metadata.run(_caller, token, datetime.now(UTC))


class TooManyTries(UserError):
    """Raised when a password was tried too often from one address."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"Too many login attempts. Try again in {wait_s} s.",
            code="too_many_tries",
            status=429,
        )
        self.wait_s = wait_s


class Tries:
    """Counts attempts within the last minute, per address and person, and per address."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def take(self, address: str, email: str, at: float) -> None:
        """Count one attempt. Raises TooManyTries when there are none left."""
        keys = (
            ((address, email.strip().lower()), TRIES_PER_MINUTE),
            ((address,), TRIES_PER_MINUTE_OF_ADDRESS),
        )
        for key, limit in keys:
            recent = self._recent.get(key, deque())
            while recent and recent[0] <= at - 60:
                recent.popleft()
            if len(recent) >= limit:
                raise TooManyTries(max(1, round(recent[0] + 60 - at)))

        for key, _ in keys:
            self._recent.setdefault(key, deque()).append(at)
            self._recent.move_to_end(key)
        while len(self._recent) > MAX_REMEMBERED:
            self._recent.popitem(last=False)


tries = Tries()


async def log_in(
    metadata: Metadata, email: str, password: str, *, address: str, now: datetime
) -> str | None:
    """Check a password and open a session; give its token, None when the two do not belong.

    Raises TooManyTries.
    """
    tries.take(address, email, time.monotonic())
    return await metadata.run(_open, email, password, now)


async def log_out(metadata: Metadata, token: str) -> None:
    """Close a session."""
    await metadata.run(rows.end, token)


def cookie(token: str, *, secure: bool) -> Cookie:
    """Make the cookie that carries a session; an empty token removes it."""
    return Cookie(
        key=COOKIE,
        value=token,
        max_age=int(LASTS.total_seconds()) if token else 0,
        path="/",
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def _open(connection: Connection, email: str, password: str, now: datetime) -> str | None:
    user = tenancy.verify_password(connection, email, password)
    return rows.begin(connection, user.id, now=now, lasts=LASTS) if user else None


def _caller(connection: Connection, token: str, now: datetime) -> Caller:
    user_id = rows.user_of(connection, token, now)
    if user_id is None:
        raise NotAuthenticated("The session has ended. Log in again.")

    return access.session_caller(connection, user_id)
