"""Ends and new beginnings: duplicates over a restart, a second process, half-sent requests."""

from __future__ import annotations

import socket
import time
import uuid
from pathlib import Path

import httpx
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.errors import StartupError
from tests.faults.ingesting import (
    error_envelope,
    ids_of,
    ingesting,
    send_errors,
    spans_envelope,
    transaction_envelope,
)

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}


def test_the_same_envelope_counts_once_per_project_before_and_after_a_restart(
    tmp_path: Path,
) -> None:
    """An error, a transaction with its spans, and spans that come without any event."""
    event_id, transaction_id = uuid.uuid4().hex, uuid.uuid4().hex
    bodies = (
        error_envelope(event_id),
        transaction_envelope(transaction_id),
        spans_envelope(),
    )
    for _ in range(2):
        with ingesting(tmp_path / "data", **FAST) as process:
            for project in (0, 1, 0, 1):
                for body in bodies:
                    assert (
                        httpx.post(process.envelope_url(project), content=body).status_code == 200
                    )
                process.settled()
            state = process.settled()
            process.terminate()
    assert sorted(row[1] for row in state["ids"]) == sorted([event_id, transaction_id] * 2)
    assert {row[0] for row in state["ids"]} == {project for project, _ in process.projects}
    assert state["counts"]["spans"] == 2 * (3 + 2)
    assert state["balance"] == {"accepted": 24, "stored": 6, "dropped": 18, "waiting": 0}


def test_a_second_process_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path / "data") as first:
        second = ServiceProcess(tmp_path / "data")
        with pytest.raises(StartupError, match=r"(?i)another|already|in use"):
            second.start()
        assert httpx.get(f"{first.url}/readyz", timeout=10).json()["ready"]


def test_sigterm_ends_in_time_with_half_sent_requests(tmp_path: Path) -> None:
    with ingesting(tmp_path / "data", **FAST) as process:
        sent = send_errors(process, 3)
        head = f"POST {httpx.URL(process.envelope_url()).raw_path.decode()} HTTP/1.1\r\nHost: x\r\n"
        parts = ["", head, head + "Content-Length: 1000\r\n\r\nabc"]
        sockets = [socket.create_connection(("127.0.0.1", process.port)) for _ in parts]
        for each, part in zip(sockets, parts, strict=True):
            each.sendall(part.encode())
        time.sleep(0.3)
        assert process.terminate(timeout_s=10) == 0
        sockets[2].settimeout(2)
        assert sockets[2].recv(100).startswith(b"HTTP/1.1 503")
        for each in sockets:
            each.close()
    with ingesting(tmp_path / "data", **FAST) as process:
        assert ids_of(process.settled()) == set(sent)
