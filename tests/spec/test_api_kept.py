"""Dashboards, saved questions and releases: kept as they were given, and refused with a reason."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from groundswell.http import features
from groundswell.store.metadata import tenancy
from tests.apiing import World

DASHBOARDS = "organizations/acme/dashboards/"
SAVED = "organizations/acme/discover/saved/"
QUERY = {"fields": ["count()"], "conditions": "level:error", "orderby": "-count()"}
WIDGET = {"title": "Errors", "displayType": "line", "widgetType": "discover", "queries": [QUERY]}


async def make(api: httpx.AsyncClient, *widgets: dict[str, Any], title: str = "Health") -> Any:
    answer = await api.post(DASHBOARDS, json={"title": title, "widgets": list(widgets)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_dashboard_is_made_listed_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await make(api, WIDGET, {**WIDGET, "title": "Again"})
    (query,) = made["widgets"][0]["queries"]
    assert query["aggregates"] == ["count()"]
    assert query["columns"] == query["fieldAliases"] == []
    assert query["widgetId"] == made["widgets"][0]["id"]

    path = f"{DASHBOARDS}{made['id']}/"
    changed = await api.put(path, json={"title": "Other", "widgets": [made["widgets"][1], WIDGET]})
    assert [w["title"] for w in changed.json()["widgets"]] == ["Again", "Errors"]
    assert changed.json()["widgets"][0]["id"] == made["widgets"][1]["id"]
    assert (await api.get(path)).json() == changed.json()

    kept = await api.put(path, json={"filters": {"release": ["web@1"]}})
    assert (kept.json()["title"], len(kept.json()["widgets"])) == ("Other", 2)
    listed = (await api.get(DASHBOARDS, params={"query": "oth", "sort": "-title"})).json()
    assert [d["title"] for d in listed] == ["Other"]
    assert listed[0]["widgetDisplay"] == ["line", "line"]

    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


async def test_everybody_has_favorites_of_their_own(world: World) -> None:
    async with world.client() as api, world.client(world.member) as ada:
        path = f"{DASHBOARDS}{(await make(api, WIDGET))['id']}/"
        favored = {"isFavorited": True}
        assert (await ada.put(f"{path}favorite/", json=favored)).status_code == 204
        assert [(await each.get(path)).json()["isFavorited"] for each in (api, ada)] == [
            False, True,
        ]  # fmt: skip
        await ada.put(f"{path}favorite/", json={"isFavorited": False})
        assert (await ada.get(path)).json()["isFavorited"] is False


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"displayType": "pie"}, "displayType"),
        ({"widgetType": "nope"}, "widgetType"),
        ({"title": " "}, "title"),
        ({"queries": []}, "queries"),
        ({"limit": 11}, "limit"),
        ({"interval": "often"}, "interval"),
        ({"queries": [{**QUERY, "fields": ["nope()"]}]}, "queries[0].fields"),
        ({"queries": [QUERY, {**QUERY, "conditions": "((a"}]}, "queries[1].conditions"),
        ({"queries": [{**QUERY, "fields": []}]}, "queries[0].fields"),
        ({"id": "987654"}, "987654"),
    ],
)
async def test_each_widget_is_judged(
    api: httpx.AsyncClient, change: dict[str, Any], word: str
) -> None:
    body = {"title": "Bad", "widgets": [WIDGET, {**WIDGET, **change}]}
    answer = await api.post(DASHBOARDS, json=body)

    assert answer.status_code == 400
    assert any(word in text for text in answer.json()["widgets"]), answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "title"), ({"title": "x", "projects": [1]}, "projects"), ({"title": 1}, "title")],
)
async def test_a_dashboard_is_judged(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await api.post(DASHBOARDS, json=body)
    assert answer.status_code == 400
    assert field in answer.json()


async def split(
    api: httpx.AsyncClient, endpoint: str, query: str, conditions: str = ""
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Ask for a new widget's data; give the meta, the widget afterwards and the answer."""
    made = await make(api, WIDGET)
    widget = made["widgets"][0]["id"]
    params = {
        "dataset": "metricsEnhanced", "dashboardWidgetId": widget, "statsPeriod": "1h",
        "partial": "1", "interval": "1h", "query": query,
    }  # fmt: skip
    if endpoint == "events":
        params["field"] = "count()"
    answer = (await api.get(f"organizations/acme/{endpoint}/", params=params)).json()
    kept = (await api.get(f"{DASHBOARDS}{made['id']}/")).json()["widgets"][0]
    return answer["meta"], kept, answer


