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
from typing import Any

import msgspec

from groundswell.errors import UserError
from groundswell.ingest import envelope, items, legacy, limits
from groundswell.ingest.admission import Admission, Refused
from groundswell.ingest.answers import (
    Answer,
    Overloaded,
    Send,
    accepted,
    encode,
    failed,
    limited,
    preflight,
    send_answer,
)
from groundswell.ingest.auth import Claim, claim_of, claim_of_dsn
from groundswell.ingest.bodies import Bodies, Disconnected, Receive
from groundswell.ingest.compression import TooLarge, decompress, parse_encoding
from groundswell.ingest.envelope import Envelope, Malformed
from groundswell.ingest.frames import Meta
from groundswell.ingest.items import Judged
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.quotas import Refusal
from groundswell.ingest.records import Kind, Verdict
from groundswell.store.metadata.admission import KeyRow
from groundswell.telemetry import counter, logger

log = logger("ingest.door")
REQUESTS = counter("ingest_requests", "Requests of SDKs by status.", ("status",))

Scope = MutableMapping[str, Any]

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
        self._bodies = Bodies()

    def matches(self, path: str) -> bool:
        """Whether a path is for this door."""
        return "/api/" in path and PATH.fullmatch(path) is not None

    def close(self) -> None:
        """Take nothing more; whoever is still sending a body gets 503 now."""
        self._bodies.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except UserError as error:
            answer = failed(error)
        except Disconnected:
            return
        except Exception as error:
            error_id = uuid.uuid4().hex
            log.error("ingest_failed", error_id=error_id, exc_info=error)
            answer = Answer(500, encode({"detail": "Internal Error", "errorId": error_id}))
        REQUESTS.labels(str(answer.status)).inc()
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        found = PATH.fullmatch(scope["path"])
        if found is None:
            raise UserError("The requested resource does not exist", status=404)

        method = scope["method"]
        if method == "OPTIONS":
            return preflight()

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
            await self._bodies.read(headers, receive)
            reason = f"unsupported:{what}"
            self._spooling.count(key, DROPPED_FORMS[what], Verdict.FILTERED, reason, 1)
            return Answer(202 if what == "cron" else 200, b"{}")

        if (refusal := self._refusal()) is not None:
            raise refusal

        encoding = parse_encoding(headers.get(b"content-encoding", b"").decode("latin-1"))
        try:
            body = await self._bodies.read(headers, receive)
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
        if self._bodies.is_closed:
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
            return limited(event_id, refused)

        return accepted(event_id)

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
            return limited(event_id, refused)

        oversized = [one.reason for one in judged if one.verdict is Verdict.INVALID]
        if oversized and len(oversized) == len(judged):
            return failed(TooLarge(f"Nothing was kept: {oversized[0]}.", oversized[0]))

        return accepted(event_id)


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


def _not_authenticated() -> UserError:
    return UserError("missing authorization information", code="not_authenticated", status=401)
