"""The only caller of Slack's Web API: one client per token, one session, errors as values of ours.

Rate limits and failures that pass are retried a few times within the call, never longer than its
deadline; what must not be lost goes through the queue instead.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from groundswell.errors import UpstreamError
from groundswell.telemetry import counter

# aiohttp and slack_sdk are imported with the first call: a service without Slack starts sooner.
if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.errors import SlackApiError

CALL_TIMEOUT_S = 5.0
MAX_TRIES = 4
LONGEST_WAIT_S = 8.0
DEAD_TOKEN = frozenset(
    ("token_revoked", "account_inactive", "invalid_auth", "token_expired", "not_authed")
)
_PASSING = frozenset(
    (
        *("ratelimited", "internal_error", "fatal_error", "service_unavailable"),
        *("request_timeout", "team_added_to_org"),
    )
)
_calls = counter("slack_calls", "Calls of Slack's Web API.", ("method", "outcome"))


def import_clients() -> None:
    """Import what the first call needs, away from the event loop: a third of a second."""
    import aiohttp  # noqa: F401
    import slack_sdk.web.async_client  # noqa: F401


class SlackError(UpstreamError):
    """Raised when Slack refuses a call; `error` is its word for why, `answer` all it said."""

    def __init__(
        self,
        method: str,
        error: str,
        *,
        answer: Mapping[str, Any] | None = None,
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        reasons = ((answer or {}).get("response_metadata") or {}).get("messages") or []
        text = f"Slack refused {method}: {error}"
        super().__init__(
            text + (f" ({'; '.join(map(str, reasons))})" if reasons else ""),
            retryable=retryable,
            retry_after_s=retry_after_s,
        )
        self.method = method
        self.error = error
        self.answer = dict(answer or {})

    @property
    def is_dead_token(self) -> bool:
        return self.error in DEAD_TOKEN


class Outbound:
    """Calls Slack at `api_url`. `pause` waits between tries; tests give their own."""

    def __init__(
        self,
        api_url: str,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.api_url = api_url if api_url.endswith("/") else api_url + "/"
        self._timeout_s = timeout_s
        self._pause = pause
        self._session: aiohttp.ClientSession | None = None
        self._is_loopback = urlsplit(api_url).hostname in {"127.0.0.1", "localhost", "::1"}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self, token: str, method: str, *, tries: int = MAX_TRIES, **arguments: Any
    ) -> dict[str, Any]:
        """Call a method and give its answer. Raises SlackError."""
        given = {name: value for name, value in arguments.items() if value is not None}
        for attempt in range(1, tries + 1):
            try:
                answer = await self._once(token, method, given)
            except SlackError as error:
                _calls.labels(method, error.error).inc()
                wait_s = error.retry_after_s
                if wait_s is None:
                    wait_s = 0.25 * 2**attempt * (0.5 + random.random())
                if not error.retryable or attempt == tries or wait_s > LONGEST_WAIT_S:
                    raise
                await self._pause(wait_s)
            else:
                _calls.labels(method, "ok").inc()
                return answer
        raise AssertionError("unreachable")

    async def upload(self, token: str, name: str, content: bytes, alt_text: str) -> str:
        """Upload a file that is in no channel and give its id once Slack has processed it."""
        begun = await self.call(
            token, "files.getUploadURLExternal", filename=name, length=len(content),
            alt_txt=alt_text[:1000],
        )  # fmt: skip
        url, file_id = begun.get("upload_url"), begun.get("file_id")
        if not isinstance(url, str) or not isinstance(file_id, str):
            raise SlackError("files.getUploadURLExternal", "no_upload_url", answer=begun)

        await self._put(url, content)
        await self.call(
            token, "files.completeUploadExternal", files=[{"id": file_id, "title": name}]
        )
        await self._processed(token, file_id)
        return file_id

    async def _processed(self, token: str, file_id: str) -> None:
        """Wait until Slack has looked at a file: a block that names one too early is refused."""
        for wait_s in (0.0, 0.1, 0.2, 0.4, 0.8, 1.5):
            await self._pause(wait_s)
            try:
                info = await self.call(token, "files.info", tries=1, file=file_id)
            except SlackError as error:
                if error.is_dead_token:
                    raise
                # Without the right to look, a short wait has to do.
                continue
            file = info.get("file")
            if isinstance(file, dict) and file.get("mimetype"):
                return

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Answer a command or a button afterwards. Raises SlackError; refuses other addresses."""
        if not self.may_respond_to(response_url):
            raise SlackError("response_url", "foreign_address")

        import aiohttp

        try:
            async with self._open().post(
                response_url, json=dict(body), allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SlackError("response_url", type(error).__name__, retryable=True) from error

        if status >= 300:
            raise SlackError("response_url", f"status_{status}", retryable=status >= 500)

    def may_respond_to(self, url: str) -> bool:
        """Say whether an address is Slack's: our own server must not be sent anywhere else."""
        try:
            parts, own = urlsplit(url), urlsplit(self.api_url)
            if self._is_loopback:
                return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}

            is_slack = parts.hostname == "hooks.slack.com" or parts.hostname == own.hostname
            return parts.scheme == "https" and is_slack and parts.port in {None, 443}
        except ValueError:
            return False

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s)
            )
        return self._session

    async def _put(self, url: str, content: bytes) -> None:
        import aiohttp

        try:
            async with self._open().post(url, data=content, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise SlackError("files.upload", f"status_{answer.status}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SlackError("files.upload", type(error).__name__, retryable=True) from error

    async def _once(self, token: str, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        import aiohttp
        from slack_sdk.errors import SlackApiError, SlackClientError
        from slack_sdk.web.async_client import AsyncWebClient

        client = AsyncWebClient(
            token=token, base_url=self.api_url, session=self._open(), retry_handlers=[]
        )
        # As slack_sdk itself does: what is written goes as JSON, the rest as parameters.
        body: dict[str, Any] = {"json": dict(arguments)}
        if not method.startswith("chat."):
            body = {"params": {name: _parameter(value) for name, value in arguments.items()}}
        try:
            answer = await client.api_call(method, **body)
        except SlackApiError as error:
            raise _refusal(method, error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise SlackError(method, type(error).__name__, retryable=True) from error

        data = answer.data
        if not isinstance(data, dict):
            raise SlackError(method, "not_json", retryable=True)

        return data


def _parameter(value: object) -> object:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _refusal(method: str, error: SlackApiError) -> SlackError:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 200)
    data = getattr(response, "data", None)
    answer = data if isinstance(data, dict) else {}
    word = str(answer.get("error") or f"status_{status}")
    retryable = word in _PASSING or status == 429 or status >= 500
    headers = getattr(response, "headers", None) or {}
    return SlackError(
        method, word, answer=answer, retryable=retryable, retry_after_s=_seconds(headers)
    )


def _seconds(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