@pytest.mark.parametrize("endpoint", ["events-stats", "events"])
@pytest.mark.parametrize(
    ("query", "decision", "source"),
    [
        ("plan:free", "error-events", "inferred"),
        ("transaction.duration:>1", "transaction-like", "inferred"),
        ("", "error-events", "forced"),
        ("plan:nobody", "error-events", "forced"),
    ],
)
async def test_what_has_data_decides_what_a_widget_is_about(
    api: httpx.AsyncClient, endpoint: str, query: str, decision: str, source: str
) -> None:
    meta, widget, _ = await split(api, endpoint, query)

    assert meta["discoverSplitDecision"] == decision
    assert meta["discoverSplitSource"] == source
    assert meta["dataset"] == "metricsEnhanced"
    assert (widget["widgetType"], widget["datasetSource"]) == (decision, source)


async def test_a_decision_stands_and_counts_only_its_events(api: httpx.AsyncClient) -> None:
    made = await make(api, WIDGET)
    params = {
        "dataset": "metricsEnhanced", "dashboardWidgetId": made["widgets"][0]["id"],
        "statsPeriod": "1h", "partial": "1", "interval": "1h",
    }  # fmt: skip
    path = "organizations/acme/events-stats/"
    for query, expected in (("plan:free", 1), ("", 3)):
        answer = (await api.get(path, params={**params, "query": query})).json()
        assert sum(row[1][0]["count"] for row in answer["data"]) == expected
    assert answer["meta"]["discoverSplitSource"] == "saved"


async def test_without_the_selector_a_widget_of_both_stays_of_both(
    api: httpx.AsyncClient, world: World
) -> None:
    def turn(connection: Any, on: bool) -> None:
        org = tenancy.get_organization(connection, "acme")
        name = "performance-discover-dataset-selector"
        assert name in features.BY_NAME
        tenancy.set_feature(connection, org.id, name, on)

    await world.metadata.run(turn, False)
    try:
        _, both, answer = await split(api, "events-stats", "")
        _, none, _ = await split(api, "events-stats", "plan:nobody")
    finally:
        await world.metadata.run(turn, True)
    assert (both["widgetType"], both["datasetSource"]) == ("discover", "inferred")
    assert sum(row[1][0]["count"] for row in answer["data"]) == 4
    assert none["datasetSource"] == "user"


async def test_a_saved_question_is_made_listed_changed_and_deleted(
    api: httpx.AsyncClient,
) -> None:
    body = {"name": "By release", "fields": ["release", "count()"], "yAxis": "count()",
            "topEvents": 5, "query": "level:error", "range": "14d"}  # fmt: skip
    made = (await api.post(SAVED, json=body)).json()
    assert (made["yAxis"], made["topEvents"], made["version"]) == (["count()"], "5", 2)
    assert (made["projects"], made["dateCreated"][-1]) == ([], "Z")

    path = f"{SAVED}{made['id']}/"
    changed = (await api.put(path, json={**body, "name": "Renamed"})).json()
    assert (await api.get(path)).json() == changed
    found = (await api.get(SAVED, params={"query": "renam", "sortBy": "-dateUpdated"})).json()
    assert [each["id"] for each in found] == [made["id"]]
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"fields": []}, "fields"),
        ({"fields": ["f"] * 21}, "fields"),
        ({"projects": [1]}, "projects"),
        ({"queryDataset": "nope"}, "queryDataset"),
        ({"fields": "title"}, "fields"),
        ({"fields": ["nope("]}, "fields"),
        ({"query": "(level:error"}, "query"),
        ({"yAxis": "nope()"}, "yAxis"),
        ({"topEvents": "11"}, "topEvents"),
        ({"topEvents": "many"}, "topEvents"),
        ({"interval": "often"}, "interval"),
        ({"range": "long"}, "range"),
        ({"start": "2026-01-03", "end": "2026-01-02"}, "start"),
    ],
)
async def test_saved_questions_are_judged(
    api: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await api.post(SAVED, json={"name": "n", "fields": ["title"], **change})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


@pytest.mark.parametrize(
    ("query", "fields", "decision", "source"),
    [
        ("error.type:X", ["title"], "error-events", "inferred"),
        ("", ["transaction.duration"], "transaction-like", "inferred"),
        ("transaction.op:x", ["error.type"], "transaction-like", "inferred"),
        ("", ["plan", "count()"], "error-events", "forced"),
    ],
)
async def test_a_saved_question_is_about_what_its_words_say(
    api: httpx.AsyncClient, query: str, fields: list[str], decision: str, source: str
) -> None:
    made = (await api.post(SAVED, json={"name": "Old", "fields": fields, "query": query})).json()
    params = {"field": fields, "query": query, "discoverSavedQueryId": made["id"]}
    answer = await api.get("organizations/acme/events/", params=params)

    meta = answer.json()["meta"]
    assert (meta["discoverSplitDecision"], meta["discoverSplitSource"]) == (decision, source)
    assert (await api.get(f"{SAVED}{made['id']}/")).json()["queryDataset"] == decision


async def test_everybody_has_a_homepage_of_their_own(world: World) -> None:
    path = "organizations/acme/discover/homepage/"
    async with world.client() as api, world.client(world.member) as ada:
        assert (await ada.get(path)).status_code == 204
        assert (await ada.put(path, json={"fields": ["title"]})).status_code == 200
        assert (await ada.get(path)).json()["createdBy"]["email"] == "ada@example.com"
        assert (await api.get(path)).status_code == 204
        assert (await ada.delete(path)).status_code == 204
        assert (await ada.delete(path)).status_code == 404


async def test_who_may_only_read_keeps_nothing(world: World) -> None:
    async with world.client(world.reader) as api:
        assert (await api.get(DASHBOARDS)).status_code == 200
        for path, body in ((DASHBOARDS, {"title": "x"}), (SAVED, {"name": "x", "fields": ["a"]})):
            assert (await api.post(path, json=body)).status_code == 403


async def test_what_is_off_is_not_there(api: httpx.AsyncClient, world: World) -> None:
    path = "organizations/acme/features/"
    off = await api.put(path, json={"name": "dashboards-basic", "enabled": False})
    assert off.status_code == 200
    gone = await api.get(DASHBOARDS)
    listed = (await api.get("organizations/acme/")).json()["features"]
    await api.put(path, json={"name": "dashboards-basic", "enabled": True})

    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        "The requested resource does not exist",
    )
    assert "dashboards-basic" not in listed
    assert "dashboards-edit" in listed
    assert (await api.put(path, json={"name": "nope", "enabled": True})).status_code == 400


