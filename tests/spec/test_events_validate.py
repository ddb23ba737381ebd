"""events/validate: each part judged alone, the same seven keys in every answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asking import Asker

KEYS = {"valid", "dataset", "environment", "projects", "field", "query", "orderby"}


async def test_valid(web: Asker) -> None:
    assert await web.validate(
        dataset="errors", field=["title", "count()"], query="level:error", orderby="-count()"
    ) == (
        True,
        {
            "valid": True,
            "dataset": [{"name": "errors", "valid": True, "error": None}],
            "environment": [],
            "projects": [],
            "field": [
                {"name": "title", "valid": True, "attrType": "string", "error": None},
                {"name": "count()", "valid": True, "attrType": "number", "error": None},
            ],
            "query": {"valid": True, "error": None, "fields": []},
            "orderby": [{"name": "-count()", "valid": True, "attrType": "number", "error": None}],
        },
    )


@pytest.mark.parametrize(
    ("params", "part", "word"),
    [
        ({"dataset": "nope"}, "dataset", "nope"),
        ({"field": ["nope()"]}, "field", "nope"),
        ({"field": ["title", "p95(title)"]}, "field", "title"),
        ({"query": "(level:error"}, "query", "parenthes"),
        ({"query": "transaction.duration:fast"}, "query", "transaction.duration"),
        ({"orderby": "-count()"}, "orderby", "sort"),
        ({"sort": "-count()"}, "orderby", "sort"),
        ({"environment": ["prod", "nope"]}, "environment", "nope"),
        ({"field": [f"f{n}" for n in range(21)]}, "field", "20"),
    ],
)
async def test_invalid(web: Asker, params: dict[str, Any], part: str, word: str) -> None:
    valid, body = await web.validate(**{"field": "title", **params})

    assert not valid
    assert set(body) == KEYS
    parts = body[part] if isinstance(body[part], list) else [body[part]]
    assert any(word in item["error"] for item in parts if not item["valid"])
    for other in KEYS - {part, "valid"}:
        items = body[other] if isinstance(body[other], list) else [body[other]]
        assert all(item["valid"] for item in items)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("title", "string"),
        ("timestamp", "string"),
        ("count()", "number"),
        ("failure_rate()", "number"),
        ("transaction.duration", "number"),
        ("error.handled", "boolean"),
        ("some_tag", "string"),
        ("equation|count() * 2", "number"),
    ],
)
async def test_kinds(web: Asker, field: str, kind: str) -> None:
    _, body = await web.validate(dataset="discover", field=field)

    assert body["field"] == [{"name": field, "valid": True, "attrType": kind, "error": None}]
