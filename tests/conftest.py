"""Fixtures of the whole suite: the real embedded engine and both metadata databases.

One process can open one engine path, so `engine` is shared by a session: a test keeps to project
ids of its own instead of emptying tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from groundswell.config import Settings, load
from groundswell.store.engine import Engine, open_engine
from groundswell.store.metadata import Metadata
from groundswell.store.schema import migrate
from tests.postgresql import PostgresServer, start_postgres

pytest_plugins = ["tests.apiing", "tests.serving", "tests.slacking"]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data: Path = tmp_path_factory.mktemp("data")
    return load({"DATA": str(data), "QUERY_TIMEOUT_S": 20}, environ={})


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    opened = open_engine(settings)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with start_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def metadata_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database: the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'metadata.db'}"

    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def metadata(metadata_url: str) -> Iterator[Metadata]:
    opened = Metadata.open(metadata_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def sqlite_metadata(tmp_path: Path) -> Iterator[Metadata]:
    """For tests in which the kind of database does not matter."""
    opened = Metadata.open(f"sqlite:///{tmp_path / 'metadata.db'}")
    opened.migrate()
    yield opened
    opened.close()
