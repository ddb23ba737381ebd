"""The wire as SDKs meet it: who may come in, what is refused, and with which words."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import brotli
import httpx
import pytest
import zstandard

from groundswell.errors import UserError
from groundswell.ingest import limits
from groundswell.ingest.admission import Admission
from groundswell.ingest.answers import Overloaded
from groundswell.ingest.digest import open_record
from groundswell.ingest.door import Door, Spooling
from groundswell.ingest.frames import Meta
from groundswell.ingest.normalize.payloads import decode_object
from groundswell.ingest.proxies import Proxies
from groundswell.ingest.records import Verdict
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.admission import KeyRow, set_rate_limit
from groundswell.store.metadata.organizations import create_organization
from groundswell.store.metadata.projects import create_project, default_key, set_key_active

ID = "9ec79c33ec9942ab8353589fcb2e04dc"
EVENT = b'{"event_id":"%b"}\n{"type":"event"}\n{"message":"hi"}\n' % ID.encode()
NOW = 1_800_000_000.0


@dataclass
class Wire:
    """A door on a real metadata database; what it keeps and counts ends in lists."""

    client: httpx.AsyncClient
    door: Door
    admission: Admission
    metadata: Metadata
    project: int
    key: str
    key_id: int
    kept: list[tuple[Meta, bytes]] = field(default_factory=list)
    counted: list[tuple[str, str, str, int]] = field(default_factory=list)
    refusal: UserError | None = None

    @property
    def path(self) -> str:
        return f"/api/{self.project}/envelope/"

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"{self.path}?sentry_key={self.key}",
            content=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


@pytest.fixture
async def wire(sqlite_metadata: Metadata) -> AsyncIterator[Wire]:
    now = datetime.now(UTC)
    with sqlite_metadata.begin() as connection:
        organization = create_organization(connection, "acme", now=now)
        project = create_project(connection, organization.id, "web", now=now)
        create_project(connection, organization.id, "other", now=now)
        key = default_key(connection, project.id)
    assert key is not None
    admission = Admission(sqlite_metadata, 90)
    await admission.start()

    async def keep(meta: Meta, body: bytes) -> None:
        made.kept.append((meta, body))

    def count(key: KeyRow, category: str, verdict: Verdict, reason: str, quantity: int) -> None:
        made.counted.append((category, verdict.value, reason, quantity))

    door = Door(admission, Spooling(lambda: made.refusal, keep, count, lambda: NOW), Proxies())
    transport = httpx.ASGITransport(app=door)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        made = Wire(client, door, admission, sqlite_metadata, project.id, key.public_key, key.id)
        yield made


def _auth(way: str, key: str) -> tuple[str, dict[str, str]]:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    return {
        "query": (f"?sentry_key={key}&sentry_version=7&sentry_client=x%2F1", {}),
        "x-sentry-auth": (
            "",
            {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}, sentry_client=x/1"},
        ),
        "authorization": ("", {"Authorization": f"SENTRY sentry_key={key},sentry_secret=s"}),
        "basic": ("", {"Authorization": f"Basic {basic}"}),
        "both": (f"?sentry_key={key}", {"X-Sentry-Auth": f"Sentry sentry_key={key}"}),
    }[way]


@pytest.mark.parametrize("way", ["query", "x-sentry-auth", "authorization", "basic", "both"])
async def test_ways_to_authenticate(wire: Wire, way: str) -> None:
    query, headers = _auth(way, wire.key)
    answer = await wire.client.post(wire.path + query, content=EVENT, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"id": ID})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert wire.kept[0][0].project_id == wire.project


async def test_a_dsn_in_the_envelope_authenticates(wire: Wire) -> None:
    dsn = f"http://{wire.key}@test/prefix/{wire.project}"
    body = json.dumps({"dsn": dsn, "event_id": ID}).encode() + b'\n{"type":"event"}\n{}'
    assert (await wire.client.post(wire.path, content=body)).status_code == 200
    wrong = body.replace(wire.key.encode(), b"0" * 32)
    assert (await wire.client.post(wire.path, content=wrong)).status_code == 403
    assert (await wire.post(wrong)).status_code == 403


@pytest.mark.parametrize("prefix", ["", "/sentry", "/a/b"])
@pytest.mark.parametrize("path", ["envelope", "envelope/", "store", "store/"])
async def test_paths(wire: Wire, prefix: str, path: str) -> None:
    url = f"{prefix}/api/{wire.project}/{path}"
    assert wire.door.matches(url)
    body = (
        EVENT if path.startswith("envelope") else b'{"message":"hi","event_id":"%b"}' % ID.encode()
    )
    answer = await wire.client.post(f"{url}?sentry_key={wire.key}", content=body)
    assert (answer.status_code, answer.json()) == (200, {"id": ID})


async def test_store_without_a_project_takes_that_of_the_key(wire: Wire) -> None:
    answer = await wire.client.post(f"/api/store/?sentry_key={wire.key}", content=b"{}")
    assert answer.status_code == 200
    assert wire.kept[0][0].project_id == wire.project
    assert len(answer.json()["id"]) == 32


_OLD = b'{"message":"old","event_id":"%b"}' % ID.encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (base64.b64encode(zlib.compress(_OLD)), 200),
        (base64.b64encode(zlib.compress(_OLD)).rstrip(b"=") + b"\n", 200),
        (base64.b64encode(_OLD), 200),
        (base64.b64encode(gzip.compress(_OLD)), 200),
        (zlib.compress(_OLD), 200),
        (b"\xef\xbb\xbf" + _OLD, 200),
        (_OLD[:-1] + b',"type":5,"extra":{"x":NaN}}', 200),
        (base64.b64encode(zlib.compress(_OLD)[:-6]), 400),
        (base64.b64encode(b"not an event"), 400),
        (base64.b64encode(zlib.compress(b"\0" * 200_000_000)), 413),
        (b"abc", 400),
        (b"[]", 400),
        (b"", 400),
    ],
)
async def test_bodies_of_the_legacy_endpoint(wire: Wire, body: bytes, status: int) -> None:
    url = f"/api/{wire.project}/store/?sentry_key={wire.key}"
    answer = await wire.client.post(url, content=body)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"id": ID}
        # The digest reads the same bytes again, later.
        meta, kept = wire.kept[0]
        _, judged = open_record(1, meta, kept)
        assert decode_object(judged[0].item.payload)["message"] == "old"


@pytest.mark.parametrize(
    "path", ["/api/0/organizations/acme/events/", "/api/0/projects/", "/healthz", "/api/1/other/"]
)
async def test_other_paths_are_not_for_the_door(wire: Wire, path: str) -> None:
    assert not wire.door.matches(path)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"key": ""}, 401),
        ({"key": "0" * 32}, 403),
        ({"key": "xyz"}, 400),
        ({"project": "2"}, 403),
        ({"project": "999"}, 403),
        ({"project": "web"}, 400),
        ({"version": "8"}, 400),
        ({"version": "2.0"}, 200),
    ],
)
async def test_refusals(wire: Wire, change: dict[str, str], status: int) -> None:
    query = {
        "sentry_key": change.get("key", wire.key),
        "sentry_version": change.get("version", "7"),
    }
    if not query["sentry_key"]:
        query = {}
    path = f"/api/{change.get('project', wire.project)}/envelope/"
    answer = await wire.client.post(path, params=query, content=EVENT)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["x-sentry-error"]
        assert isinstance(answer.json()["detail"], str)
        assert not wire.kept


async def test_no_text_tells_whether_a_project_exists(wire: Wire) -> None:
    texts = set()
    for path in ("/api/2/envelope/", "/api/999/envelope/"):
        for key in (wire.key, "1" * 32):
            texts.add((await wire.client.post(f"{path}?sentry_key={key}", content=EVENT)).text)
    assert len(texts) == 1


async def test_a_key_counts_as_soon_as_it_is_made_and_no_more_when_disabled(wire: Wire) -> None:
    with wire.metadata.begin() as connection:
        organization = create_organization(connection, "acme", now=datetime.now(UTC))
        project = create_project(connection, organization.id, "new", now=datetime.now(UTC))
        key = default_key(connection, project.id)
    assert key is not None
    url = f"/api/{project.id}/envelope/?sentry_key={key.public_key}"
    assert (await wire.client.post(url, content=EVENT)).status_code == 200
    with wire.metadata.begin() as connection:
        set_key_active(connection, key.id, False)
    await wire.admission.check_now()
    assert (await wire.client.post(url, content=EVENT)).status_code == 403


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


ENCODED = {
    "identity": EVENT,
    "gzip": gzip.compress(EVENT, mtime=0),
    "x-gzip": gzip.compress(EVENT[:20], mtime=0) + gzip.compress(EVENT[20:]),
    "GZIP": gzip.compress(EVENT, mtime=0),
    "deflate": zlib.compress(EVENT),
    "deflate ": _raw_deflate(EVENT),
    "br": brotli.compress(EVENT),
    "zstd": zstandard.compress(EVENT),
    "foo": EVENT,
}


@pytest.mark.parametrize("encoding", ENCODED)
async def test_encodings(wire: Wire, encoding: str) -> None:
    answer = await wire.post(ENCODED[encoding], content_encoding=encoding)
    assert (answer.status_code, answer.json()) == (200, {"id": ID})
    assert wire.kept[0][1] == ENCODED[encoding], "the body is kept as received"


@pytest.mark.parametrize(
    ("body", "encoding", "status", "reason"),
    [
        (gzip.compress(b"\0" * 50_000_000, mtime=0), "gzip", 413, "too_large:decompressed"),
        (zlib.compress(b"\0" * 50_000_000), "deflate", 413, "too_large:decompressed"),
        (brotli.compress(b"\0" * 50_000_000), "br", 413, "too_large:decompressed"),
        (zstandard.compress(b"\0" * 50_000_000), "zstd", 413, "too_large:decompressed"),
        (gzip.compress(EVENT, mtime=0)[:-12], "gzip", 400, "invalid_encoding"),
        (brotli.compress(EVENT)[:-3], "br", 400, "invalid_encoding"),
        (zstandard.compress(EVENT)[:-3], "zstd", 400, "invalid_encoding"),
        (zlib.compress(EVENT)[:-6], "deflate", 400, "invalid_encoding"),
        (EVENT, "gzip", 400, "invalid_encoding"),
        (gzip.compress(gzip.compress(EVENT, mtime=0)), "gzip, gzip", 415, None),
        (gzip.compress(EVENT, mtime=0), "foo", 400, "invalid_envelope"),
        (b"", "identity", 400, "invalid_envelope"),
        (b"\0" * (20 * 1024 * 1024 + 1), "identity", 413, "too_large:body"),
    ],
)
async def test_bodies_that_are_refused(
    wire: Wire, body: bytes, encoding: str, status: int, reason: str | None
) -> None:
    answer = await wire.post(body, content_encoding=encoding)
    assert answer.status_code == status
    assert not wire.kept
    assert wire.counted == ([("default", "invalid", reason, 1)] if reason else [])


async def test_an_oversized_item_is_refused_and_the_rest_kept(wire: Wire) -> None:
    big = b'{"type":"event"}\n{"message":"%b"}\n' % (b"x" * (1024 * 1024))
    header = b'{"event_id":"%b"}\n' % ID.encode()
    small = b'{"type":"client_report"}\n{}\n'
    assert (await wire.post(header + big + small)).status_code == 200
    assert len(wire.kept) == 1
    assert (await wire.post(header + big)).status_code == 413
    assert len(wire.kept) == 1
    assert wire.counted == [("error", "invalid", "too_large:event", 1)]


@pytest.mark.parametrize(
    ("item", "counted"),
    [
        (b'{"type":"session"}\n{}', ("session", "filtered", "unsupported:sessions", 1)),
        (
            b'{"type":"attachment","length":0}\n',
            ("attachment", "filtered", "unsupported:attachment", 1),
        ),
        (
            b'{"type":"log","item_count":2}\n{"items":[{},{}]}',
            ("log_item", "filtered", "unsupported:log", 2),
        ),
        (b'{"type":"from_the_future"}\n{}', ("default", "filtered", "unsupported:unknown", 1)),
        (b'{"type":"check_in"}\n{}', ("monitor", "filtered", "unsupported:check_in", 1)),
    ],
)
async def test_items_that_are_taken_and_dropped(
    wire: Wire, item: bytes, counted: tuple[str, str, str, int]
) -> None:
    answer = await wire.post(b"{}\n" + item)
    assert (answer.status_code, answer.json()) == (200, {})
    assert wire.counted == [counted]
    assert not wire.kept


async def test_rate_limits_refuse_their_category_only(wire: Wire) -> None:
    with wire.metadata.begin() as connection:
        set_rate_limit(connection, "project", wire.project, "error", 2, 60)
    await wire.admission.check_now()
    assert [(await wire.post(EVENT)).status_code for _ in range(3)] == [200, 200, 429]
    answer = await wire.post(EVENT)
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["x-sentry-rate-limits"] == "60:error:project:rate_limit"
    assert wire.counted == [("error", "rate_limited", "rate_limit", 1)] * 2
    assert len(wire.kept) == 2
    report = b'{"type":"client_report"}\n{}\n'
    answer = await wire.post(EVENT + report)
    assert answer.status_code == 429
    assert wire.kept[2][0].refused == ("error",), "the rest is kept"


@pytest.mark.parametrize("path", ["security/", "csp-report/", "nel/", "minidump", "minidump/"])
async def test_reports_of_other_kinds_are_taken_and_dropped(wire: Wire, path: str) -> None:
    url = f"/api/{wire.project}/{path}?sentry_key={wire.key}"
    assert wire.door.matches(f"/api/{wire.project}/{path}")
    assert (await wire.client.post(url, content=b"{}")).status_code == 200
    assert wire.counted[0][1] == "filtered"


async def test_preflight_needs_no_key(wire: Wire) -> None:
    answer = await wire.client.options(wire.path)
    assert answer.status_code == 200
    allowed = answer.headers["access-control-allow-headers"]
    for name in ("x-sentry-auth", "content-encoding", "sentry-trace", "baggage", "x-csrftoken"):
        assert name in allowed


@pytest.mark.parametrize("status", [429, 503])
async def test_overload_says_when_to_come_back(wire: Wire, status: int) -> None:
    wire.refusal = Overloaded("Full.", 30, status=status)
    answer = await wire.post(EVENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "30")
    if status == 429:
        assert answer.headers["x-sentry-rate-limits"] == "30::organization:backlog"


async def test_a_zero_id_is_replaced(wire: Wire) -> None:
    answer = await wire.post(EVENT.replace(ID.encode(), b"0" * 32))
    assert answer.json()["id"] not in {"", "0" * 32}
    assert wire.kept[0][0].event_id == answer.json()["id"]


async def test_the_id_of_the_payload_is_used_when_the_envelope_has_none(wire: Wire) -> None:
    body = b'{}\n{"type":"event"}\n{"event_id":"%b"}' % ID.encode()
    assert (await wire.post(body)).json() == {"id": ID}


async def _half_sent(wire: Wire) -> list[dict[str, object]]:
    sent: list[dict[str, object]] = []
    parts = [{"type": "http.request", "body": b"{}", "more_body": True}]

    async def receive() -> dict[str, object]:
        if parts:
            return parts.pop()

        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: MutableMapping[str, object]) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": "POST",
        "path": wire.path,
        "query_string": f"sentry_key={wire.key}".encode(),
        "headers": [],
        "client": ("127.0.0.1", 1),
    }
    await wire.door(scope, receive, send)
    return sent


async def test_a_body_that_comes_too_slowly_gets_408(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_IDLE_S", 0.02)
    assert (await _half_sent(wire))[0]["status"] == 408


async def test_closing_the_door_lets_half_sent_bodies_go(wire: Wire) -> None:
    half_sent = asyncio.create_task(_half_sent(wire))
    await asyncio.sleep(0.02)
    wire.door.close()
    assert (await half_sent)[0]["status"] == 503
    assert (await wire.post(EVENT)).status_code == 503
