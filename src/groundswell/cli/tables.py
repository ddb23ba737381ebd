"""Pages of rows → JSON lines, CSV or Parquet, written as they come."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import msgspec

from groundswell.errors import UserError
from groundswell.stats import export

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.http.extracts import Columns, Page

_NUMBERS = frozenset({"number", "duration", "percentage", "rate", "size"})


class Kind(StrEnum):
    """Kinds of files."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class Writer(Protocol):
    """Takes one page after the other."""

    def write(self, page: Page) -> None: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def open_writer(target: str, kind: Kind | None) -> Iterator[Writer]:
    """Open a file, or standard output for "-". A file appears only when it is complete.

    Raises UserError when the file exists.
    """
    ending = Path(target).suffix.lstrip(".").lower()
    kind = kind or next((each for each in Kind if each == ending), Kind.JSONL)
    if target == "-":
        writer = _writer(kind, sys.stdout.buffer)
        yield writer
        writer.close()
        sys.stdout.flush()
        return

    path = Path(target)
    if path.exists():
        raise UserError(f"{path} exists already.", field="target")

    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            writer = _writer(kind, file)
            yield writer
            writer.close()
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _writer(kind: Kind, file: IO[bytes]) -> Writer:
    return ParquetWriter(file) if kind is Kind.PARQUET else TextWriter(file, kind)


class TextWriter:
    """JSON lines, or CSV with one line of names."""

    def __init__(self, file: IO[bytes], kind: Kind) -> None:
        self._file = file
        self._is_csv = kind is Kind.CSV
        self._has_names = False

    def write(self, page: Page) -> None:
        names = tuple(page.columns)
        rows = [dict(zip(names, row, strict=True)) for row in page.rows]
        if not self._is_csv:
            self._file.write(export.write_jsonl(names, rows))
            return

        text = export.write_csv(names, rows)
        # The line of names holds no line break of its own, unless a name does: count by writing.
        head = export.write_csv(names, ())
        self._file.write(text[len(head) :] if self._has_names else text)
        self._has_names = True

    def close(self) -> None:
        self._file.flush()


class ParquetWriter:
    """One row group per page; types from the meta of the answer."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer: Any = None

    def write(self, page: Page) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, _schema(page.columns), compression="zstd")
        if not page.rows:
            return

        values = zip(*page.rows, strict=True)
        schema = self._writer.schema
        arrays = [_array(list(column), field) for column, field in zip(values, schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _schema(columns: Columns) -> pa.Schema:
    import pyarrow as pa

    def of(type_: str) -> pa.DataType:
        if type_ == "integer":
            return pa.int64()

        if type_ in _NUMBERS:
            return pa.float64()

        if type_ == "boolean":
            return pa.bool_()

        return pa.timestamp("us", "UTC") if type_ == "date" else pa.string()

    return pa.schema(
        [
            pa.field(name, of(type_), metadata={"unit": unit} if unit else None)
            for name, (type_, unit) in columns.items()
        ]
    )


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(field.type):
        return pa.array([_text(value) for value in values], pa.string())

    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.string()).cast(field.type)

    make = {pa.int64(): int, pa.float64(): float, pa.bool_(): bool}[field.type]
    return pa.array([None if value is None else make(value) for value in values], field.type)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
