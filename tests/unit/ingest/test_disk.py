"""A disk that fills is told of in time, not too often; a full one refuses until there is room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from groundswell.ingest import disk
from groundswell.ingest.disk import DiskWatch

GIB = 1024**3


@pytest.mark.parametrize(
    ("used", "is_full", "told"),
    [(0.5, False, None), (0.86, False, "disk_filling"), (0.999, True, "disk_full")],
)
def test_it_is_told_once_in_ten_minutes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, used: float, is_full: bool, told: str | None
) -> None:
    # What the system says of disks is made up here: no test can fill a real one to a hair.
    usages = {tmp_path: used, tmp_path / "other": 0.1}
    (tmp_path / "other").mkdir()

    def usage(place: Path) -> tuple[int, int, int]:
        taken = int(100 * GIB * usages[place])
        return shutil._ntuple_diskusage(100 * GIB, taken, 100 * GIB - taken)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    watch = DiskWatch((tmp_path, tmp_path / "other", tmp_path / "missing"), reserve_mb=512)
    logs = LogCapture()
    monkeypatch.setattr(disk, "log", structlog.wrap_logger(None, processors=[logs]))
    for now in (100.0, 101.0, 699.0, 701.0, 1_300.0, 1_302.0):
        watch.look(now)
    assert (watch.is_full, bool(watch.warning)) == (is_full, told is not None)
    assert [row["event"] for row in logs.entries] == ([told] * 3 if told else [])
    usages[tmp_path] = 0.5
    watch.look(1_400.0)
    assert (watch.is_full, watch.warning) == (False, None)
