"""Full spool, full disk: the door says when to come back, and everything resumes."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.ingesting import error_envelope, ids_of, ingesting, send_errors

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}
NEVER = {"DIGEST_WINDOW_MS": 60_000, "DISK_RESERVE_MB": 0}


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
        assert ids_of(process.settled()) == set(accepted)
        send_errors(process)


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
        sent = send_errors(process, 2)
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
        sent += send_errors(process, 2)
        assert set(sent) <= ids_of(process.settled())
