"""The raw ASGI door of the SDKs: bytes of a request → one durable spool entry → an answer.

The body is bounded in size and time; what is refused is counted; 200 only after the sync.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from groundswell.errors import GroundswellError, UserError
from groundswell.ingest import envelope, items, legacy, limits
from groundswell.ingest.admission import Admission, Refused
from groundswell.ingest.auth import Claim, claim_of, claim_of_dsn
from groundswell.ingest.compression import TooLarge, decompress, parse_encoding
from groundswell.ingest.envelope import Envelope, Malformed
from groundswell.ingest.frames import Meta
from groundswell.ingest.items import Judged
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.quotas import Refusal, header_of
from groundswell.ingest.records import Kind, Verdict
from groundswell.store.metadata.admission import KeyRow
from groundswell.telemetry import counter, logger

log = logger("ingest.door")
REQUESTS = counter("ingest_requests", "Requests of SDKs by status.", ("status",))

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = re.compile(
    r"(?:/[^?]*)?/api/(?:(?P<project>[^/]+)/)?"
    r"(?P<what>envelope|store|security|csp-report|nel|minidump|unreal/(?P<unreal>[^/]+)"
    r"|events/[0-9a-fA-F-]+/attachments|cron/[^/]+(?:/(?P<cron>[^/]+))?)/?"
)
THREAD_BYTES = 256 * 1024
DROPPED_FORMS = {
    "security": "security",
    "csp-report": "security",
    "nel": "security",
    "minidump": "attachment",
    "unreal": "attachment",
    "events": "attachment",
    "cron": "monitor",
}
CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after"),
)
PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST"),
    (
        b"access-control-allow-headers",
        b"x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, "
        b"authentication, authorization, content-encoding, transfer-encoding, sentry-trace, "
        b"baggage, x-csrftoken",
    ),
    (b"access-control-max-age", b"3600"),
)
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer to an SDK."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Spooling:
    """What the door needs of the pipeline behind it."""

    refusal: Callable[[], UserError | None]
    keep: Callable[[Meta, bytes], Awaitable[None]]
    count: Callable[[KeyRow, str, Verdict, str, int], None]
    now: Callable[[], float]


class Door:
    """Answers SDKs. `close` lets half-sent bodies go at once."""

    def __init__(self, admission: Admission, spooling: Spooling, proxies: Proxies) -> None:
        self._admission = admission
        self._spooling = spooling
        self._proxies = proxies
        self._reading: set[asyncio.Timeout] = set()
        self._closed = False

    def matches(self, path: str) -> bool:
        """Whether a path is for this door."""
        return "/api/" in path and PATH.fullmatch(path) is not None

    def close(self) -> None:
        """Take nothing more; whoever is still sending a body gets 503 now."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for deadline in self._reading:
            deadline.reschedule(now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except UserError as error:
            answer = _failure(error)
        except Disconnected:
            return
        except Exception as error:
            error_id = uuid.uuid4().hex
            log.error("ingest_failed", error_id=error_id, exc_info=error)
            answer = Answer(500, _encode({"detail": "Internal Error", "errorId": error_id}))
        REQUESTS.labels(str(answer.status)).inc()
        await _send(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        found = PATH.fullmatch(scope["path"])
        if found is None:
            raise UserError("The requested resource does not exist", status=404)

        method = scope["method"]
        if method == "OPTIONS":
            return Answer(200, b"", PREFLIGHT)

        what = found["what"].partition("/")[0]
        if method != "POST" and not (method == "GET" and what == "cron"):
            raise UserError(f'Method "{method}" not allowed.', status=405)

        project = _checked_project(found["project"], what)
        headers = dict(scope["headers"])
        claim = claim_of(headers, scope["query_string"], found["unreal"] or found["cron"])
        if claim is None and what != "envelope":
            raise _not_authenticated()

        key = await self._admission.admit(claim.public_key, project) if claim else None
        if what in DROPPED_FORMS:
            assert key is not None
            await self._body(headers, receive)
            reason = f"unsupported:{what}"
            self._spooling.count(key, DROPPED_FORMS[what], Verdict.FILTERED, reason, 1)
            return Answer(202 if what == "cron" else 200, b"{}")

        if (refusal := self._refusal()) is not None:
            raise refusal

        encoding = parse_encoding(headers.get(b"content-encoding", b"").decode("latin-1"))
        try:
            body = await self._body(headers, receive)
            plain = await _decompressed(body, encoding)
            parsed = legacy.wrap(plain) if what == "store" else envelope.parse(plain)
            key = await self._agreed(claim, key, parsed, project)
            return await self._keep(scope, headers, what, key, encoding, body, parsed)
        except UserError as error:
            if key is not None and error.status in {400, 413, 415}:
                reason = error.reason if isinstance(error, TooLarge) else error.code
                self._spooling.count(key, "default", Verdict.INVALID, reason, 1)
            raise

    def _refusal(self) -> UserError | None:
        if self._closed:
            return Overloaded("The service is stopping.", 5)

        return self._spooling.refusal()

    async def _agreed(
        self, claim: Claim | None, key: KeyRow | None, parsed: Envelope, project: str
    ) -> KeyRow:
        """Compare the key of the request with the DSN inside; one of them must be there."""
        dsn = parsed.header.dsn
        if not dsn:
            if key is None:
                raise _not_authenticated()

            return key

        inner = claim_of_dsn(dsn)
        if claim is not None and claim.public_key != inner.public_key:
            raise Refused

        if inner.project and inner.project != project:
            raise Refused

        return key or await self._admission.admit(inner.public_key, project)

    async def _keep(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        what: str,
        key: KeyRow,
        encoding: str,
        body: bytes,
        parsed: Envelope,
    ) -> Answer:
        judged = items.judge(parsed)
        event_id = _event_id(parsed, judged)
        refused = self._limited(key, judged)
        if refused:
            judged = items.judge(parsed, refused)
        if not any(one.kept for one in judged):
            return self._keep_nothing(key, event_id, judged, refused)

        meta = Meta(
            self._spooling.now(),
            key.project_id,
            key.key_id,
            self._proxies.client_ip(scope, headers),
            headers.get(b"user-agent", b"")[:512].decode("latin-1"),
            encoding,
            event_id,
            len(judged),
            any(one.kept and one.item.kind in limits.EVENT_KINDS for one in judged),
            tuple(refused),
            what,
            _content(judged),
        )
        await self._spooling.keep(meta, body)
        if refused:
            return _limited_answer(event_id, refused)

        return Answer(200, _id_body(event_id))

    def _limited(self, key: KeyRow, judged: list[Judged]) -> dict[str, Refusal]:
        rate_limits = self._admission.limits(key.key_id)
        if not rate_limits:
            return {}

        wanted: dict[str, int] = {}
        for one in judged:
            if one.kept and one.item.kind is not Kind.CLIENT_REPORT:
                wanted[one.category] = wanted.get(one.category, 0) + one.quantity
        return self._admission.limiter.take(rate_limits, wanted, self._spooling.now())

    def _keep_nothing(
        self, key: KeyRow, event_id: str, judged: list[Judged], refused: Mapping[str, Refusal]
    ) -> Answer:
        for one in judged:
            verdict = one.verdict or Verdict.INVALID
            self._spooling.count(key, one.category, verdict, one.reason, one.quantity)
        if refused:
            return _limited_answer(event_id, refused)

        oversized = [one.reason for one in judged if one.verdict is Verdict.INVALID]
        if oversized and len(oversized) == len(judged):
            return _failure(TooLarge(f"Nothing was kept: {oversized[0]}.", oversized[0]))

        return Answer(200, _id_body(event_id))

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limits.BODY_COMPRESSED:
            raise _body_too_large()

        loop = asyncio.get_running_loop()
        last = loop.time() + limits.BODY_TOTAL_S
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(limits.BODY_IDLE_S) as deadline:
                self._reading.add(deadline)
                try:
                    while True:
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            raise Disconnected

                        part = message.get("body", b"")
                        size += len(part)
                        if size > limits.BODY_COMPRESSED:
                            raise _body_too_large()

                        parts.append(part)
                        if not message.get("more_body", False):
                            return parts[0] if len(parts) == 1 else b"".join(parts)

                        if not self._closed:
                            deadline.reschedule(min(last, loop.time() + limits.BODY_IDLE_S))
                finally:
                    self._reading.discard(deadline)
        except TimeoutError:
            if self._closed:
                raise Overloaded("The service is stopping.", 5) from None

            raise UserError(
                "The request body came too slowly.", code="timeout", status=408
            ) from None


class Disconnected(GroundswellError):
    """Raised when the sender has gone; there is nobody to answer."""


class Overloaded(UserError):
    """Raised when nothing can be taken now; `retry_after_s` says when to come back."""

    def __init__(self, message: str, retry_after_s: int, status: int = 503) -> None:
        super().__init__(message, code="overloaded", status=status)
        self.retry_after_s = retry_after_s


class _Id(msgspec.Struct, frozen=True):
    event_id: str | None = None


_id_of = msgspec.json.Decoder(_Id)


def _event_id(parsed: Envelope, judged: list[Judged]) -> str:
    """The envelope's id, else that of its event, else a new one; "" when there is no event."""
    if parsed.event_id:
        return parsed.event_id

    for one in judged:
        if one.item.kind in limits.EVENT_KINDS:
            try:
                inner = _id_of.decode(one.item.payload).event_id
                own = envelope.normal_id(inner) if inner else ""
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, Malformed):
                own = ""
            return own or uuid.uuid4().hex
    return ""


def _content(judged: list[Judged]) -> str:
    """Hash what is kept of an envelope without an event, which a retry sends again as it was."""
    if any(one.kept and one.item.kind in limits.EVENT_KINDS for one in judged):
        return ""

    digest = blake2b(digest_size=16)
    for one in judged:
        digest.update(one.item.payload)
    return digest.hexdigest()


def _checked_project(project: str | None, what: str) -> str:
    if project is None:
        if what != "store":
            raise UserError("The path names no project.", code="invalid_project")

        return ""

    if not (project.isascii() and project.isdigit() and len(project) < 20):
        raise UserError("The project id in the path must be a number.", code="invalid_project")

    return str(int(project))


async def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding and len(body) > THREAD_BYTES:
        return await asyncio.to_thread(decompress, body, encoding, limits.BODY)

    return decompress(body, encoding, limits.BODY)


def _body_too_large() -> TooLarge:
    return TooLarge(
        f"Request body is larger than {limits.BODY_COMPRESSED} bytes.", "too_large:body"
    )


def _not_authenticated() -> UserError:
    return UserError("missing authorization information", code="not_authenticated", status=401)


def _id_body(event_id: str) -> bytes:
    return b'{"id":"%b"}' % event_id.encode() if event_id else b"{}"


def _limited_answer(event_id: str, refused: Mapping[str, Refusal]) -> Answer:
    longest = max(row.retry_after_s for row in refused.values())
    detail = f"Rate limit reached for {', '.join(sorted(refused))}."
    body = {"detail": detail} | ({"id": event_id} if event_id else {})
    return Answer(
        429,
        _encode(body),
        (
            (b"retry-after", str(longest).encode()),
            (b"x-sentry-rate-limits", header_of(refused.values()).encode()),
            (b"x-sentry-error", detail.encode()),
        ),
    )


def _failure(error: UserError) -> Answer:
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"x-sentry-error", error.message.encode("ascii", "replace").replace(b"\n", b" ")[:500]),
    )
    if isinstance(error, Overloaded):
        seconds = str(error.retry_after_s).encode()
        headers += ((b"retry-after", seconds),)
        if error.status == 429:
            headers += ((b"x-sentry-rate-limits", seconds + b"::organization:backlog"),)
    if error.status == 405:
        headers += ((b"allow", b"POST, OPTIONS"),)
    if error.status == 413 or error.status == 408:
        # What is left of the body is not read: the connection cannot be used again.
        headers += ((b"connection", b"close"),)
    return Answer(error.status, _encode({"detail": error.message, "causes": []}), headers)


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    if answer.headers is not PREFLIGHT:
        headers += CORS
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
