"""Arrow data on its way into a table: streams on disk and the statements that read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa


def write_stream(table: pa.Table, file: IO[bytes]) -> None:
    """Write a table as one ArrowStream."""
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    file.flush()


def stream_names(path: Path) -> list[str]:
    """Read the column names of an ArrowStream file."""
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
        return list(reader.schema.names)


def insert_statement(table: str, names: Sequence[str], token: str, source: Path) -> str:
    """Print the INSERT that reads an ArrowStream file under a deduplication token."""
    columns = ", ".join(quote_name(name) for name in names)
    return (
        f"INSERT INTO {quote_name(table)} ({columns}) FROM INFILE {quote_text(str(source))}"
        f" SETTINGS insert_deduplication_token = {quote_text(token)} FORMAT ArrowStream"
    )


def quote_name(name: str) -> str:
    """Quote an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quote_text(text: str) -> str:
    """Quote a string literal of ours; values of users are bound instead."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
