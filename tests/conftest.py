"""Fixtures of the whole suite: the real embedded engine and both metadata databases.

One process can open one engine path, so `engine` is shared by a session: a test keeps to project
ids of its own instead of emptying tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from groundswell.config import Settings, load
from groundswell.store.engine import Engine, open_engine
from groundswell.store.metadata import Metadata, people
from groundswell.store.schema import migrate
from tests.databases import migrated, migrated_postgres
from tests.postgresql import PostgresServer, start_postgres

FULL_COST = people._hasher
# A password costs 50 ms on purpose; the cost of those of the service is a test of its own.
people._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
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


@pytest.fixture
def full_cost() -> PasswordHasher:
    """What hashes the passwords of the service."""
    return FULL_COST


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with start_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: the test runs on both."""
    kind: str = request.param
    return kind


@pytest.fixture
def metadata_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'metadata.db'}"

    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def metadata(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Metadata]:
    """A database with its tables."""
    if database == "sqlite":
        opened = migrated(tmp_path / "metadata.db")
    else:
        opened = migrated_postgres(request.getfixturevalue("postgres"))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_metadata(tmp_path: Path) -> Iterator[Metadata]:
    """For tests in which the kind of database does not matter."""
    opened = migrated(tmp_path / "metadata.db")
    yield opened
    opened.close()
