"""A simulated power cut: what was written and not synced is gone; what was acknowledged is there.

The data lies on a file system in a file. The process is stopped and that file copied as it is:
pages that only the kernel's cache holds are not in it. The next life begins on the copy. Needs
root, for mounting. It covers the kernel's cache, not a disk that lies about its own.

The file system's journal is written on demand only: left to itself it would be written while the
file is copied, and the copy would be of no single moment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ingesting import IngestProcess, Senders, ingesting

IMAGE_BYTES = 1500 * 1024 * 1024
SETTLE_S = 240
SETTINGS = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}


def can_mount() -> bool:
    return os.geteuid() == 0 and bool(shutil.which("mkfs.ext4")) and Path("/dev/loop0").exists()


pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not can_mount(), reason="needs root, mkfs.ext4 and loop devices"),
]


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "loop,commit=300", str(image), str(place)], check=True)
    try:
        yield
    finally:
        unmount(place)


def unmount(place: Path) -> None:
    """Digest workers notice only soon that their service is gone; until then the place is busy."""
    until = time.monotonic() + 20
    while subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode:
        assert time.monotonic() < until
        time.sleep(0.1)


def run_until_cut(
    image: Path, copy: Path, place: Path, seconds: float, quiet_s: float, **settings: object
) -> Senders:
    with mounted(image, place):
        process = IngestProcess(place / "data", **SETTINGS, **settings)
        senders = Senders(process)
        time.sleep(seconds)
        if quiet_s:
            senders.stop()
            time.sleep(quiet_s)
        os.kill(process.pid, signal.SIGSTOP)
        subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
        process.kill()
        senders.stop()
    return senders


@pytest.mark.parametrize(("seconds", "quiet_s"), [(4, 0), (8, 0), (8, 7)])
def test_what_was_acknowledged_survives(tmp_path: Path, seconds: float, quiet_s: float) -> None:
    image, copy, place = tmp_path / "image", tmp_path / "copy", tmp_path / "mount"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    senders = run_until_cut(image, copy, place, seconds, quiet_s)
    assert len(senders.acknowledged) > 20
    with mounted(copy, place), ingesting(place / "data", **SETTINGS) as process:
        state = process.settled(SETTLE_S)
    assert state["is_settled"], state["balance"]
    times = Counter(event_id for _, event_id in state["ids"])
    assert [one for one in senders.acknowledged if one not in times] == []
    assert [one for one, count in times.items() if count > 1] == []
    balance = state["balance"]
    assert balance["waiting"] == 0
    assert balance["accepted"] == balance["stored"] + balance["dropped"]
    assert balance["stored"] == len(times)
