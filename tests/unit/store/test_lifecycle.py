"""Retention, deletion, backup and restore, checks: on the real engine."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.config import Settings
from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId
from groundswell.store.engine import Engine
from groundswell.store.lifecycle.backup import create_backup, read_backup, restore_backup
from groundswell.store.lifecycle.check import check, is_below_reserve
from groundswell.store.lifecycle.deletion import delete_person, delete_project
from groundswell.store.lifecycle.dump import dump_metadata, restore_metadata
from groundswell.store.lifecycle.retention import (
    drop_expired,
    find_expired,
    parse_retention,
    retention_days,
)
from groundswell.store.metadata import Metadata, tenancy

NOW = datetime.now(UTC)


def add_transactions(engine: Engine, project_id: int, count: int) -> None:
    """Rows of ten people in turn, each with a span, a profile and a function of that profile."""
    engine.execute(
        "INSERT INTO transactions (project_id, timestamp, event_id, profile_id, duration,"
        " user, user_id, user_email, user_ip)"
        " SELECT {p:UInt64}, now(), generateUUIDv4(number), generateUUIDv4(number + 1), number,"
        " concat('id:', toString(number % 10)), toString(number % 10),"
        " concat('u', toString(number % 10), '@x.org'), concat('10.0.0.', toString(number % 10))"
        f" FROM numbers({count})",
        {"p": project_id},
    )
    engine.execute(
        "INSERT INTO spans (project_id, timestamp, user, user_id, user_email, user_ip)"
        " SELECT project_id, timestamp, user, user_id, user_email, user_ip FROM transactions"
        " WHERE project_id = {p:UInt64}",
        {"p": project_id},
    )
    engine.execute(
        "INSERT INTO profiles (project_id, timestamp, transaction_id, profile_id)"
        " SELECT project_id, timestamp, event_id, profile_id FROM transactions"
        " WHERE project_id = {p:UInt64}",
        {"p": project_id},
    )
    engine.execute(
        "INSERT INTO functions (project_id, timestamp, profile_id)"
        " SELECT project_id, timestamp, profile_id FROM profiles WHERE project_id = {p:UInt64}",
        {"p": project_id},
    )


def counts(engine: Engine, project_id: int) -> dict[str, int]:
    return {
        table: engine.execute(
            f"SELECT count() FROM {table} WHERE project_id = {{p:UInt64}}", {"p": project_id}
        ).scalar()
        for table in ("transactions", "spans", "profiles", "functions")
    }


@pytest.mark.parametrize(
    ("kind", "value"), [("id", "3"), ("email", "u3@x.org"), ("ip", "10.0.0.3")]
)
def test_a_person_is_deleted_with_all_that_refers_to_them(
    engine: Engine, kind: str, value: str
) -> None:
    project, other = (ProjectId(uuid.uuid4().int % 2**48) for _ in range(2))
    for project_id in (project, other):
        add_transactions(engine, project_id, 50)
    deleted = delete_person(engine, [project], kind, value, wait_s=0)  # type: ignore[arg-type]
    assert deleted.rows == {
        "profiles": 5,
        "functions": 5,
        "spans": 5,
        "errors": 0,
        "transactions": 5,
    }
    assert set(counts(engine, project).values()) == {45}
    assert set(counts(engine, other).values()) == {50}
    assert delete_person(engine, [project], kind, value).rows["spans"] == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "value"), [("name", "x"), ("email", "")])
def test_nobody_in_particular_is_not_deleted(engine: Engine, kind: str, value: str) -> None:
    with pytest.raises(UserError):
        delete_person(engine, [ProjectId(1)], kind, value)  # type: ignore[arg-type]


def test_a_project_goes_with_its_files(engine: Engine, settings: Settings) -> None:
    project = ProjectId(uuid.uuid4().int % 2**48)
    marker = f"marker-{uuid.uuid4()}"
    engine.execute(
        "INSERT INTO spans (project_id, timestamp, description)"
        " VALUES ({p:UInt64}, now(), {m:String})",
        {"p": project, "m": marker},
    )

    def is_on_disk() -> bool:
        files = (settings.data / "store").rglob("*")
        return any(marker.encode() in file.read_bytes() for file in files if file.is_file())

    assert is_on_disk()
    deleted = delete_project(engine, project)
    assert (deleted.rows["spans"], deleted.files_gone) == (1, True)
    assert not is_on_disk()


def test_partitions_go_when_their_last_row_is_past_its_retention(engine: Engine) -> None:
    project = uuid.uuid4().int % 2**48
    engine.execute(
        "INSERT INTO profiles (project_id, timestamp, retention_days)"
        " VALUES ({p:UInt64}, {t:DateTime}, 7)",
        {"p": project, "t": NOW},
    )
    monday = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0)
    last_moment = monday.replace(microsecond=0) + timedelta(days=14)
    assert find_expired(engine, last_moment - timedelta(seconds=1)) == []
    dropped = drop_expired(engine, last_moment)
    assert [(part.table, part.rows) for part in dropped] == [("profiles", 1)]
    assert counts(engine, project)["profiles"] == 0


@pytest.mark.parametrize(
    ("option", "kind", "days"),
    [
        (None, "errors", 90),
        ({"errors": 30}, "errors", 30),
        ({"errors": 30}, "spans", 90),
        ({"errors": 30, "default": 14}, "spans", 14),
        ({"errors": "x"}, "errors", 90),
        ("junk", "errors", 90),
    ],
)
def test_a_project_may_keep_kinds_for_other_times(option: object, kind: str, days: int) -> None:
    assert retention_days(90, {"retention": option}, kind) == days


@pytest.mark.parametrize(
    "given", [{"logs": 3}, {"errors": 0}, {"errors": True}, {"spans": 9999}, 30, "x", None]
)
def test_a_retention_that_makes_no_sense_is_refused(
    given: object, sqlite_metadata: Metadata
) -> None:
    with pytest.raises(UserError) as caught:
        parse_retention(given)
    assert caught.value.field == "retention"
    with sqlite_metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        with pytest.raises(UserError):
            tenancy.set_option(connection, project.id, "retention", given)


def test_a_whole_store_checks_out(engine: Engine, metadata: Metadata) -> None:
    findings = check(engine, metadata)
    assert [finding for finding in findings if not finding.ok] == []
    assert {"errors", "spans", "metadata", "detached parts"} <= {row.what for row in findings}


def test_the_disk_watermark_follows_free_space(tmp_path: Path) -> None:
    assert not is_below_reserve(tmp_path, 0)
    assert is_below_reserve(tmp_path, 10**12)


def fill(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW, name="Ä")
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        tenancy.set_option(connection, project.id, "filters", {"$time": [1, None]})
        tenancy.set_option(connection, project.id, "text", "plain")
        tenancy.create_token(connection, now=NOW, org_id=org.id, scopes=["org:read"])


def test_metadata_comes_back_as_it_was_on_either_database(
    metadata: Metadata, sqlite_metadata: Metadata, tmp_path: Path
) -> None:
    source, target = sqlite_metadata, metadata
    if source.engine.url == target.engine.url:
        target = Metadata.open(f"sqlite:///{tmp_path / 'other.db'}")
        target.migrate()
    fill(source)
    with source.begin() as connection:
        dump_metadata(connection, tmp_path / "first")
    with target.begin() as connection:
        restore_metadata(connection, tmp_path / "first")
    with target.begin() as connection:
        dump_metadata(connection, tmp_path / "second")
    for path in sorted((tmp_path / "first").iterdir()):
        again = tmp_path / "second" / path.name
        assert sorted(again.read_text().splitlines()) == sorted(path.read_text().splitlines())
    with target.begin() as connection:
        org = tenancy.get_organization(connection, "acme")
        assert tenancy.create_project(connection, org.id, "new", now=NOW).id > 1
    with target.begin() as connection, pytest.raises(UserError, match="already"):
        restore_metadata(connection, tmp_path / "first")
    if target is not metadata:
        target.close()


RESTORE = """
import json, sys
from pathlib import Path
from groundswell.config import load
from groundswell.store.engine import open_engine
from groundswell.store.lifecycle.backup import restore_backup
from groundswell.store.metadata import Metadata, database_url, tenancy
from groundswell.store.schema import migrate

