"""`config`, `migrate`, `doctor`, `version`: what this installation is and whether it is well."""

from __future__ import annotations

import platform
import sys
from importlib import metadata as distributions
from pathlib import Path

from groundswell import __version__
from groundswell.cli.options import AsJson, Data, metadata_of, settings_for
from groundswell.cli.output import say, show, show_all


def config(*, data: Data = None, json: AsJson = False) -> None:
    """Show the effective value of every setting and where it came from; secrets are masked."""
    rows = settings_for(data).masked()
    if json:
        show_all(rows, json=True)
        return

    for row in rows:
        unit = f" {row['unit']}" if row["unit"] and row["value"] not in {"", None} else ""
        sys.stdout.write(f"GROUNDSWELL_{row['name']}={row['value']}{unit}  ({row['origin']})\n")
        sys.stdout.write(f"    {row['help']}\n")


def migrate(*, data: Data = None, json: AsJson = False) -> None:
    """Bring the metadata and the event store up to this version."""
    from groundswell.store.data_directory import DataDirectory
    from groundswell.store.engine import open_engine
    from groundswell.store.schema import migrate as migrate_store

    settings = settings_for(data)
    with metadata_of(data):
        say("metadata: up to date")
    directory = DataDirectory(settings.data)
    directory.lock()
    engine = open_engine(settings)
    try:
        applied = migrate_store(engine, settings.text("CLICKHOUSE_CLUSTER"))
    finally:
        engine.close()
        directory.unlock()
    show({"applied": [migration.name for migration in applied], "version": __version__}, json=json)


def doctor(*, data: Data = None, json: AsJson = False) -> None:
    """Check the data directory, free space, engine, fonts and Slack; each problem has its fix."""
    from groundswell.doctor import examine

    findings = examine(settings_for(data))
    if json:
        show_all([finding.as_dict() for finding in findings], json=True)
    else:
        for finding in findings:
            sys.stdout.write(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.text}\n")
            if finding.fix:
                sys.stdout.write(f"     fix: {finding.fix}\n")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


def version(*, json: AsJson = False) -> None:
    """Show the versions of the service, the engine and Python."""
    show(
        {
            "groundswell": __version__,
            "engine": distributions.version("chdb-core"),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "installed": str(Path(__file__).parent.parent),
        },
        json=json,
    )
