"""`groundswell spool`: events that could not be stored, and what to do with them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.cli.options import AsJson, Data, settings_for
from groundswell.cli.output import show, show_all
from groundswell.ingest.quarantine import Note, Quarantine

spool = App(name="spool", help="Look after events that could not be stored.")

Id = Annotated[str, Parameter(help="As `spool list` shows it.")]


@spool.command(name="list")
def list_notes(*, data: Data = None, json: AsJson = False) -> None:
    """List what is in quarantine and why, oldest first."""
    show_all([_row(note) for note in _quarantine(data).notes()], json=json)


@spool.command(name="show")
def show_note(
    id: Id,
    *,
    raw: Annotated[bool, Parameter(help="Print the bytes as they are kept.", negative="")] = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Show one of them, or its bytes."""
    note, kept = _quarantine(data).show(id)
    if raw:
        sys.stdout.buffer.write(kept)
    else:
        show(_row(note), json=json)


@spool.command
def retry(id: Id, *, data: Data = None, json: AsJson = False) -> None:
    """Let the service take it in again, at once or at its next start."""
    show(_row(_quarantine(data).retry(id)), json=json)


@spool.command
def drop(id: Id, *, data: Data = None, json: AsJson = False) -> None:
    """Give it up; it is deleted and counted as dropped."""
    show(_row(_quarantine(data).drop(id)), json=json)


def _quarantine(data: Path | None) -> Quarantine:
    return Quarantine(settings_for(data).data / "spool")


def _row(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "kind": note.kind,
        "since": datetime.fromtimestamp(note.at, UTC).isoformat(timespec="seconds"),
        "project": note.project_id or None,
        "event": note.event_id or None,
        "bytes": note.size,
        "retry": note.retry,
        "reason": note.reason,
    }