settings = load({"DATA": sys.argv[1]}, environ={})
engine, metadata = open_engine(settings), Metadata.open(database_url(settings))
backup = restore_backup(engine, metadata, settings.data, Path(sys.argv[2]))
again = [migration.name for migration in migrate(engine)]
rows = engine.execute("SELECT count() FROM transactions WHERE project_id = " + sys.argv[3]).scalar()
with metadata.begin() as connection:
    slugs = [org.slug for org in tenancy.list_organizations(connection)]
engine.close()
metadata.close()
print(json.dumps({"rows": rows, "slugs": slugs, "batch": backup.last_batch, "again": again}))
"""


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_backup_restores_store_metadata_and_spool(
    engine: Engine, settings: Settings, sqlite_metadata: Metadata, tmp_path: Path, name: str
) -> None:
    project = uuid.uuid4().int % 2**48
    add_transactions(engine, project, 20)
    fill(sqlite_metadata)
    spool = settings.data / "spool"
    spool.mkdir(exist_ok=True)
    (spool / "checkpoint.json").write_text(json.dumps({"cut": 7, "seq": 70}))
    (spool / "00000001.seg").write_bytes(b"\0\1")
    target = tmp_path / name
    for _ in range(2):
        # Rows that a merge joins to one, before or after they are restored.
        engine.execute(
            "INSERT INTO outcomes (project_id, timestamp, quantity)"
            " VALUES ({p:UInt64}, today(), 3)",
            {"p": project},
        )
    made = create_backup(engine, sqlite_metadata, settings.data, target, now=NOW)
    engine.execute("OPTIMIZE TABLE outcomes FINAL")
    assert made.rows["outcomes"] == engine.execute("SELECT sum(quantity) FROM outcomes").scalar()
    assert made.last_batch == {"cut": 7, "seq": 70}
    add_transactions(engine, project, 5)

    data = tmp_path / "restored"
    data.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", RESTORE, str(data), str(target), str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "rows": 20,
        "slugs": ["acme"],
        "batch": {"cut": 7, "seq": 70},
        "again": [],
    }
    assert (data / "spool" / "00000001.seg").read_bytes() == b"\0\1"
    with pytest.raises(UserError, match="exists already"):
        create_backup(engine, sqlite_metadata, settings.data, target, now=NOW)


def test_what_is_no_backup_is_not_restored(
    engine: Engine, sqlite_metadata: Metadata, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="is not a backup"):
        read_backup(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "schema": 9999}))
    with pytest.raises(UserError, match="newer Groundswell"):
        restore_backup(engine, sqlite_metadata, tmp_path, tmp_path)
