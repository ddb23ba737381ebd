"""The envelope grammar, to the letter."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from groundswell.ingest.envelope import Malformed, normal_id, parse

DATA = Path(__file__).parents[2] / "data" / "envelopes"
SENT = sorted(set(DATA.glob("*.jsonl.gz")) - {DATA / "edge_cases.jsonl.gz"})
ID = "9ec79c33ec9942ab8353589fcb2e04dc"
HEADER = b'{"event_id":"%b"}' % ID.encode()


def _edge_cases() -> list[tuple[str, bool, bytes]]:
    lines = gzip.decompress((DATA / "edge_cases.jsonl.gz").read_bytes()).splitlines()
    rows = map(json.loads, lines)
    return [(row["name"], row["valid"], base64.b64decode(row["bytes_b64"])) for row in rows]


@pytest.mark.parametrize(
    ("name", "is_valid", "body"), _edge_cases(), ids=[row[0] for row in _edge_cases()]
)
def test_edge_cases_of_the_protocol(name: str, is_valid: bool, body: bytes) -> None:
    if is_valid:
        parse(body)
    else:
        with pytest.raises(Malformed):
            parse(body)


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_what_sdks_send_splits_into_the_items_they_sent(path: Path) -> None:
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        parsed = parse(base64.b64decode(row["bytes_b64"]))
        assert [frame.header.type for frame in parsed.frames] == row["items"].split(",")


@pytest.mark.parametrize(
    ("body", "payloads"),
    [
        (HEADER, []),
        (HEADER + b"\n", []),
        (HEADER + b'\n{"type":"event"}\n{}', [b"{}"]),
        (HEADER + b'\n{"type":"event"}\n{}\n', [b"{}"]),
        (HEADER + b'\n{"type":"event","length":2}\n{}', [b"{}"]),
        (HEADER + b'\n{"type":"attachment","length":0}', [b""]),
        (HEADER + b'\n{"type":"attachment","length":0}\n\n{"type":"event"}\n{}', [b"", b"{}"]),
        (HEADER + b'\n{"type":"attachment","length":3}\na\nb\n', [b"a\nb"]),
        (HEADER + b'\n{"type":"attachment"}\nab\r\n', [b"ab\r"]),
        (b"\xef\xbb\xbf" + HEADER, []),
    ],
)
def test_payloads(body: bytes, payloads: list[bytes]) -> None:
    assert [frame.payload for frame in parse(body).frames] == payloads


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"[]\n",
        b"no json\n",
        b'{"event_id":"xyz"}\n',
        b'{"event_id":12}\n',
        b'{"sent_at":"2026-01-01T00:00:00Z","sent_at":"2026-01-01T00:00:00Z"}',
        HEADER + b'\n{"type":"event","length":4}\n{}\n',
        HEADER + b'\n{"type":"event","length":1}\n{}\n',
        HEADER + b'\n{"type":"event","length":-1}\n{}\n',
        HEADER + b'\n{"type":"event","length":2.5}\n{}\n',
        HEADER + b'\n{"type":"event","length":"2"}\n{}\n',
        HEADER + b'\n{"type":"event","length":9223372036854775808}\n{}\n',
        HEADER + b'\n{"length":2}\n{}\n',
        HEADER + b"\n\n\n",
        HEADER + b"\n" + b"[" * 5000,
        b'{"a":' * 5000,
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ID.upper(), ID),
        ("9ec79c33-ec99-42ab-8353-589fcb2e04dc", ID),
        ("0" * 32, ""),
    ],
)
def test_ids(text: str, expected: str) -> None:
    assert normal_id(text) == expected


def test_side_parts_of_a_wrong_type_lose_themselves_only() -> None:
    parsed = parse(b'{"event_id":"%b","sdk":[],"trace":{"sample_rate":0.5}}' % ID.encode())
    assert parsed.event_id == ID
    assert parsed.header.sdk is None
