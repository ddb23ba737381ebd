"""Records that break the digest or the store, set aside with the reason until somebody decides."""

from __future__ import annotations

import contextlib
import time
from hashlib import blake2b
from pathlib import Path

import msgspec

from groundswell.errors import NotFound
from groundswell.ingest import frames
from groundswell.ingest.frames import Frame
from groundswell.ingest.spool import write_durably
from groundswell.telemetry import counter

KEPT = counter("quarantined_records", "Records that were set aside.")


class Note(msgspec.Struct, frozen=True):
    """Why something is in quarantine. `kind`: "record" (bytes of a request) or "rows" (Arrow)."""

    id: str
    kind: str
    reason: str
    at: float
    project_id: int = 0
    event_id: str = ""
    size: int = 0
    retry: bool = False
    table: str = ""
    token: str = ""


class Quarantine:
    """A directory of pairs: `<id>.json` says why, `<id>.bin` is what."""

    def __init__(self, spool_directory: Path) -> None:
        self.spool_directory = spool_directory
        self._directory = spool_directory / "quarantine"

    def keep_record(self, frame: Frame, reason: str) -> None:
        """Set a record aside; the same record again (after a crash) replaces itself."""
        meta, _ = frames.split_record(frame.payload)
        note = Note(
            f"r{frame.seq}",
            "record",
            reason,
            time.time(),
            meta.project_id,
            meta.event_id,
            len(frame.payload),
        )
        self._write(note, bytes(frame.payload))

    def keep_rows(self, table: str, token: str, reason: str, stream: bytes) -> None:
        """Set a row aside that the store refused; the same row again replaces itself."""
        name = blake2b(token.encode(), digest_size=6).hexdigest()
        note = Note(
            f"w{name}",
            "rows",
            f"{table}: {reason}"[:500],
            time.time(),
            size=len(stream),
            table=table,
            token=token,
        )
        self._write(note, stream)

    def _write(self, note: Note, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        write_durably(self._directory / f"{note.id}.bin", data)
        write_durably(self._directory / f"{note.id}.json", msgspec.json.encode(note))
        KEPT.inc()

    def notes(self) -> list[Note]:
        """List what is set aside, oldest first."""
        found = []
        for path in self._directory.glob("*.json"):
            # The command line may drop one while we look.
            with contextlib.suppress(FileNotFoundError):
                found.append(msgspec.json.decode(path.read_bytes(), type=Note))
        return sorted(found, key=lambda note: note.at)

    def show(self, note_id: str) -> tuple[Note, bytes]:
        """Give one with its bytes. Raises NotFound."""
        note = next((one for one in self.notes() if one.id == note_id), None)
        if note is None:
            raise NotFound(f"Nothing in quarantine has the id {note_id}.")

        return note, (self._directory / f"{note.id}.bin").read_bytes()

    def drop(self, note_id: str) -> Note:
        """Delete one for good. Raises NotFound."""
        note, _ = self.show(note_id)
        (self._directory / f"{note.id}.json").unlink(missing_ok=True)
        (self._directory / f"{note.id}.bin").unlink(missing_ok=True)
        return note

    def retry(self, note_id: str) -> Note:
        """Mark one: the running (or next) service takes it up again. Raises NotFound."""
        note, _ = self.show(note_id)
        marked = msgspec.structs.replace(note, retry=True)
        write_durably(self._directory / f"{note.id}.json", msgspec.json.encode(marked))
        return marked

    def to_retry(self) -> list[tuple[Note, bytes]]:
        """What is to be taken up again, with its bytes."""
        found = []
        for note in self.notes():
            if note.retry:
                with contextlib.suppress(FileNotFoundError):
                    found.append((note, (self._directory / f"{note.id}.bin").read_bytes()))
        return found
