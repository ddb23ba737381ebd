"""A data directory of another version, of an interrupted migration, or with a damaged part."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.errors import StartupError
from tests.commands import Failed, run

# One process can open one engine, so directories are prepared in others.
PREPARE = """
import sys
from pathlib import Path
from groundswell.config import load
from groundswell.store.engine import open_engine
from groundswell.store.schema import migrate, migrations
from groundswell.store.schema import migrator

engine = open_engine(load({"DATA": sys.argv[1]}, environ={}))
if sys.argv[2] == "newer":
    migrate(engine)
    engine.execute("INSERT INTO schema_migrations (number, name) VALUES (9999, 'later')")
if sys.argv[2] == "half":
    for statement in (migrator._RECORDS.strip(), *migrations()[0].statements[:3]):
        engine.execute(migrator.with_shared_properties(statement))
if sys.argv[2] == "damaged":
    migrate(engine)
    engine.execute("INSERT INTO spans (project_id, timestamp) VALUES (1, now())")
    print(engine.execute("SELECT path FROM system.parts WHERE table = 'spans'").scalar())
engine.close()
"""


def prepare(data: Path, how: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, str(data), how], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_events_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "data", "newer")
    with pytest.raises(StartupError, match=r"newer Groundswell\. Install that version"):
        ServiceProcess(tmp_path / "data").start()


def test_metadata_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("org", "create", "acme", "--data", str(data))
    (path,) = data.glob("*.db")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Failed, match=r"newer Groundswell\. Install that version"):
        run("org", "list", "--data", str(data))


def test_an_interrupted_migration_goes_on(tmp_path: Path) -> None:
    prepare(tmp_path / "data", "half")
    with ServiceProcess(tmp_path / "data") as service:
        assert httpx.get(f"{service.url}/readyz").json()["ready"]


def test_a_damaged_part_is_set_aside_and_told(tmp_path: Path) -> None:
    part = Path(prepare(tmp_path / "data", "damaged"))
    for file in part.glob("*.bin"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with ServiceProcess(tmp_path / "data") as service:
        assert httpx.get(f"{service.url}/readyz").json()["ready"]
        with pytest.raises(Failed):
            run("store", "check", "--data", str(service.data))