async def test_releases_of_events_and_announced_ones(api: httpx.AsyncClient) -> None:
    path = "organizations/acme/releases/"
    brought = {each["version"]: each["newGroups"] for each in (await api.get(path)).json()}
    assert brought.items() >= {("web@1.2.3", 1), ("web@1.3.0", 1)}

    body = {"version": "web@2", "projects": ["web"]}
    made = await api.post(path, json=body)
    assert (made.status_code, made.json()["shortVersion"]) == (201, "2")
    assert (await api.post(path, json=body)).status_code == 208
    done = await api.put(f"{path}web@2/", json={"dateReleased": "2026-01-01T00:00:00Z"})
    assert done.json()["dateReleased"] == "2026-01-01T00:00:00.000000Z"
    assert (await api.delete(f"{path}web@2/")).status_code == 204
    for wrong in ({"version": "a/b"}, {"projects": ["nope"]}, {"projects": []}):
        assert (await api.post(path, json={**body, **wrong})).status_code == 400


@pytest.mark.parametrize("path", ["sessions/", "metrics/data/"])
async def test_sessions_are_a_grid_without_groups(api: httpx.AsyncClient, path: str) -> None:
    asked = {"field": "sum(session)", "interval": "1h", "includeSeries": "1",
             "start": "2026-03-01T00:10:00Z", "end": "2026-03-01T02:00:00Z"}  # fmt: skip
    answer = await api.get(f"organizations/acme/{path}", params=asked)
    assert answer.status_code == 400
    assert "date range" in answer.json()["detail"]

    period = {**asked, "statsPeriod": "3h"}
    body = (await api.get(f"organizations/acme/{path}", params=period)).json()
    assert body["groups"] == []
    assert body["intervals"][0] == body["start"]
    assert 3 <= len(body["intervals"]) <= 4
    for wrong in ({"field": ""}, {"interval": "1s"}):
        refused = await api.get(f"organizations/acme/{path}", params={**period, **wrong})
        assert (refused.status_code, next(iter(wrong)) in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({}, "field"),
        ({"field": "sum(x)"}, "sum(quantity)"),
        ({"field": "sum(quantity)", "groupBy": "x"}, "groupBy"),
        ({"field": "sum(quantity)", "outcome": "x"}, "outcome"),
        ({"field": "sum(quantity)", "interval": "1s"}, "interval"),
    ],
)
async def test_outcomes_are_judged(
    api: httpx.AsyncClient, params: dict[str, str], word: str
) -> None:
    answer = await api.get("organizations/acme/stats_v2/", params=params)
    assert answer.status_code == 400
    assert word in answer.json()["detail"]
