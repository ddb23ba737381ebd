"""Records that break the digest or the store, set aside with the reason until somebody decides."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import msgspec

from groundswell.errors import NotFound
from groundswell.ingest import frames
from groundswell.ingest.frames import Frame, Meta
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


class Quarantine:
    """A directory of pairs: `<id>.json` says why, `<id>.bin` is what."""

    def __init__(self, spool_directory: Path) -> None:
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

    def keep_rows(self, reason: str, stream: bytes) -> None:
        """Set rows aside that the store refused."""
        note = Note(f"w{secrets.token_hex(4)}", "rows", reason[:500], time.time(), size=len(stream))
        self._write(note, stream)

    def _write(self, note: Note, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        write_durably(self._directory / f"{note.id}.bin", data)
        write_durably(self._directory / f"{note.id}.json", msgspec.json.encode(note))
        KEPT.inc()

    def notes(self) -> list[Note]:
        """List what is set aside, oldest first."""
        found = [
            msgspec.json.decode(path.read_bytes(), type=Note)
            for path in self._directory.glob("*.json")
        ]
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

    def to_retry(self) -> list[tuple[Note, Meta, bytes]]:
        """Records that are to be taken up again."""
        found = []
        for note in self.notes():
            if note.retry and note.kind == "record":
                data = (self._directory / f"{note.id}.bin").read_bytes()
                meta, body = frames.split_record(memoryview(data))
                found.append((note, meta, bytes(body)))
        return found
