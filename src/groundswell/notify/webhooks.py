"""Notices by webhook: JSON, signed, to public addresses only, without following redirects."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from typing import Any

import msgspec

from groundswell.errors import UpstreamError
from groundswell.model.tenancy import OrgId
from groundswell.notify.addresses import pin
from groundswell.notify.words import words_of
from groundswell.store.metadata.notify import Delivery

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 1024 * 1024
SIGNATURE = "X-Groundswell-Signature"
_LATER = frozenset({408, 425, 429})


class Webhooks:
    """Posts notices. Receivers check the signature with the secret of their organization."""

    def __init__(self, secret_key: str, base_url: str, *, allow_private: bool) -> None:
        self._secret_key = secret_key
        self._base_url = base_url
        self._allow_private = allow_private

    def secret(self, org_id: OrgId) -> str:
        """Give the secret that the webhooks of an organization are signed with."""
        return secret_of(self._secret_key, org_id)

    async def send(self, delivery: Delivery) -> str:
        """Post one notice. Raises UpstreamError."""
        pinned = await pin(delivery.target, allow_private=self._allow_private)
        content = msgspec.json.encode(self.payload(delivery))
        headers = {
            "Host": pinned.header,
            "Content-Type": "application/json",
            "User-Agent": "groundswell",
            "X-Groundswell-Delivery": hashlib.sha256(delivery.key.encode()).hexdigest()[:32],
            SIGNATURE: sign(self.secret(delivery.org_id), content, int(time.time())),
        }
        import httpx

        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await _post(pinned.url, pinned.host, content, headers)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            why = str(error) or type(error).__name__
            raise UpstreamError(f"The webhook failed: {why}", retryable=True) from None

        if 200 <= status < 300:
            return f"{status}"

        raise UpstreamError(
            f"The webhook answered {status}", retryable=status >= 500 or status in _LATER
        )

    def payload(self, delivery: Delivery) -> dict[str, Any]:
        """Write the body of a request."""
        words = words_of(delivery.kind, delivery.body, self._base_url)
        return {
            "version": 1,
            "kind": delivery.kind,
            "title": words.subject,
            "text": "\n".join(words.lines),
            "url": words.url,
            "data": dict(delivery.body),
        }


def secret_of(secret_key: str, org_id: OrgId) -> str:
    """Derive the secret of an organization's webhooks."""
    said = f"webhook:{org_id}".encode()
    return "gwh_" + hmac.new(secret_key.encode(), said, hashlib.sha256).hexdigest()


def sign(secret: str, content: bytes, at: int) -> str:
    """Sign a body at a moment: `t=<unix seconds>,v1=<hex of HMAC-SHA256 of "t.body">`."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


async def _post(url: str, host: str, content: bytes, headers: dict[str, str]) -> int:
    import httpx

    # Proxies of the environment would resolve the name again.
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", url, content=content, headers=headers, extensions={"sni_hostname": host}
        ) as answer,
    ):
        size = 0
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                break
        return answer.status_code
