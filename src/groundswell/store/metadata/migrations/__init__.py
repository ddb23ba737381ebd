"""Alembic migrations of the metadata, run by the service itself: there is no alembic.ini."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from groundswell.errors import StartupError

_ADVISORY_LOCK = 0x67726E64


def upgrade(connection: Connection) -> None:
    """Apply what is missing in the caller's transaction.

    Raises StartupError when the database knows a revision that this version does not.
    """
    _wait_for_others(connection)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StartupError(
            f"The metadata database has revision {current}, which this version does not know: it "
            "was written by a newer Groundswell. Install that version, or restore an older backup."
        )

    if current != script.get_current_head():
        command.upgrade(config, "head")


def _wait_for_others(connection: Connection) -> None:
    """Take a lock for this transaction, so that two processes do not migrate at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    else:
        # The driver begins no transaction before DDL; begun by hand, all of it is atomic.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
