"""Options that many commands share, and the metadata they open."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter
from sqlalchemy import Connection

from groundswell import config
from groundswell.config import Settings
from groundswell.store.data_directory import DataDirectory
from groundswell.store.metadata import Metadata, database_url

Data: TypeAlias = Annotated[
    Path | None, Parameter(name="--data", help="Directory that holds everything.")
]
AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", help="Print JSON.", negative="")]


def settings_for(data: Path | None) -> Settings:
    """Load the settings of a command."""
    return config.load({"DATA": None if data is None else str(data)})


@contextlib.contextmanager
def metadata_of(data: Path | None) -> Iterator[Connection]:
    """Open the metadata in one transaction; works while the server runs."""
    settings = settings_for(data)
    DataDirectory(settings.data)
    metadata = Metadata.open(database_url(settings))
    try:
        metadata.migrate()
        with metadata.begin() as connection:
            yield connection
    finally:
        metadata.close()


def address_of(data: Path | None) -> str:
    """Give the address that people reach the service at: configured, else the running server's."""
    settings = settings_for(data)
    running = None if settings.text("BASE_URL") else DataDirectory(settings.data).address()
    return running or settings.base_url
