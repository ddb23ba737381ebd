"""What is set aside can be listed, shown, taken up again and dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.errors import NotFound
from groundswell.ingest import frames
from groundswell.ingest.frames import Frame, FrameKind, Meta
from groundswell.ingest.quarantine import Quarantine

META = Meta(1.0, 7, 8, "", "", "gzip", "e" * 32, 1, True)


def _frame(seq: int) -> Frame:
    payload = b"".join(frames.record_parts(META, b"body"))
    return Frame(FrameKind.RECORD, seq, memoryview(payload), 0, 0)


def test_a_record_goes_in_and_out(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    assert quarantine.notes() == []
    quarantine.keep_record(_frame(3), "it breaks")
    quarantine.keep_record(_frame(3), "it breaks")
    (note,) = quarantine.notes()
    assert (note.project_id, note.event_id, note.reason) == (7, "e" * 32, "it breaks")
    shown, data = quarantine.show(note.id)
    assert frames.split_record(memoryview(data))[0] == META
    assert quarantine.to_retry() == []
    quarantine.retry(shown.id)
    ((marked, again),) = quarantine.to_retry()
    meta, body = frames.split_record(memoryview(again))
    assert (marked.id, meta, bytes(body)) == (note.id, META, b"body")
    quarantine.drop(note.id)
    assert quarantine.notes() == []


@pytest.mark.parametrize("what", ["show", "retry", "drop"])
def test_an_unknown_id_is_not_found(tmp_path: Path, what: str) -> None:
    with pytest.raises(NotFound, match="r9"):
        getattr(Quarantine(tmp_path), what)("r9")


def test_a_row_the_store_refused_is_kept_once_and_can_be_tried_again(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    for _ in range(2):
        quarantine.keep_rows("errors", "spool:1:2:errors:5", "type mismatch", b"arrow")
    (note,) = quarantine.notes()
    assert (note.kind, note.reason) == ("rows", "errors: type mismatch")
    quarantine.retry(note.id)
    ((marked, stream),) = quarantine.to_retry()
    assert (marked.table, marked.token, stream) == ("errors", "spool:1:2:errors:5", b"arrow")
