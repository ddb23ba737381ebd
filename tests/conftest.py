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
from groundswell.store.schema import migrate

pytest_plugins = ["tests.serving"]


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
