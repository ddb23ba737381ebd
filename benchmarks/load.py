"""Bodies as SDKs send them, with fresh ids and live times, and a generator that is cheap itself."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import random
import struct
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

ENVELOPES = Path(__file__).resolve().parent.parent / "tests" / "data" / "envelopes"


@dataclass(slots=True)
class Sent:
    """What a run sent: answers by status (0 where none came), and the milliseconds of each."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.statuses.get(200, 0)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bodies(name: str, kind: str, count: int, pad_to: int = 0, *, bare: bool = False) -> list[bytes]:
    """Make `count` gzipped envelopes out of the captured ones of a file, all different.

    pad_to: grow the payload of an error to so many bytes with an `extra`. bare: without the lines
    around each frame and without the list of modules, as with `include_source_context=False`.
    """
    made = _envelopes(name, kind, count, pad_to, bare=bare)
    return [gzip.compress(b"".join(parts), 6) for parts in made]


def endless(
    name: str, kind: str, distinct: int, pad_to: int = 0, *, bare: bool = False
) -> Iterator[bytes]:
    """Give gzipped envelopes without end: payloads repeat after `distinct`, event ids never.

    Everything but the first line is compressed once; what a body costs here is its checksum.
    """
    made = []
    for _, rest in _envelopes(name, kind, distinct, pad_to, bare=bare):
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        made.append((packer.compress(rest) + packer.flush(), rest))
    sent_at = _text(time.time()).encode()
    for packed, rest in cycle(made):
        head = b'{"event_id":"%s","sent_at":"%s"}\n' % (os.urandom(16).hex().encode(), sent_at)
        size = len(head)
        yield b"".join(
            (
                b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
                struct.pack("<BHH", 0, size, size ^ 0xFFFF),
                head,
                packed,
                struct.pack("<II", zlib.crc32(rest, zlib.crc32(head)), size + len(rest)),
            )
        )


def _envelopes(
    name: str, kind: str, count: int, pad_to: int, *, bare: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Envelopes as their first line and the rest."""
    templates = [
        payload
        for line in gzip.decompress((ENVELOPES / f"{name}.jsonl.gz").read_bytes()).splitlines()
        for payload in _payloads(base64.b64decode(json.loads(line)["bytes_b64"]), kind)
    ]
    if bare:
        for template in templates:
            _strip(template)
    chosen = random.Random(7)
    return (_envelope(chosen.choice(templates), kind, pad_to) for _ in range(count))


def _payloads(envelope: bytes, kind: str) -> list[dict[str, Any]]:
    lines = envelope.split(b"\n")
    found = []
    for header, payload in zip(lines[1::2], lines[2::2], strict=False):
        if json.loads(header).get("type") == kind:
            found.append(json.loads(payload))
    return found


def _strip(event: dict[str, Any]) -> None:
    event.pop("modules", None)
    for exception in event.get("exception", {}).get("values", []):
        for frame in exception.get("stacktrace", {}).get("frames", []):
            for name in ("pre_context", "context_line", "post_context"):
                frame.pop(name, None)


def _envelope(template: dict[str, Any], kind: str, pad_to: int) -> tuple[bytes, bytes]:
    event = json.loads(json.dumps(template))
    event["event_id"] = uuid.uuid4().hex
    shift = time.time() - _seconds(event["timestamp"])
    _shift(event, shift)
    trace = uuid.uuid4().hex
    event.get("contexts", {}).get("trace", {})["trace_id"] = trace
    for span in event.get("spans", []):
        span["trace_id"] = trace
        _shift(span, shift)
    payload = json.dumps(event, separators=(",", ":")).encode()
    if len(payload) < pad_to:
        missing = pad_to - len(payload) - 25
        event["extra"] = {"padding": random.Random(len(payload)).randbytes(missing // 2).hex()}
        payload = json.dumps(event, separators=(",", ":")).encode()
    header = json.dumps({"event_id": event["event_id"], "sent_at": _text(time.time())}).encode()
    item = json.dumps({"type": kind, "length": len(payload)}).encode()
    return header + b"\n", item + b"\n" + payload


def _shift(part: dict[str, Any], by_s: float) -> None:
    for name in ("timestamp", "start_timestamp"):
        if name in part:
            part[name] = _text(_seconds(part[name]) + by_s)


def _seconds(value: str | float) -> float:
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()

    return value


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


async def send(
    host: str,
    port: int,
    path: str,
    what: Sequence[bytes] | Iterator[bytes],
    *,
    connections: int = 16,
    seconds: float,
    per_second: float | None = None,
) -> Sent:
    """Send over keep-alive connections for a while: flat out, or so many per second in all."""
    sent = Sent()
    source = cycle(what) if per_second is None and isinstance(what, list) else iter(what)
    begun = time.perf_counter()
    gap_s = connections / per_second if per_second else 0.0
    await asyncio.gather(
        *(
            _one_connection(host, port, path, source, sent, begun + seconds, gap_s, number)
            for number in range(connections)
        )
    )
    sent.seconds = time.perf_counter() - begun
    return sent


async def _one_connection(
    host: str,
    port: int,
    path: str,
    source: Any,
    sent: Sent,
    until: float,
    gap_s: float,
    number: int,
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Encoding: gzip\r\n"
        "Content-Type: application/x-sentry-envelope\r\nUser-Agent: sentry.python/2.40\r\n"
        "Content-Length: "
    ).encode()
    due = time.perf_counter() + gap_s * number / 16
    while (now := time.perf_counter()) < until:
        if gap_s:
            if due > now:
                await asyncio.sleep(due - now)
            due += gap_s
        body = next(source, None)
        if body is None:
            break

        begun = time.perf_counter()
        try:
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            sent.statuses[0] = sent.statuses.get(0, 0) + 1
            break

        status = int(answer[9:12])
        sent.milliseconds.append((time.perf_counter() - begun) * 1000)
        sent.statuses[status] = sent.statuses.get(status, 0) + 1
        if b"connection: close" in answer.lower():
            writer.close()
            reader, writer = await asyncio.open_connection(host, port)
    writer.close()
