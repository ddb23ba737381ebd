"""Issues, their events and tags, as the API promises them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.apiing import World

ISSUES = "organizations/acme/issues/"


async def listed(api: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await api.get(ISSUES, params=params)
    assert answer.status_code == 200, answer.text
    return [issue["title"].partition(":")[0] for issue in answer.json()]


async def test_an_issue_has_what_clients_read(api: httpx.AsyncClient, world: World) -> None:
    issue = (await api.get(ISSUES, params={"query": "WEB-1"})).json()[0]

    assert issue["id"] == str(world.issues[0])
    assert issue["shortId"] == "WEB-1"
    assert (issue["count"], issue["userCount"], issue["numComments"]) == ("2", 2, 0)
    assert issue["firstSeen"].endswith("Z")
    assert issue["permalink"].startswith("http")
    assert issue["project"]["slug"] == "web"
    assert issue["metadata"] == {
        "type": "ValueError", "value": "no such user", "title": "ValueError: no such user",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"ValueError", "KeyError"}),
        ("is:unresolved", {"ValueError", "KeyError"}),
        ("is:resolved", set()),
        ("!is:unresolved", set()),
        ("is:unassigned", {"ValueError", "KeyError"}),
        ("is:assigned", set()),
        ("level:warning", {"KeyError"}),
        ("plan:free", {"ValueError"}),
        ("WEB-2", {"KeyError"}),
        ("issue:WEB-1", {"ValueError"}),
        ("firstSeen:-1h", set()),
        ("lastSeen:-1h", {"ValueError", "KeyError"}),
        ("timesSeen:>2", {"ValueError", "KeyError"}),
        ("timesSeen:>3", set()),
        ("release:web@1.3.0 is:unresolved", {"KeyError"}),
        ("issue.category:performance", set()),
    ],
)
async def test_searches_find(api: httpx.AsyncClient, query: str, expected: set[str]) -> None:
    assert set(await listed(api, query=query)) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("date", ["KeyError", "ValueError"]),
        ("new", ["KeyError", "ValueError"]),
        ("freq", ["ValueError", "KeyError"]),
        ("user", ["ValueError", "KeyError"]),
    ],
)
async def test_orders(api: httpx.AsyncClient, sort: str, expected: list[str]) -> None:
    assert await listed(api, sort=sort) == expected


async def test_an_event_finds_its_issue(api: httpx.AsyncClient, world: World) -> None:
    assert list(await listed(api, query=world.error_id)) == ["ValueError"]


@pytest.mark.parametrize(
    "path",
    [
        "issues/", "issues/WEB-1/events/", "issues/WEB-1/tags/", "tags/", "events-facets/",
        "tags/plan/values/", "trace-items/attributes/",
    ],
)  # fmt: skip
async def test_an_environment_must_be_known(api: httpx.AsyncClient, path: str) -> None:
    asked = {name: await api.get(f"organizations/acme/{path}", params={"environment": name})
             for name in ("production", "nowhere")}  # fmt: skip
    assert [answer.status_code for answer in asked.values()] == [200, 404]


async def test_issues_of_a_project_are_listed_and_changed(
    api: httpx.AsyncClient, world: World
) -> None:
    path = "projects/acme/web/issues/"
    assert {each["shortId"] for each in (await api.get(path)).json()} == {"WEB-1", "WEB-2"}
    assert (await api.get("projects/acme/quiet/issues/")).json() == []
    said = await api.put(path, params={"query": "level:warning"}, json={"status": "resolved"})
    assert said.json() == {"status": "resolved", "statusDetails": {}}
    assert [each["shortId"] for each in (await api.get(path)).json()] == ["WEB-1"]
    await api.put(path, params={"status": "resolved"}, json={"status": "unresolved"})
    ignored = {"id": str(world.issues[0])}
    await api.put(path, params=ignored, json={"status": "ignored"})
    assert [each["shortId"] for each in (await api.get(path)).json()] == ["WEB-2"]
    await api.put(path, params=ignored, json={"status": "unresolved"})
    wrong = await api.put(path, params={"status": "nope"}, json={"status": "resolved"})
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"query": "is:nonsense"}, "is:"),
        ({"query": "timesSeen:many"}, "timesseen"),
        ({"query": "lastSeen:soon"}, "date"),
        ({"sort": "nope"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"query": "((level:error"}, "parenthes"),
    ],
)
async def test_refusals_say_why(api: httpx.AsyncClient, params: dict[str, str], word: str) -> None:
    answer = await api.get(ISSUES, params=params)

    assert answer.status_code == 400
    assert word in answer.json()["detail"].lower()


async def test_pages_lead_through_the_list(api: httpx.AsyncClient) -> None:
    first = await api.get(ISSUES, params={"limit": "1"})
    assert 'rel="next"; results="true"; cursor="0:1:0"' in first.headers["link"]

    second = await api.get(ISSUES, params={"limit": "1", "cursor": "0:1:0"})
    assert first.json() != second.json()
    assert 'rel="next"; results="false"' in second.headers["link"]


async def test_an_issue_is_resolved_assigned_and_opened_again(
    api: httpx.AsyncClient, world: World
) -> None:
    path = f"{ISSUES}WEB-2/"
    changed = await api.put(path, json={"status": "resolved", "assignedTo": "ada@example.com"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["status"] == "resolved"
    assert changed.json()["assignedTo"]["email"] == "ada@example.com"
    assert await listed(api, query="is:resolved") == ["KeyError"]
    assert await listed(api, query="assigned:ada@example.com") == ["KeyError"]

    await api.put(f"{ISSUES}?id={world.issues[1]}", json={"status": "unresolved"})
    undone = await api.put(path, json={"assignedTo": ""})
    assert undone.json()["assignedTo"] is None
    assert undone.json()["substatus"] == "ongoing"


@pytest.mark.parametrize(
    "body", [{"status": "gone"}, {"assignedTo": "nobody@example.com"}, {"status": 7}]
)
async def test_changes_that_mean_nothing_are_refused(
    api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await api.put(f"{ISSUES}WEB-1/", json=body)).status_code == 400


async def test_who_may_only_read_changes_nothing(world: World) -> None:
    async with world.client(world.reader) as api:
        assert (await api.get(f"{ISSUES}WEB-1/")).status_code == 200
        assert (await api.put(f"{ISSUES}WEB-1/", json={"status": "resolved"})).status_code == 403


@pytest.mark.parametrize("id", ["999999", "WEB-ZZ", "nope", "-1"])
async def test_issues_that_are_not_there(api: httpx.AsyncClient, id: str) -> None:
    answer = await api.get(f"{ISSUES}{id}/")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "The requested resource does not exist"}


async def test_issues_of_others_are_not_there(world: World) -> None:
    async with world.client(world.foreign) as api:
        path = f"organizations/other/issues/{world.issues[0]}/"
        assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        ISSUES + "WEB-1/events/oldest/",
        ISSUES + "WEB-1/events/{error}/",
        "organizations/acme/events/web:{error}/",
        "projects/acme/web/events/{error}/",
    ],
)
async def test_an_event_is_told_in_entries(api: httpx.AsyncClient, world: World, path: str) -> None:
    event = (await api.get(path.format(error=world.error_id))).json()

    assert (event["id"], event["groupID"]) == (world.error_id, str(world.issues[0]))
    assert event["dateCreated"].endswith("Z")
    assert {"key": "plan", "value": "pro"} in event["tags"]
    entries = {entry["type"]: entry["data"] for entry in event["entries"]}
    (exception,) = entries["exception"]["values"]
    (frame,) = exception["stacktrace"]["frames"]
    assert (frame["lineNo"], frame["inApp"], frame["vars"]) == (7, True, {"id": "7"})
    assert frame["context"] == [[6, "def load():"], [7, "    raise ValueError"]]
    assert entries["request"]["query"] == [["id", "7"]]
    assert entries["breadcrumbs"]["values"][0]["timestamp"].endswith("Z")


async def test_a_transaction_is_told_with_its_spans(api: httpx.AsyncClient, world: World) -> None:
    event = (await api.get(f"organizations/acme/events/web:{world.transaction_id}/")).json()

    assert event["type"] == "transaction"
    (span,) = event["entries"][0]["data"]
    assert (span["description"], span["parent_span_id"]) == ("SELECT 1", f"{1:016x}")


async def test_tags_of_an_issue(api: httpx.AsyncClient) -> None:
    tags = {tag["key"]: tag for tag in (await api.get(f"{ISSUES}WEB-1/tags/")).json()}
    assert tags["plan"]["totalValues"] == 2
    assert {v["value"] for v in tags["plan"]["topValues"]} == {"free", "pro"}

    plan = (await api.get(f"{ISSUES}WEB-1/tags/plan/")).json()
    assert [(v["value"], v["count"]) for v in plan["topValues"]] == [("free", 1), ("pro", 1)]
    assert (await api.get(f"{ISSUES}WEB-1/tags/absent/")).status_code == 404


async def test_facets_tags_and_values(api: httpx.AsyncClient, world: World) -> None:
    facets = (await api.get("organizations/acme/events-facets/", params={"includeAll": "1"})).json()
    found = {facet["key"]: facet["topValues"] for facet in facets}
    assert list(found) == sorted(found)
    assert found["project"] == [{"name": "web", "value": str(world.web), "count": 4}]
    assert found["plan"][0] == {"name": "pro", "value": "pro", "count": 3}

    narrowed = await api.get(
        "organizations/acme/events-facets/", params={"includeAll": "1", "query": "plan:free"}
    )
    assert {f["key"]: f["topValues"] for f in narrowed.json()}["level"] == [
        {"name": "error", "value": "error", "count": 1}
    ]
    keys = (await api.get("organizations/acme/tags/")).json()
    assert {"key": "plan", "name": "Plan", "totalValues": 3, "uniqueValues": 2} in keys

    values = (await api.get("organizations/acme/tags/release/values/")).json()
    assert [(v["value"], v["count"]) for v in values] == [("web@1.2.3", 3), ("web@1.3.0", 1)]
    assert values[0]["lastSeen"].endswith("Z")


async def test_a_trace_and_what_is_in_it(api: httpx.AsyncClient, world: World) -> None:
    (root,) = (await api.get(f"organizations/acme/trace/{world.trace_id}/")).json()
    assert (root["is_transaction"], root["transaction"]) == (True, "GET /users")
    assert [child["op"] for child in root["children"]] == ["db"]
    assert [error["issue_id"] for error in root["errors"]] == [world.issues[0]]

    meta = (await api.get(f"organizations/acme/trace-meta/{world.trace_id}/")).json()
    assert (meta["span_count"], meta["errors"]) == (2, 1)
    assert (await api.get("organizations/acme/trace/zz/")).status_code == 404


async def test_attributes_of_spans(api: httpx.AsyncClient) -> None:
    path = "organizations/acme/trace-items/attributes/"
    found = (await api.get(path, params={"itemType": "spans", "substringMatch": "shard"})).json()
    assert found == [
        {"key": "shard", "name": "shard", "attributeType": "string",
         "attributeSource": {"source_type": "user"}}
    ]  # fmt: skip
    numbers = (await api.get(path, params={"attributeType": "number"})).json()
    assert "span.duration" in {each["key"] for each in numbers}
    assert (await api.get(path, params={"attributeType": "color"})).status_code == 400
