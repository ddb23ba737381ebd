"""Signed links to pages of ours: 15 minutes, once, bound to a workspace and a Slack user."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

VALID_S = 15 * 60
_SALT = "slack-page"


class Page(StrEnum):
    """The pages, by the word in their address."""

    LINK_IDENTITY = "link-identity"
    UNLINK_IDENTITY = "unlink-identity"
    LINK_TEAM = "link-team"
    UNLINK_TEAM = "unlink-team"


class BadLink(Exception):
    """Raised when a signed address is forged or for another page."""


class ExpiredLink(BadLink):
    """Raised when a signed address was good once."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a signed address carries. `org` is 0 where the page chooses."""

    page: str
    installation: int
    slack_user: str
    channel: str
    channel_name: str = ""
    response_url: str = ""
    org: int = 0
    nonce: str = ""


class Signer:
    """Writes and reads the addresses. The first secret key signs, all of them verify."""

    def __init__(
        self, secret_keys: Sequence[str], base_url: str, *, valid_s: int = VALID_S
    ) -> None:
        # The serializer signs with the last of its keys.
        self._serializer = URLSafeTimedSerializer(list(reversed(secret_keys)), salt=_SALT)
        self._base_url = base_url
        self._valid_s = valid_s

    def url(self, ticket: Ticket) -> str:
        """Give a fresh address for a ticket; each one is another, and works once."""
        fields = {**asdict(ticket), "nonce": secrets.token_urlsafe(12)}
        signed = str(self._serializer.dumps({k: v for k, v in fields.items() if v}))
        return f"{self._base_url}/extensions/slack/{ticket.page}/{signed}/"

    def read(self, page: Page, signed: str) -> Ticket:
        """Read what an address carries. Raises ExpiredLink or BadLink."""
        try:
            fields = self._serializer.loads(signed, max_age=self._valid_s)
        except SignatureExpired:
            raise ExpiredLink from None
        except (BadData, ValueError):
            raise BadLink from None

        ticket = _ticket(fields)
        if ticket is None or ticket.page != page:
            raise BadLink

        return ticket


def _ticket(fields: object) -> Ticket | None:
    if not isinstance(fields, Mapping):
        return None

    try:
        known: dict[str, Any] = {str(k): v for k, v in fields.items()}
        return Ticket(**known)
    except TypeError:
        return None
