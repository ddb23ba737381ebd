"""Envelopes → a project's door, as an SDK would send them, waiting when the door says so."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx

from groundswell import __version__
from groundswell.errors import GroundswellError, UserError

TRIES = 5
BUSY = frozenset({429, 502, 503, 504})
LONGEST_WAIT_S = 300.0
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where envelopes go."""

    url: str
    key: str

    @classmethod
    def parse(cls, dsn: str) -> Self:
        """Read a DSN. Raises UserError."""
        parts = urlsplit(dsn)
        prefix, _, project = parts.path.rstrip("/").rpartition("/")
        if parts.scheme not in {"http", "https"} or not parts.username or not project:
            raise UserError(f"{dsn!r} is not a DSN: it looks like https://key@host/1.", field="dsn")

        host = parts.netloc.rpartition("@")[2]
        return cls(f"{parts.scheme}://{host}{prefix}/api/{project}/envelope/", parts.username)


@dataclass(slots=True)
class Sent:
    """What became of the envelopes."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


async def send(envelopes: Iterator[bytes], target: Target, connections: int) -> Sent:
    """Send every envelope once; one that is refused for what it is does not stop the rest.

    Raises GroundswellError when nobody answers.
    """
    sent = Sent()
    headers = {
        "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={target.key}, "
        f"sentry_client=groundswell-import/{__version__}",
        "Content-Type": "application/x-sentry-envelope",
        "Content-Encoding": "gzip",
    }
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S) as client:
        failures = await asyncio.gather(
            *(_send_all(client, envelopes, target, sent) for _ in range(connections)),
            return_exceptions=True,
        )
    for failure in failures:
        if isinstance(failure, BaseException):
            raise failure

    return sent


async def _send_all(
    client: httpx.AsyncClient, envelopes: Iterator[bytes], target: Target, sent: Sent
) -> None:
    for envelope in envelopes:
        answer = await _post(client, target.url, gzip.compress(envelope, 1))
        sent.sent += 1
        if answer.is_success:
            sent.accepted += 1
        else:
            sent.refused += 1
            sent.reasons[f"{answer.status_code} {_reason(answer)}"] += 1


async def _post(client: httpx.AsyncClient, url: str, body: bytes) -> httpx.Response:
    tries = 0
    while True:
        try:
            answer = await client.post(url, content=body)
        except httpx.TransportError as error:
            tries += 1
            if tries == TRIES:
                raise GroundswellError(f"{url} does not answer: {error!r}") from None

            await asyncio.sleep(tries)
            continue

        if answer.status_code not in BUSY:
            return answer

        await asyncio.sleep(_wait_s(answer))


def _wait_s(answer: httpx.Response) -> float:
    try:
        return min(float(answer.headers.get("retry-after", "5")), LONGEST_WAIT_S)
    except ValueError:
        return 5.0


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])[:200]
    except (ValueError, KeyError, TypeError):
        return str(answer.headers.get("x-sentry-error", ""))[:200]
