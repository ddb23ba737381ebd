"""Full spool, full disk, damaged spool, poison: the door says when, and everything resumes."""

from __future__ import annotations

import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.errors import StartupError
from tests.faults.ingesting import (
    IngestProcess,
    error_envelope,
    ingesting,
    spans_envelope,
    transaction_envelope,
)

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}
NEVER = {"DIGEST_WINDOW_MS": 60_000, "DISK_RESERVE_MB": 0}


def _send(process: IngestProcess, count: int = 1, **fields: object) -> list[str]:
    sent = [uuid.uuid4().hex for _ in range(count)]
    with httpx.Client(timeout=10) as client:
        for event_id in sent:
            body = error_envelope(event_id, **fields)
            assert client.post(process.envelope_url(), content=body).status_code == 200
    return sent


def _ids(state: dict[str, object]) -> set[str]:
    return {row[1] for row in state["ids"]}  # type: ignore[index, attr-defined]


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


def test_a_spool_at_its_limit_says_429_and_resumes(tmp_path: Path) -> None:
    padding = {"extra": {"x": "y" * 200_000}}
    with ingesting(tmp_path / "data", **NEVER, SPOOL_LIMIT_MB=1) as process:
        statuses = [
            httpx.post(process.envelope_url(), content=error_envelope(uuid.uuid4().hex, **padding))
            for _ in range(8)
        ]
        refused = statuses[-1]
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert refused.headers["x-sentry-rate-limits"] == "60::organization:backlog"
        assert process.state()["refusal"]
        process.kill()
    accepted = [answer.json()["id"] for answer in statuses if answer.status_code == 200]
    with ingesting(tmp_path / "data", **FAST, SPOOL_LIMIT_MB=1) as process:
        assert _ids(process.settled()) == set(accepted)
        _send(process)


def test_a_damaged_spool_loses_the_damaged_record_only(tmp_path: Path) -> None:
    """One record is broken inside, and the end is torn as by a crash in the middle of a write."""
    with ingesting(tmp_path / "data", **NEVER) as process:
        sent = _send(process, 5)
        process.kill()
    segment = max((tmp_path / "data" / "spool").glob("*.seg"))
    whole = bytearray(segment.read_bytes())
    at = whole.find(sent[2].encode())
    whole[at : at + 4] = b"\0\0\0\0"
    segment.write_bytes(whole + whole[60:200])
    for _ in range(2):
        with ingesting(tmp_path / "data", **FAST) as process:
            state = process.settled()
            assert _ids(state) == {*sent[:2], *sent[3:]}
            assert segment.read_bytes() == whole, "the torn tail is cut"
            assert state["balance"] == {"accepted": 5, "stored": 4, "dropped": 1, "waiting": 0}
            assert ["default", "invalid", "unreadable", 1] in state["outcomes"]
            assert process.terminate() == 0


def test_damage_under_a_running_service_is_counted_and_never_silent(tmp_path: Path) -> None:
    """Between the answer and the digest a record rots on the disk; a worker is killed, too."""
    with ingesting(tmp_path / "data", DIGEST_WINDOW_MS=1500, DISK_RESERVE_MB=0) as process:
        sent = _send(process, 4)
        segment = max((tmp_path / "data" / "spool").glob("*.seg"))
        at = segment.read_bytes().find(sent[1].encode())
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(b"\0\0\0\0")
        state = process.settled()
        assert _ids(state) == {sent[0], *sent[2:]}
        assert state["balance"] == {"accepted": 4, "stored": 3, "dropped": 1, "waiting": 0}
        assert ["default", "invalid", "unreadable", 1] in state["outcomes"]
        workers = subprocess.run(
            ["pgrep", "-P", str(process.pid), "-f", "groundswell.ingest.worker"],
            capture_output=True,
            text=True,
            check=True,
        )
        subprocess.run(["kill", "-9", *workers.stdout.split()], check=True)
        more = _send(process, 3)
        assert set(more) <= _ids(process.settled())
    assert "items_unreadable" in (tmp_path / "stderr.log").read_text()


def test_sigterm_ends_in_time_with_half_sent_requests(tmp_path: Path) -> None:
    with ingesting(tmp_path / "data", **FAST) as process:
        sent = _send(process, 3)
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
        assert _ids(process.settled()) == set(sent)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mounted)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip(reason="mounting a small file system needs root")

    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_full_disk_says_503_and_resumes(tmp_path: Path, small_disk: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (small_disk / "spool").mkdir()
    (data / "spool").symlink_to(small_disk / "spool")
    ballast = small_disk / "ballast"
    with ingesting(data, **FAST) as process:
        sent = _send(process, 2)
        process.settled()
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        statuses = {
            httpx.post(
                process.envelope_url(),
                content=error_envelope(uuid.uuid4().hex, extra={"x": "y" * 50_000}),
            ).status_code
            for _ in range(5)
        }
        assert 503 in statuses
        assert process.state()["counts"]["errors"] >= 2, "questions are answered all the time"
        ballast.unlink()
        deadline = time.monotonic() + 10
        while process.state()["refusal"] and time.monotonic() < deadline:
            time.sleep(0.1)
        sent += _send(process, 2)
        assert set(sent) <= _ids(process.settled())
