"""The API is described: every route, with examples that are true."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema_rs
import pytest

from groundswell.http.api import HANDLERS
from groundswell.http.api.description import BODIES
from groundswell.http.openapi import describe, examples
from tests.apiing import World
from tests.describing import answers

SPEC = describe(HANDLERS, BODIES, "http://groundswell")
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in SPEC["paths"].items()
    for method, operation in methods.items()
]


def answered(operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    status, response = next(iter(operation["responses"].items()))
    return status, response.get("content", {}).get("application/json", {})


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_answer_has_an_example_that_is_true(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    status, content = answered(operation)
    if status == "204" or ".png" in path or ".svg" in path or method == "DELETE":
        return
    assert "example" in content, "ask for it in tests/describing.py, and run that"
    schema = {**content["schema"], "components": SPEC["components"]}
    jsonschema_rs.validate(schema, content["example"])


async def test_the_examples_are_what_is_answered_now(world: World) -> None:
    now = await answers(world)
    stored = examples()

    assert now.keys() == stored.keys()
    for name, answer in now.items():
        assert (name, answer["status"]) == (name, stored[name]["status"])
        assert (name, outline(answer["body"])) == (name, outline(stored[name]["body"]))


def outline(body: Any) -> Any:
    """Names only: what a body holds, without values that differ from day to day."""
    if isinstance(body, dict):
        return sorted(name for name in body if " " not in name and not name[:1].isdigit())

    return [outline(body[0])] if isinstance(body, list) and body else type(body).__name__


async def test_it_is_served_and_readable(world: World) -> None:
    async with world.client("nobody") as api:
        spec = await api.get("http://groundswell/api/openapi.json")
        page = await api.get("http://groundswell/api/docs/")

    assert spec.json()["openapi"] == "3.1.0"
    assert page.headers["content-type"].startswith("text/html")
    assert "events-stats" in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("path", ["nope/", "organizations/acme/nope/", "organizations/nobody/"])
async def test_what_is_not_there_is_said_in_one_shape(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "The requested resource does not exist"}


async def test_every_route_fails_in_one_shape(world: World) -> None:
    """Without a token, with one of another organization, and with a body that is no JSON."""
    wrong = []
    async with world.client("nobody") as nobody, world.client(world.foreign) as foreign:
        for method, path, operation in OPERATIONS:
            names = {p["name"]: "acme" for p in operation["parameters"] if p["in"] == "path"}
            for client in (nobody, foreign):
                answer = await client.request(
                    method, path.format(**names), content=b"{", headers={"Content-Length": "1"}
                )
                if answer.status_code < 400:
                    continue
                body = answer.json()
                texts = body.values() if "detail" not in body else [[body["detail"]]]
                shaped = all(isinstance(t, list) and isinstance(t[0], str) for t in texts)
                if answer.status_code >= 500 or not shaped:
                    wrong.append((method, path, answer.status_code, answer.text))
    assert wrong == []
