"""`backup` and `store`: they work while the server runs (through its control door) and without."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.cli.options import AsJson, Data, settings_for
from groundswell.cli.output import say, show, show_all
from groundswell.cli.store import do, locked, opened
from groundswell.errors import StartupError, UserError
from groundswell.store.lifecycle.deletion import PersonKind

backup = App(name="backup", help="Create and restore backups.")
store = App(name="store", help="Check the event store and delete from it.")

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]
Yes = Annotated[bool, Parameter(name="--yes", help="Do not ask.", negative="")]


@backup.command
def create(
    target: Annotated[Path, Parameter(help="A new directory, or a new file ending in .tar.")],
    *,
    with_secret: Annotated[
        bool,
        Parameter(help="Add the key that signs and encrypts: keep the backup safe.", negative=""),
    ] = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Back up events, metadata and what waits to be stored, while the service goes on."""
    from groundswell.http.upkeep import Backup

    made = do(data, Backup(str(target.absolute()), with_secret))
    if json:
        show(made, json=True)
        return

    rows = ", ".join(f"{count} {table}" for table, count in made["rows"].items() if count)
    last = made["last_batch"] or {}
    show(
        {
            "backup": made["target"],
            "created": made["created_at"],
            "rows": rows or "none",
            "metadata rows": sum(made["metadata_rows"].values()),
            "last batch": last.get("cut", "-"),
        },
        json=False,
    )


@backup.command
def restore(
    source: Annotated[Path, Parameter(help="A backup: its directory or .tar file.")],
    *,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Fill an empty data directory from a backup; the next `serve` stores what waited in it."""
    from groundswell.ingest.recovery import mark_restored
    from groundswell.store.lifecycle.backup import restore_backup

    if not source.exists():
        raise UserError(f"There is no backup at {source}.")

    settings = settings_for(data)
    with locked(settings) as door:
        if door is not None:
            raise StartupError("The service is running on that data directory; stop it first.")

        with opened(settings, is_new=True) as place:
            restored = restore_backup(place.engine, place.metadata, settings.data, source)
        # A restore forgets which batches were inserted, so the store is asked before the replay.
        mark_restored(settings.data / "spool")
    show({"restored": str(settings.data), "rows": dict(restored.rows)}, json=json)
    if not (settings.data / "secret").exists() and not settings.text("SECRET_KEY"):
        say("The backup has no secret: people sign in again, and Slack is installed again.")


@store.command
def check(*, data: Data = None, json: AsJson = False) -> None:
    """Read every checksum and look for damage; exit code 1 when something is wrong."""
    from groundswell.http.upkeep import Check

    findings = do(data, Check())
    if json:
        show_all(findings, json=True)
    else:
        for finding in findings:
            sys.stdout.write(
                f"{'ok ' if finding['ok'] else 'BAD'}  {finding['what']}: {finding['detail']}\n"
            )
            if finding["fix"]:
                sys.stdout.write(f"     fix: {finding['fix']}\n")
    if not all(finding["ok"] for finding in findings):
        sys.exit(1)


@store.command(name="delete-project")
def delete_project(
    org: Org,
    project: Annotated[str, Parameter(help="Slug; or id, also of a project deleted before.")],
    *,
    yes: Yes = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Delete a project and everything it sent, from the disk too."""
    from groundswell.http.upkeep import DeleteProject

    _confirm(yes, f"Delete project {project} of {org} with all its events?")
    _tell(do(data, DeleteProject(org, project)), json=json)


@store.command(name="delete-person")
def delete_person(
    org: Org,
    kind: Annotated[PersonKind, Parameter(help="What the value is.")],
    value: Annotated[str, Parameter(help="The id, e-mail address, IP address or user name.")],
    *,
    project: Annotated[
        tuple[str, ...], Parameter(help="Only in these; all when not given.", negative="")
    ] = (),
    yes: Yes = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Delete everything that one person's events left, from the disk too."""
    from groundswell.http.upkeep import DeletePerson

    _confirm(yes, f"Delete all events of the person with {kind} {value!r} in {org}?")
    _tell(do(data, DeletePerson(org, kind, value, project)), json=json)


def _confirm(yes: bool, question: str) -> None:
    """Ask a person at a terminal; a script that gives the command has decided."""
    if yes or not sys.stdin.isatty():
        return

    say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UserError("Nothing was deleted.")


def _tell(gone: dict[str, object], *, json: bool) -> None:
    show(gone, json=json)
    if not gone["files_gone"]:
        say("Their files are still on disk and go within eight minutes (on a server: see its TTL).")
