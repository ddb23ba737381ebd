"""Saved envelopes and exported events, in every form that import takes."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from groundswell.cli.envelopes import envelopes_of
from groundswell.cli.sending import Target
from groundswell.cli.sentry_events import event_of
from groundswell.errors import UserError

DATA = Path(__file__).parents[2] / "data" / "envelopes"
PAYLOAD = b'{"message":"line\\none"}'
ENVELOPE = (
    b'{"event_id":"%s","sent_at":"2026-01-01T00:00:00Z","dsn":"https://k@h/1"}\n'
    b'{"type":"event","length":%d}\n%s' % (b"a" * 32, len(PAYLOAD), PAYLOAD)
)
SENT = ENVELOPE.replace(b',"sent_at":"2026-01-01T00:00:00Z","dsn":"https://k@h/1"', b"")
# A length that begins like text: "{" and a line feed are its lowest bytes.
LONG = ENVELOPE + b"\n" * (0x0A7B - len(ENVELOPE))


def read(tmp_path: Path, data: bytes) -> list[bytes]:
    path = tmp_path / "saved"
    path.write_bytes(data)
    told: list[int] = []
    found = list(envelopes_of([path], told.append))
    assert sum(told) == len(data)
    return found


@pytest.mark.parametrize("order", ["little", "big"])
def test_lengths_stand_before_envelopes(tmp_path: Path, order: Any) -> None:
    records = [LONG, ENVELOPE, b"{}\n"]
    data = b"".join(len(each).to_bytes(4, order) + each for each in records)
    found = read(tmp_path, gzip.compress(data))
    assert found[1:] == [SENT, b"{}\n"]
    with pytest.raises(UserError, match="in the middle"):
        read(tmp_path, data[:-1])


def test_a_file_may_be_one_envelope(tmp_path: Path) -> None:
    assert read(tmp_path, ENVELOPE) == [SENT]
    assert read(tmp_path, gzip.compress(ENVELOPE)) == [SENT]
    assert read(tmp_path, b"") == []


def test_lines_may_hold_envelopes_as_base64(tmp_path: Path) -> None:
    line = json.dumps({"items": "event", "bytes_b64": base64.b64encode(ENVELOPE).decode()}).encode()
    assert read(tmp_path, line + b"\n\n" + line + b"\n") == [SENT, SENT]
    with pytest.raises(UserError, match="bytes_b64"):
        read(tmp_path, line + b'\n{"bytes_b64": "!"}\n')


def test_captured_envelopes_are_all_found() -> None:
    path = DATA / "errors.jsonl.gz"
    count = len(gzip.decompress(path.read_bytes()).splitlines())
    assert len(list(envelopes_of([path], lambda _: None))) == count > 50


STORE_FORM = {"event_id": "b" * 32, "timestamp": 1.5, "message": "x"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(STORE_FORM),
        json.dumps(STORE_FORM, indent=2),
        json.dumps([STORE_FORM]),
        json.dumps([STORE_FORM], indent=1),
        json.dumps(STORE_FORM) + "\n",
    ],
)
def test_events_are_wrapped(tmp_path: Path, text: str) -> None:
    (envelope,) = read(tmp_path, text.encode())
    header, item, payload = envelope.split(b"\n")
    assert json.loads(header) == {"event_id": "b" * 32}
    assert json.loads(item) == {"type": "event", "length": len(payload)}
    assert json.loads(payload) == STORE_FORM


def test_lines_may_be_events(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({**STORE_FORM, "type": kind}) for kind in ("error", "transaction"))
    found = read(tmp_path, lines.encode())
    assert [json.loads(each.split(b"\n")[1])["type"] for each in found] == ["event", "transaction"]


@pytest.mark.parametrize("text", ["hello", '{"data": []}', "[1, 2]", "{", '{"a": 1}\n{"b": 2}'])
def test_something_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="saved"):
        read(tmp_path, text.encode())


def test_an_event_of_the_api_becomes_what_an_sdk_sends() -> None:
    frame = {"filename": "a.py", "lineNo": 2, "colNo": None, "inApp": True, "absPath": "/a.py",
             "context": [[1, "one"], [2, "two"], [3, "three"]]}  # fmt: skip
    event = event_of(
        {
            "eventID": "c" * 32,
            "id": "c" * 32,
            "type": "error",
            "title": "ValueError: no",
            "message": "",
            "platform": "python",
            "dateCreated": "2026-11-01T10:00:00Z",
            "release": {"version": "web@1"},
            "user": {"id": "7", "email": None},
            "tags": [{"key": "environment", "value": "prod"}, {"key": "shop", "value": "b"}],
            "contexts": {"os": {"name": "Linux"}},
            "entries": [
                {
                    "type": "exception",
                    "data": {
                        "values": [
                            {
                                "type": "ValueError",
                                "value": "no",
                                "threadId": 3,
                                "rawStacktrace": None,
                                "stacktrace": {"frames": [frame], "framesOmitted": None},
                            }
                        ]
                    },
                },
                {"type": "request", "data": {"method": "GET", "url": "/x", "query": [["a", "b"]]}},
                {"type": "unheard-of", "data": {}},
            ],
        }
    )
    assert event["event_id"] == "c" * 32
    assert event["timestamp"] == "2026-11-01T10:00:00Z"
    assert (event["release"], event["environment"]) == ("web@1", "prod")
    assert event["tags"] == {"shop": "b"}
    assert event["user"] == {"id": "7"}
    assert event["request"] == {"method": "GET", "url": "/x", "query_string": [["a", "b"]]}
    (thrown,) = event["exception"]["values"]
    assert (thrown["type"], thrown["thread_id"]) == ("ValueError", 3)
    assert thrown["stacktrace"]["frames"] == [
        {
            "filename": "a.py",
            "abs_path": "/a.py",
            "lineno": 2,
            "in_app": True,
            "pre_context": ["one"],
            "context_line": "two",
            "post_context": ["three"],
        }
    ]


def test_a_transaction_of_the_api_keeps_times_and_spans() -> None:
    event = event_of(
        {
            "eventID": "d" * 32,
            "type": "transaction",
            "title": "/pay",
            "startTimestamp": 1.0,
            "endTimestamp": 2.0,
            "dateCreated": "2026-11-01T10:00:00Z",
            "entries": [{"type": "spans", "data": [{"span_id": "1"}]}],
        }
    )
    assert (event["start_timestamp"], event["timestamp"]) == (1.0, 2.0)
    assert (event["transaction"], event["spans"]) == ("/pay", [{"span_id": "1"}])


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("https://k@o1.example.com/42", "https://o1.example.com/api/42/envelope/"),
        ("http://k@localhost:9000/a/b/42/", "http://localhost:9000/a/b/api/42/envelope/"),
    ],
)
def test_a_dsn_says_where_to_send(dsn: str, url: str) -> None:
    assert Target.parse(dsn) == Target(url, "k")


@pytest.mark.parametrize("dsn", ["", "https://example.com/1", "https://k@example.com", "k"])
def test_what_is_no_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(UserError, match="DSN"):
        Target.parse(dsn)
