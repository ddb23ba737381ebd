"""A small shop with two projects, for the tables of promised answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from groundswell.config import Settings
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from tests.asking import Asker, clock
from tests.databases import migrated
from tests.rows import insert, new_project
from tests.scopes import scope_of


def _errors() -> list[dict[str, object]]:
    def error(at: str, title: str, **more: object) -> dict[str, object]:
        return {
            "timestamp": clock(at),
            "title": title,
            "message": title,
            "transaction": "/checkout",
            "environment": "prod",
            **more,
        }

    return [
        error("10:05", "Boom", user="id:1", tags={"customer": "acme"}),
        error("10:35", "Boom", user="id:2", tags={"customer": "acme"}),
        error("11:15", "Other", user="id:1", environment=""),
        error("12:10", "Boom", tags={"customer": "zeta"}),
        error("12:20", "Third", level="warning", user="id:3"),
    ]


def _transactions() -> list[dict[str, object]]:
    def transaction(at: str, name: str, duration: int, **more: object) -> dict[str, object]:
        return {
            "timestamp": clock(at),
            "start_timestamp": clock(at),
            "transaction": name,
            "duration": duration,
            "environment": "prod",
            **more,
        }

    return [
        transaction("10:10", "/checkout", 100, user="id:1", measurements={"lcp": 2000.0}),
        transaction("10:20", "/checkout", 200, user="id:1"),
        transaction("10:30", "/checkout", 300, user="id:2", status="internal_error"),
        transaction("12:00", "/checkout", 400, user="id:2"),
        transaction("13:30", "/cart", 50, user="id:2", environment="dev"),
    ]


@pytest.fixture(scope="session")
def shop_projects(engine: Engine) -> dict[int, str]:
    web, api = new_project(), new_project()
    insert(engine, "errors", web, _errors())
    insert(engine, "transactions", web, _transactions())
    insert(
        engine,
        "errors",
        api,
        [{"timestamp": clock("10:10"), "title": "Boom", "message": "Boom", "level": "fatal"}],
    )
    return {web: "web", api: "api"}


@pytest.fixture(scope="session")
def statistics(
    engine: Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Statistics]:
    metadata = migrated(tmp_path_factory.mktemp("shop") / "metadata.db")
    yield Statistics(engine, metadata, settings)
    metadata.close()


@pytest.fixture
def web(statistics: Statistics, shop_projects: dict[int, str]) -> Asker:
    """Somebody who sees one project."""
    id = next(id for id, slug in shop_projects.items() if slug == "web")
    return Asker(statistics, scope_of({id: "web"}))


@pytest.fixture
def shop(statistics: Statistics, shop_projects: dict[int, str]) -> Asker:
    """Somebody who sees both projects."""
    return Asker(statistics, scope_of(shop_projects))
