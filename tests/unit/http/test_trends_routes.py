"""The trends endpoints over HTTP: features, refusals, pages, recorded trends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from groundswell.config import Settings
from groundswell.http.api import profiling, projects, trends
from groundswell.http.failures import HANDLERS
from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.model.trends import Trend
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import trends as rows
from tests.asking import NOW
from tests.databases import migrated
from tests.rows import insert, new_project

DAY = timedelta(days=1)
DETECTOR = "http://groundswell/trends/breakpoint-detector"
CHANGE = NOW - timedelta(hours=12)
GETS = (
    "events-trends-statsv2/",
    "events-trends/",
    "events-trends-stats/",
    "profiling/function-trends/",
    "trends/",
    "trends/1/",
    "trends/digest/",
    "trends/explain/",
)


@dataclass(frozen=True, slots=True)
class House:
    """`acme` with the projects web (two transactions) and api, which has a recorded trend."""

    metadata: Metadata
    org: int
    web: int
    api: int
    token: str
    reader: str
    trends: tuple[int, ...]


def recorded(org: int, project: int, name: str, at: datetime, change: str) -> Trend:
    up = change == "regression"
    return Trend(
        0, OrgId(org), ProjectId(project), name, "p95()", 1 if up else -1, change, at,
        100.0, 200.0, 2.0, 1e-9, at, at, evidence={"confidence": "strong"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def house(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    metadata = migrated(tmp_path_factory.mktemp("trends") / "metadata.db")
    ids = [new_project() for _ in range(2)]
    with metadata.begin() as connection:
        acme = tenancy.create_organization(connection, "acme", now=NOW)
        for id, slug in zip(ids, ("web", "api"), strict=True):
            made = tenancy.create_project(connection, acme.id, slug, now=NOW)
            connection.exec_driver_sql("DELETE FROM project_keys")
            connection.exec_driver_sql(f"UPDATE projects SET id = {id} WHERE id = {made.id}")
        token, _ = tenancy.create_token(connection, now=NOW, org_id=acme.id)
        reader, _ = tenancy.create_token(
            connection, now=NOW, org_id=acme.id, scopes=frozenset({"org:read", "event:read"})
        )
        made_trends = tuple(
            rows.add_trend(connection, recorded(acme.id, ids[0], name, at, change))
            for name, at, change in (
                ("/checkout", CHANGE, "regression"),
                ("/cart", CHANGE - DAY, "improvement"),
                ("/cart/add", CHANGE - 2 * DAY, "regression"),
            )
        )
    stored = []
    for minute in range(0, 24 * 60, 5):
        at = NOW - DAY + timedelta(minutes=minute, seconds=1)
        for name in ("/checkout", "/cart"):
            slow = name == "/checkout" and at >= CHANGE
            times = {"timestamp": at, "start_timestamp": at}
            stored.append({**times, "transaction": name, "duration": 200 if slow else 100})
    insert(engine, "transactions", ids[0], stored)
    yield House(metadata, int(acme.id), *ids, token, reader, made_trends)
    metadata.close()


@pytest.fixture
async def client(engine: Engine, settings: Settings, house: House) -> AsyncIterator[Any]:
    services = SimpleNamespace(
        settings=settings,
        metadata=house.metadata,
        statistics=Statistics(engine, house.metadata, settings),
    )
    app = Litestar(
        route_handlers=[*trends.ROUTES, *profiling.ROUTES, projects.change_project],
        exception_handlers=cast("Any", HANDLERS),
        state=State({"services": services}),
        openapi_config=None,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast("Any", app)),
        base_url="http://groundswell/api/0/organizations/acme/",
        headers={"Authorization": f"Bearer {house.token}"},
    ) as client:
        yield client


def window(house: House, **more: Any) -> dict[str, Any]:
    times = {"start": (NOW - DAY).isoformat(), "end": NOW.isoformat()}
    return {**times, "project": house.web, "interval": "1h", **more}


@pytest.mark.parametrize("path", GETS)
async def test_everybody_needs_a_token(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Authorization": "Bearer nope"})

    assert response.status_code == 401
    assert response.json() == {"detail": "Invalid token"}


@pytest.mark.parametrize("path", GETS)
async def test_what_is_off_is_not_there(client: httpx.AsyncClient, house: House, path: str) -> None:
    name = profiling.FEATURE if "profiling" in path else trends.FEATURE
    with house.metadata.begin() as connection:
        tenancy.set_feature(connection, OrgId(house.org), name, False)
    try:
        response = await client.get(path)
    finally:
        with house.metadata.begin() as connection:
            tenancy.set_feature(connection, OrgId(house.org), name, True)

    assert response.status_code == 404
    assert (await client.get(path)).status_code != 404


@pytest.mark.parametrize("path", [path for path in GETS if path != "trends/1/"])
async def test_projects_of_others_are_forbidden(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, params={"project": 3})).status_code == 403


async def test_trends_by_page(client: httpx.AsyncClient, house: House) -> None:
    params = window(house, trendFunction="avg(transaction.duration)", per_page=1)
    response = await client.get("events-trends-statsv2/", params=params)

    assert response.status_code == 200
    (row,) = response.json()["events"]["data"]
    assert (row["transaction"], row["breakpoint"]) == ("/checkout", int(CHANGE.timestamp()))
    assert response.links["previous"]["results"] == "false"
    assert response.links["next"]["results"] == "false"


@pytest.mark.parametrize(
    ("path", "params", "word"),
    [
        ("events-trends-statsv2/", {"trendType": "worse"}, "worse is not a supported trend type"),
        ("events-trends-statsv2/", {"topEvents": "x"}, "topEvents"),
        ("events-trends/", {"middle": "noon"}, "middle"),
        ("events-trends-stats/", {"trendFunction": "count()"}, "trendFunction"),
        ("trends/explain/", {}, "breakpoint"),
        ("trends/", {"status": "old"}, "new, acknowledged, recovered, dismissed"),
        ("trends/", {"trendType": "worse"}, "regression, improved, any"),
        ("trends/", {"per_page": "101"}, "per_page"),
        ("trends/", {"statsPeriod": "soon"}, "statsPeriod"),
        ("trends/digest/", {"end": "soon"}, "end"),
        ("trends/digest/", {"project": "-1"}, "project"),
    ],
)
async def test_refusals_name_what_was_wrong(
    client: httpx.AsyncClient, house: House, path: str, params: dict[str, str], word: str
) -> None:
    response = await client.get(path, params={"project": house.web, **params})

    assert response.status_code == 400
    assert word in response.json()["detail"]


async def test_function_trends_refuse_field_by_field(
    client: httpx.AsyncClient, house: House
) -> None:
    params = {"project": house.web, "trend": "improved", "threshold": 1001}
    response = await client.get("profiling/function-trends/", params=params)

    assert response.status_code == 400
    assert sorted(response.json()) == ["function", "threshold", "trend"]
    assert "regression, improvement" in response.json()["trend"][0]


async def test_series_of_the_page_alone(client: httpx.AsyncClient, house: House) -> None:
    params = window(house, trendFunction="avg(transaction.duration)", per_page=1)
    response = await client.get("events-trends-stats/", params=params)

    body = response.json()
    assert [row["transaction"] for row in body["events"]["data"]] == ["/checkout"]
    assert list(body["stats"]) == ["web,/checkout"]
    assert response.links["next"]["results"] == "true"


async def test_why(client: httpx.AsyncClient, house: House) -> None:
    asked = {"transaction": "/checkout", "breakpoint": int(CHANGE.timestamp())}
    response = await client.get("trends/explain/", params=window(house, **asked))

    assert response.status_code == 200
    assert response.json()["sentence"].startswith("avg(transaction.duration) rose 100 % at")
    assert (await client.get("trends/explain/", params=window(house))).status_code == 400


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["/checkout", "/cart", "/cart/add"]),
        ({"trendType": "regression"}, ["/checkout", "/cart/add"]),
        ({"trendType": "improved"}, ["/cart"]),
        ({"query": "CART"}, ["/cart", "/cart/add"]),
        ({"query": "%"}, []),
        ({"trendFunction": "p50()"}, []),
        ({"status": ["recovered", "dismissed"]}, []),
        ({"status": "new", "per_page": 1, "cursor": "0:1:0"}, ["/cart"]),
    ],
)
async def test_recorded_trends(
    client: httpx.AsyncClient, house: House, params: dict[str, Any], names: list[str]
) -> None:
    response = await client.get("trends/", params=params)

    assert [row["transaction"] for row in response.json()] == names
    assert {"previous", "next"} <= set(response.links)


async def test_projects_narrow_the_list(client: httpx.AsyncClient, house: House) -> None:
    assert (await client.get("trends/", params={"project": house.api})).json() == []


async def test_a_status_is_changed_and_kept(client: httpx.AsyncClient, house: House) -> None:
    path = f"trends/{house.trends[2]}/"
    changed = await client.put(path, json={"status": "dismissed"})
    listed = await client.get("trends/", params={"status": "dismissed"})
    back = await client.put(path, json={"status": "new"})

    assert (changed.status_code, changed.json()["status"]) == (200, "dismissed")
    assert [row["id"] for row in listed.json()] == [str(house.trends[2])]
    assert back.json()["status"] == "new"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "detail"),
        (b"{}", "status"),
        (b'{"status": "old"}', "status"),
        (b'{"status": 1}', "status"),
    ],
)
async def test_a_bad_body_is_refused(
    client: httpx.AsyncClient, house: House, body: bytes, told: str
) -> None:
    response = await client.put(f"trends/{house.trends[0]}/", content=body)

    assert response.status_code == 400
    assert list(response.json()) == [told]


async def test_who_only_reads_changes_nothing(client: httpx.AsyncClient, house: House) -> None:
    reader = {"Authorization": f"Bearer {house.reader}"}
    path = f"trends/{house.trends[0]}/"

    assert (await client.get(path, headers=reader)).status_code == 200
    refused = await client.put(path, json={"status": "dismissed"}, headers=reader)
    assert refused.status_code == 403


@pytest.mark.parametrize("id", ["0", "999999", "x", "1" * 30])
async def test_unknown_trends_are_not_there(client: httpx.AsyncClient, id: str) -> None:
    assert (await client.get(f"trends/{id}/")).status_code == 404
    assert (await client.put(f"trends/{id}/", json={"status": "new"})).status_code == 404


async def test_one_trend_has_its_chart(client: httpx.AsyncClient, house: House) -> None:
    body = (await client.get(f"trends/{house.trends[0]}/")).json()

    assert (body["transaction"], body["projectSlug"], body["confidence"]) == (
        "/checkout", "web", "strong",
    )  # fmt: skip
    (line,) = body["chart"]["lines"]
    assert set(line["values"]) == {None, 100, 200}


async def test_the_digest_of_a_project(client: httpx.AsyncClient, house: House) -> None:
    params = {"project": house.web, "end": NOW.isoformat()}
    body = (await client.get("trends/digest/", params=params)).json()

    assert [each["transaction"] for each in body["regressions"]] == ["/cart/add", "/checkout"]
    assert [each["transaction"] for each in body["improvements"]] == ["/cart"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"functions": ["p50()", "epm()"], "every_min": 30}, 200),
        ({"enabled": False}, 200),
        ({"functions": []}, 400),
        ({"every_min": 0}, 400),
        ({"min_change": "10%"}, 400),
        ({"targets": [["pigeon", "home"]]}, 400),
        ({"speed": 1}, 400),
        ({"questions": [{"dataset": "errors", "field": ["issue"], "functions": ["count()"]}]}, 200),
        ({"questions": []}, 200),
        ({"questions": [{"field": ["issue"]}]}, 400),
        ({"questions": [{"field": [], "functions": ["count()"]}]}, 400),
        ({"questions": [{"table": "errors", "functions": ["count()"]}]}, 400),
        ("on", 400),
    ],
)
async def test_settings_of_a_project(
    client: httpx.AsyncClient, house: House, options: Any, status: int
) -> None:
    response = await client.put(
        "http://groundswell/api/0/projects/acme/api/", json={"options": {"trend_watch": options}}
    )

    # Describing a project needs more of the service than there is here.
    assert response.status_code in ({200, 500} if status == 200 else {400})
    if status == 400:
        assert "trend_watch" in response.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
async def test_the_detector_wants_a_json_object(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(DETECTOR, content=body)

    assert response.status_code == 400
    assert "JSON" in response.json()["detail"]


async def test_the_detector_needs_no_token(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    response = await client.post(DETECTOR, json={"data": {}})

    assert (response.status_code, response.json()) == (200, {"data": []})
