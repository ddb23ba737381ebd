"""The data directory: private, one owner, its own key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from groundswell.errors import StartupError
from groundswell.store.data_directory import DataDirectory

OWNER = """
import sys, pathlib
from groundswell.store.data_directory import DataDirectory
DataDirectory(pathlib.Path(sys.argv[1])).lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    assert owner.stdout.readline() == b"locked\n"
    with pytest.raises(StartupError, match=f"in use by PID {owner.pid}") as raised:
        DataDirectory(tmp_path).lock()
    assert raised.value.exit_code == 3
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    after_the_kill = DataDirectory(tmp_path)
    after_the_kill.lock()
    after_the_kill.unlock()


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    (key,) = directory.secret_keys("", shared_database=False)
    assert DataDirectory(tmp_path / "data").secret_keys("", shared_database=False) == (key,)
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_configured_keys_win_and_a_shared_database_needs_them(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    assert directory.secret_keys("new, old", shared_database=True) == ("new", "old")
    with pytest.raises(StartupError, match="GROUNDSWELL_SECRET_KEY is required"):
        directory.secret_keys("", shared_database=True)
