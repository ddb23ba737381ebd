"""Who asks, organizations, projects, teams, keys, and the limits of rates."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from groundswell.http.limits import RateLimit
from groundswell.store.metadata import tenancy
from tests.apiing import World

PROJECT = "projects/acme/web/"


async def test_who_asks(world: World) -> None:
    async with world.client() as api, world.client(world.member) as ada:
        index = (await api.get("")).json()
        assert index["version"] == "0"
        assert "org:read" in index["auth"]["scopes"]
        assert (await api.get("auth/")).json()["name"] == "Token of acme"
        person = (await ada.get("users/me/")).json()
        assert (person["name"], person["email"]) == ("Ada", "ada@example.com")
        assert isinstance(person["id"], str)
        assert (await ada.get("users/999/")).status_code == 404
    async with world.client("nobody") as nobody:
        for path in ("", "auth/"):
            refused = await nobody.get(path)
            assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid token"})
        del nobody.headers["Authorization"]
        assert (await nobody.get("")).json() == {"version": "0", "auth": None, "user": None}


async def test_organizations(api: httpx.AsyncClient) -> None:
    (listed,) = (await api.get("organizations/")).json()
    assert (listed["slug"], listed["status"]["id"]) == ("acme", "active")
    assert listed["links"]["regionUrl"] == ""
    assert listed["avatar"] == {"avatarType": "letter_avatar", "avatarUuid": None}
    assert listed["dateCreated"].endswith("Z")
    assert (await api.get("organizations/", params={"query": "zzz"})).json() == []

    detail = (await api.get("organizations/acme/")).json()
    assert {p["slug"] for p in detail["projects"]} >= {"web", "quiet"}
    assert (await api.get("organizations/acme/", params={"detailed": "0"})).json()["teams"] == []
    assert (await api.get(f"organizations/{detail['id']}/")).json()["slug"] == "acme"
    (member,) = (await api.get("organizations/acme/members/")).json()
    assert (member["email"], member["role"]) == ("ada@example.com", "member")
    environments = (await api.get("organizations/acme/environments/")).json()
    assert [each["name"] for each in environments] == ["production"]


async def test_projects_tell_what_arrived(api: httpx.AsyncClient, world: World) -> None:
    listed = {p["slug"]: p for p in (await api.get("organizations/acme/projects/")).json()}
    web, quiet = listed["web"], listed["quiet"]
    assert (web["id"], web["platform"], web["isMember"]) == (str(world.web), "python", True)
    assert (web["environments"], web["firstTransactionEvent"]) == (["production"], True)
    assert web["firstEvent"].endswith("Z")
    assert web["team"]["slug"] == "core"
    assert (quiet["environments"], quiet["firstEvent"], quiet["team"]) == ([], None, None)
    assert (await api.get(f"projects/acme/{world.web}/")).json() == web


async def test_projects_are_made_changed_and_deleted(api: httpx.AsyncClient) -> None:
    path = "teams/acme/core/projects/"
    made = (await api.post(path, json={"name": "Mobile App", "platform": "dart"})).json()
    assert (made["slug"], made["platform"], made["team"]["slug"]) == ("mobile-app", "dart", "core")
    changed = await api.put("projects/acme/mobile-app/", json={"name": "App", "slug": "app"})
    assert (changed.json()["name"], changed.json()["slug"]) == ("App", "app")
    for wrong in ({"name": ""}, {"name": "x" * 129}, {"slug": "A B"}, {"slug": "web"}):
        assert (await api.put("projects/acme/app/", json=wrong)).status_code == 400
    assert (await api.delete("projects/acme/app/")).status_code == 204
    assert (await api.get("projects/acme/app/")).status_code == 404
    assert (await api.post("organizations/acme/projects/", json={})).json() == {
        "name": ["This field is required."]
    }


async def test_teams(api: httpx.AsyncClient) -> None:
    (core,) = (await api.get("organizations/acme/teams/", params={"query": "core"})).json()
    assert (core["memberCount"], [p["slug"] for p in core["projects"]]) == (1, ["web"])
    assert (await api.get("teams/acme/core/")).json() == core
    assert [p["slug"] for p in (await api.get("teams/acme/core/projects/")).json()] == ["web"]
    assert (await api.get("teams/acme/none/")).status_code == 404
    (ada,) = (await api.get("teams/acme/core/members/")).json()
    assert (ada["email"], ada["teams"], ada["dateCreated"][-1]) == (
        "ada@example.com", ["core"], "Z",
    )  # fmt: skip
    assert (await api.get("organizations/acme/members/1/")).json() == ada
    assert (await api.get("organizations/acme/members/", params={"query": "bob"})).json() == []


async def test_teams_are_made_given_projects_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post("organizations/acme/teams/", json={"name": "Night Shift"})
    assert (made.status_code, made.json()["slug"]) == (201, "night-shift")
    changed = await api.put("teams/acme/night-shift/", json={"name": "Nights"})
    assert changed.json()["name"] == "Nights"
    given = await api.post(PROJECT + "teams/night-shift/")
    assert (given.status_code, [t["slug"] for t in given.json()["teams"]]) == (
        201, ["core", "night-shift"],
    )  # fmt: skip
    taken = await api.delete(PROJECT + "teams/night-shift/")
    assert (taken.status_code, [t["slug"] for t in taken.json()["teams"]]) == (200, ["core"])
    assert (await api.delete("teams/acme/night-shift/")).status_code == 204
    assert (await api.get("teams/acme/night-shift/")).status_code == 404
    for wrong in ({}, {"slug": "A B"}, {"name": " "}):
        assert (await api.post("organizations/acme/teams/", json=wrong)).status_code == 400


async def test_keys_are_made_disabled_limited_and_deleted(api: httpx.AsyncClient) -> None:
    path = PROJECT + "keys/"
    (first,) = (await api.get(path)).json()
    assert first["dsn"]["public"].endswith(f"/{first['projectId']}")
    assert first["id"] in first["dsn"]["public"]
    assert isinstance(first["projectId"], int)

    made = (await api.post(path, json={"name": "Second"})).json()
    one = f"{path}{made['id']}/"
    limit = {"count": 10, "window": 60}
    changed = await api.put(one, json={"isActive": False, "rateLimit": limit, "name": "Third"})
    body = changed.json()
    assert (body["isActive"], body["rateLimit"], body["label"]) == (False, limit, "Third")
    assert (await api.put(one, json={"rateLimit": None})).json()["rateLimit"] is None
    assert (await api.get(one)).json() == {**body, "rateLimit": None}
    assert (await api.put(one, json={"name": "x" * 65})).status_code == 400
    for wrong in ({"rateLimit": {"count": 0, "window": 1}}, {"rateLimit": {"count": 1}}):
        assert (await api.put(one, json=wrong)).status_code == 400
    assert (await api.delete(one)).status_code == 204
    assert (await api.delete(one)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", PROJECT, {"name": "x"}),
        ("DELETE", PROJECT, None),
        ("POST", PROJECT + "keys/", {}),
        ("POST", "organizations/acme/projects/", {"name": "x"}),
        ("POST", "organizations/acme/teams/", {"slug": "x"}),
        ("PUT", "organizations/acme/features/", {"name": "profiling", "enabled": False}),
        ("POST", "organizations/acme/releases/", {"version": "1", "projects": ["web"]}),
    ],
)
async def test_who_may_only_read_changes_nothing(
    world: World, method: str, path: str, body: Any
) -> None:
    async with world.client(world.reader) as api:
        assert (await api.request(method, path, json=body)).status_code == 403


async def test_a_token_that_may_only_read_issues_reads_issues(world: World) -> None:
    def issue(connection: Connection) -> str:
        org = tenancy.get_organization(connection, "acme")
        made, _ = tenancy.create_token(
            connection, now=org.created_at, org_id=org.id, scopes=frozenset({"event:read"})
        )
        return made

    async with world.client(await world.metadata.run(issue)) as api:
        assert (await api.get("organizations/acme/issues/")).status_code == 200
        assert (await api.get("organizations/acme/members/")).status_code == 403


def test_a_window_of_the_rate_limit() -> None:
    at = [120.0]
    limit = RateLimit(2, clock=lambda: at[0])
    assert [limit.take(b"a") for _ in range(3)] == [(1, 180), (0, 180), (-1, 180)]
    assert limit.take(b"b") == (1, 180)
    at[0] = 180.0
    assert limit.take(b"a") == (1, 240)


async def test_answers_tell_what_is_left_of_the_rate(world: World) -> None:
    services = world.services
    services.settings = world.settings.with_values(API_RATE_LIMIT=2)
    app = world.app
    app.state.services = services
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://groundswell/api/0/"
    ) as client:
        answers = [await client.get("") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    left = [a.headers["x-sentry-rate-limit-remaining"] for a in answers]
    assert left == ["1", "0", "0"]
    assert "2 requests" in answers[2].json()["detail"]
    assert int(answers[2].headers["retry-after"]) >= 1
