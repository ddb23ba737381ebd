"""Tokens at rest: encrypted with keys made from the service's secret keys, the first one writes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_PURPOSE = b"groundswell.slack.tokens:"


class Vault:
    """Encrypts and decrypts tokens; older keys still read."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in secret_keys])

    def lock(self, token: str) -> str:
        return self._fernet.encrypt(token.encode()).decode()

    def unlock(self, locked: str) -> str | None:
        """Give the token; None when no key of ours wrote it."""
        try:
            return self._fernet.decrypt(locked.encode()).decode()
        except InvalidToken:
            return None


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key.encode()).digest())
