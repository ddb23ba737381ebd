"""The parts of a question, each judged alone by the compiler: what is wrong, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.question import Output, Question
from groundswell.stats import parameters
from groundswell.stats.datasets import SOURCES, Source, source_of
from groundswell.stats.parameters import Params
from groundswell.stats.request import MAX_FIELDS, Asking
from groundswell.stats.serialize import Body
from groundswell.timeframe import TimeRange, parse_range

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics

_NUMBERS = frozenset({"integer", "number", "duration", "percentage", "rate", "size"})
_ANY_PROJECT = (ProjectId(0),)


async def validate(
    statistics: Statistics, params: Params, scope: Scope, now: datetime
) -> tuple[bool, Body]:
    """Judge the parameters of `events` and tell whether all are valid, and about each.

    Raises UserError for dates and projects, which are judged as everywhere.
    """
    window = parse_range(params, now=now, retention=statistics.retention)
    projects = parameters.projects(params, scope)
    source, dataset = _dataset(params)
    asking = Asking(
        scope,
        source,
        window,
        projects,
        environments=parameters.environments(params),
        search=parameters.first(params, "query") or "",
        retention=statistics.retention,
        now=now,
    )
    environments = await _environments(statistics, asking)
    question = _question(asking, window)
    fields, outputs = await _fields(statistics, question, scope, params)
    query = await _query(statistics, question, scope, asking.search)
    names = tuple(item["name"] for item in fields if item["valid"])
    orderby = await _orderby(statistics, replace(question, select=names), scope, params, outputs)
    body: Body = {
        "dataset": [dataset],
        "environment": environments,
        "projects": [],
        "field": fields,
        "query": query,
        "orderby": orderby,
    }
    judged = [dataset, *environments, *fields, query, *orderby]
    valid = all(item["valid"] for item in judged)
    return valid, {"valid": valid, **body}


def _dataset(params: Params) -> tuple[Source, Body]:
    asked = parameters.first(params, "dataset")
    columns = parameters.texts(params, "field")
    try:
        source = source_of(asked, parameters.first(params, "query") or "", columns)
    except UserError as error:
        return SOURCES["discover"], {"name": asked, "valid": False, "error": error.message}

    return source, {"name": source.label, "valid": True, "error": None}


def _question(asking: Asking, window: TimeRange) -> Question:
    return Question(
        dataset=asking.dataset,
        window=window,
        projects=tuple(project.id for project in asking.projects) or _ANY_PROJECT,
        select=(),
        limit=1,
        now=asking.now,
    )


async def _environments(statistics: Statistics, asking: Asking) -> list[Body]:
    if not asking.projects:
        return []

    unknown = await statistics.unknown_environments(asking)
    return [
        {
            "name": name,
            "valid": name not in unknown,
            "error": f"environment {name!r} does not exist" if name in unknown else None,
        }
        for name in asking.environments
    ]


async def _fields(
    statistics: Statistics, question: Question, scope: Scope, params: Params
) -> tuple[list[Body], Mapping[str, Output]]:
    items: list[Body] = []
    outputs: dict[str, Output] = {}
    for position, name in enumerate(parameters.texts(params, "field")):
        if position >= MAX_FIELDS:
            items.append(_item(name, None, f"At most {MAX_FIELDS} fields are allowed"))
            continue

        output, error = await _column(statistics, question, scope, name)
        items.append(_item(name, output, error))
        if output is not None:
            outputs |= {output.name: output, output.alias: output}
    return items, outputs


async def _column(
    statistics: Statistics, question: Question, scope: Scope, name: str
) -> tuple[Output | None, str | None]:
    try:
        statement = await statistics.compile(replace(question, select=(name,)), scope)
    except UserError as error:
        return None, error.message

    found = next((output for output in statement.outputs if output.name == name), None)
    return found or statement.outputs[0], None


async def _query(
    statistics: Statistics, question: Question, scope: Scope, search: str
) -> dict[str, Any]:
    try:
        await statistics.compile(replace(question, select=("count()",), search=search), scope)
    except UserError as error:
        return {"valid": False, "error": error.message, "fields": []}

    return {"valid": True, "error": None, "fields": []}


async def _orderby(
    statistics: Statistics,
    question: Question,
    scope: Scope,
    params: Params,
    outputs: Mapping[str, Output],
) -> list[Body]:
    items: list[Body] = []
    for name in parameters.texts(params, "orderby") or parameters.texts(params, "sort"):
        output = outputs.get(name.removeprefix("-"))
        error = None
        if not question.select:
            error = f"cannot sort by {name!r}: it is not a selected field"
        else:
            try:
                await statistics.compile(replace(question, order_by=(name,)), scope)
            except UserError as refused:
                error = refused.message
        items.append(_item(name, output, error))
    return items


def _item(name: str, output: Output | None, error: str | None) -> Body:
    return {
        "name": name,
        "valid": error is None,
        "attrType": _attribute_type(output) if output and not error else None,
        "error": error,
    }


def _attribute_type(output: Output) -> str:
    if output.type in _NUMBERS:
        return "number"

    return "boolean" if output.type == "boolean" else "string"
