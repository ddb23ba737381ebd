"""The statistics endpoints over HTTP: access, statuses, headers, formats."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from groundswell.config import Settings
from groundswell.http.api import (
    events,
    events_meta,
    events_stats,
    events_timeseries,
    events_validate,
)
from groundswell.http.failures import HANDLERS
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import issues as issue_rows
from tests.asking import MIDNIGHT, NOW, clock
from tests.databases import migrated
from tests.rows import every, insert, new_project

MODULES = (events_stats, events, events_timeseries, events_meta, events_validate)
ENDPOINTS = ("events-stats", "events", "events-timeseries", "events-meta", "events/validate")


@dataclass(frozen=True, slots=True)
class House:
    """Two organizations; `acme` has the projects web and api, and an issue in web."""

    metadata: Metadata
    token: str
    web: int
    foreign: int
    issue: int


@pytest.fixture(scope="module")
def house(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    metadata = migrated(tmp_path_factory.mktemp("house") / "metadata.db")
    with metadata.begin() as connection:
        # Projects with ids of their own, because tests share one event store.
        def project(org_id: Any, slug: str) -> int:
            made = tenancy.create_project(connection, org_id, slug, now=NOW)
            connection.exec_driver_sql(
                f"UPDATE projects SET id = {new_project()} WHERE id = {made.id}"
            )
            return int(tenancy.get_project(connection, org_id, slug).id)

        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("DELETE FROM project_keys")
        acme = tenancy.create_organization(connection, "acme", now=NOW)
        other = tenancy.create_organization(connection, "other", now=NOW)
        token, _ = tenancy.create_token(connection, now=NOW, org_id=acme.id)
        web, foreign = project(acme.id, "web"), project(other.id, "foreign")
        connection.exec_driver_sql("DELETE FROM project_keys")
        sighting = issue_rows.Sighting(
            web, "0" * 32, "=Boom()", "", "error", "error", "python", NOW, NOW, 3
        )
        (issue,) = issue_rows.record_batch(connection, "spool", 1, [sighting])
    rows = every(clock("10:00"), 600, 3, title="=Boom()", message="x", group_id=issue)
    insert(engine, "errors", web, rows)
    insert(engine, "transactions", web, [{"timestamp": clock("10:00"), "duration": 100}])
    yield House(metadata, token, web, foreign, issue)
    metadata.close()


@pytest.fixture
async def client(engine: Engine, settings: Settings, house: House) -> AsyncIterator[Any]:
    services = SimpleNamespace(
        settings=settings,
        metadata=house.metadata,
        statistics=Statistics(engine, house.metadata, settings),
    )
    app = Litestar(
        route_handlers=[route for module in MODULES for route in module.ROUTES],
        exception_handlers=cast("Any", HANDLERS),
        state=State({"services": services}),
        openapi_config=None,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast("Any", app)),
        base_url="http://groundswell/api/0/organizations/acme/",
        headers={"Authorization": f"Bearer {house.token}"},
        params={
            "start": MIDNIGHT.isoformat(),
            "end": (MIDNIGHT + timedelta(days=1)).isoformat(),
            "interval": "1h",
            "dataset": "errors",
        },
    ) as client:
        yield client


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_everybody_needs_a_token(client: httpx.AsyncClient, endpoint: str) -> None:
    response = await client.get(
        f"{endpoint}/", params={"field": "title"}, headers={"Authorization": "Bearer nope"}
    )

    assert response.status_code == 401
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_projects_of_others_are_forbidden(
    client: httpx.AsyncClient, house: House, endpoint: str
) -> None:
    for params in ({"project": house.foreign}, {"projectSlug": "foreign"}):
        response = await client.get(f"{endpoint}/", params={"field": "title", **params})

        assert response.status_code == 403
        assert response.json() == {"detail": "You do not have permission to perform this action."}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_organizations_of_others_are_not_there(
    client: httpx.AsyncClient, endpoint: str
) -> None:
    response = await client.get(f"/../other/{endpoint}/", params={"field": "title"})

    assert response.status_code in {401, 403, 404}


async def test_stats(client: httpx.AsyncClient) -> None:
    response = await client.get("events-stats/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"].startswith("private")
    assert sum(values[0]["count"] for _, values in response.json()["data"]) == 3
    again = await client.get("events-stats/", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_pages(client: httpx.AsyncClient, house: House) -> None:
    params: dict[str, Any] | None = {"field": ["title", "issue"], "per_page": 2}
    seen = []
    while params:
        response = await client.get("events/", params=params)
        before, after = response.links["previous"], response.links["next"]
        assert urlsplit(after["url"]).path == "/api/0/organizations/acme/events/"
        assert before["results"] == ("true" if seen else "false")
        seen += response.json()["data"]
        params = parse_qs(urlsplit(after["url"]).query) if after["results"] == "true" else None
        assert params is None or params["cursor"] == [after["cursor"]]

    assert len({row["id"] for row in seen}) == 3
    assert {(row["issue"], row["issue.id"]) for row in seen} == {("WEB-1", house.issue)}


async def test_no_pagination(client: httpx.AsyncClient) -> None:
    response = await client.get("events/", params={"field": "title", "noPagination": ""})

    assert "link" not in response.headers


async def test_short_ids(client: httpx.AsyncClient) -> None:
    async def found(query: str) -> int:
        response = await client.get("events-meta/", params={"query": query})
        count: int = response.json()["count"]
        return count

    assert await found("issue:WEB-1") == 3
    assert await found("!issue:WEB-1") == 0
    unknown = await client.get("events-meta/", params={"query": "issue:WEB-7"})
    assert unknown.status_code == 400
    assert "WEB-7" in unknown.json()["detail"]
    grouped = await client.get(
        "events-stats/", params={"topEvents": 5, "field": ["issue", "count()"]}
    )
    assert list(grouped.json()) == ["WEB-1"]


async def test_csv_runs_nothing(client: httpx.AsyncClient) -> None:
    response = await client.get("events/", params={"field": ["title", "count()"], "format": "csv"})

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["content-disposition"]
    assert response.text == "title,count()\r\n'=Boom(),3\r\n"


async def test_jsonl(client: httpx.AsyncClient) -> None:
    response = await client.get("events-meta/", params={"format": "jsonl"})

    assert response.text == '{"count":3}\n'


async def test_validate_says_400_with_the_same_body(client: httpx.AsyncClient) -> None:
    fine = await client.get("events/validate/", params={"field": "title"})
    wrong = await client.get("events/validate/", params={"field": "nope()"})

    assert (fine.status_code, wrong.status_code) == (200, 400)
    assert set(fine.json()) == set(wrong.json())
    assert wrong.json()["valid"] is False


@pytest.mark.parametrize(
    ("endpoint", "params", "word"),
    [
        ("events-stats", {"topEvents": "11", "field": "title"}, "topEvents"),
        ("events-stats", {"dataset": "nope"}, "dataset"),
        ("events-stats", {"yAxis": "nope()"}, "nope"),
        ("events-stats", {"start": "x"}, "start"),
        ("events-stats", {"format": "xml"}, "format"),
        ("events", {}, "field"),
        ("events", {"field": "title", "per_page": "101"}, "per_page"),
        ("events", {"field": "title", "cursor": "a:b"}, "cursor"),
        ("events", {"field": "title", "query": "(a:b"}, "parenthes"),
        ("events", {"field": "title", "query": "x" * 5000}, "4096"),
        ("events", {"field": "title", "query": "(" * 50 + "a" + ")" * 50}, "32"),
        ("events-timeseries", {"groupBy": "timestamp"}, "groupBy"),
        ("events-meta", {"query": "id:zzz"}, "id"),
    ],
)
async def test_refusals_say_why(
    client: httpx.AsyncClient, endpoint: str, params: dict[str, str], word: str
) -> None:
    response = await client.get(f"{endpoint}/", params=params)

    assert response.status_code == 400
    assert word in response.json()["detail"]


async def test_unknown_environment(client: httpx.AsyncClient) -> None:
    response = await client.get("events-stats/", params={"environment": "nope"})

    assert response.status_code == 404
    assert response.json() == {"detail": "The requested resource does not exist"}


async def test_the_apdex_threshold_of_a_project(client: httpx.AsyncClient, house: House) -> None:
    async def apdex() -> float:
        response = await client.get(
            "events/", params={"dataset": "transactions", "field": "apdex()"}
        )
        value: float = response.json()["data"][0]["apdex()"]
        return value

    assert await apdex() == 1.0
    with house.metadata.begin() as connection:
        tenancy.set_option(connection, cast("Any", house.web), "apdex_threshold", 50)
    assert await apdex() == 0.5
