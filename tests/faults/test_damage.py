"""A spool that rots, before and under a running service: only what is damaged is lost, and told."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.faults.ingesting import ids_of, ingesting, send_errors

FAST = {"DIGEST_WINDOW_MS": 30, "DISK_RESERVE_MB": 0}
NEVER = {"DIGEST_WINDOW_MS": 60_000, "DISK_RESERVE_MB": 0}


def test_a_damaged_spool_loses_the_damaged_record_only(tmp_path: Path) -> None:
    """One record is broken inside, and the end is torn as by a crash in the middle of a write."""
    with ingesting(tmp_path / "data", **NEVER) as process:
        sent = send_errors(process, 5)
        process.kill()
    segment = max((tmp_path / "data" / "spool").glob("*.seg"))
    whole = bytearray(segment.read_bytes())
    at = whole.find(sent[2].encode())
    whole[at : at + 4] = b"\0\0\0\0"
    segment.write_bytes(whole + whole[60:200])
    for _ in range(2):
        with ingesting(tmp_path / "data", **FAST) as process:
            state = process.settled()
            assert ids_of(state) == {*sent[:2], *sent[3:]}
            assert segment.read_bytes() == whole, "the torn tail is cut"
            assert state["balance"] == {"accepted": 5, "stored": 4, "dropped": 1, "waiting": 0}
            assert ["default", "invalid", "unreadable", 1] in state["outcomes"]
            assert process.terminate() == 0


def test_damage_under_a_running_service_is_counted_and_never_silent(tmp_path: Path) -> None:
    """Between the answer and the digest a record rots on the disk; a worker is killed, too."""
    with ingesting(tmp_path / "data", DIGEST_WINDOW_MS=1500, DISK_RESERVE_MB=0) as process:
        sent = send_errors(process, 4)
        segment = max((tmp_path / "data" / "spool").glob("*.seg"))
        at = segment.read_bytes().find(sent[1].encode())
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(b"\0\0\0\0")
        state = process.settled()
        assert ids_of(state) == {sent[0], *sent[2:]}
        assert state["balance"] == {"accepted": 4, "stored": 3, "dropped": 1, "waiting": 0}
        assert ["default", "invalid", "unreadable", 1] in state["outcomes"]
        workers = subprocess.run(
            ["pgrep", "-P", str(process.pid), "-f", "groundswell.ingest.worker"],
            capture_output=True,
            text=True,
            check=True,
        )
        subprocess.run(["kill", "-9", *workers.stdout.split()], check=True)
        more = send_errors(process, 3)
        assert set(more) <= ids_of(process.settled())
    assert "items_unreadable" in (tmp_path / "stderr.log").read_text()
