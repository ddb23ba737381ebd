"""Which parts of a catalog a question depends on."""

from __future__ import annotations

import re

from groundswell.errors import UserError
from groundswell.query.catalog import Needs
from groundswell.query.question import Question
from groundswell.query.registry.fields import BUILT_IN_MEASUREMENTS
from groundswell.query.search.calls import FunctionCall, parse_call
from groundswell.query.search.equations import inputs_of, is_equation, parse_equation
from groundswell.query.search.parser import parse
from groundswell.query.search.tree import And, Filter, Has, Node, Or

_RELEASE_PARTS = frozenset({"release.version", "release.package", "release.build", "release.stage"})
_MEASUREMENT = re.compile(r"measurements\.([A-Za-z0-9_.\-]+)", re.ASCII)
# The argument that stands for the setting of a project, where it is left out or 0.
_THRESHOLD_AT = {"apdex": 0, "user_misery": 0, "count_miserable": 1}


def needs_of(question: Question) -> Needs:
    """Say what to fetch. A question with a bad search needs nothing; compiling it will say why."""
    groups = question.groups.columns if question.groups is not None else ()
    texts = (question.search, *question.select, *question.order_by, *groups)
    try:
        tree: Node = parse(question.search, question.limits)
        calls = _calls(question)
    except UserError:
        return Needs()

    filters = _filters(tree)
    issues = frozenset(
        value.upper()
        for one in filters
        if one.key.name == "issue" and one.key.kind == "name"
        for value in (one.items if one.items is not None else (one.value,))
        if value and value != "unknown"
    )
    measured = {name.lower() for text in texts for name in _MEASUREMENT.findall(text)}
    calls += [FunctionCall(one.key.name, one.key.args) for one in filters if one.key.kind == "call"]
    return Needs(
        short_ids=issues,
        releases=any(map(_about_releases, filters)),
        thresholds=any(map(_uses_threshold, calls)),
        measurement_units=frozenset(
            name
            for name in measured
            if name not in BUILT_IN_MEASUREMENTS and not name.startswith("score.")
        ),
    )


def _calls(question: Question) -> list[FunctionCall]:
    found = []
    for text in question.select:
        if is_equation(text):
            found += [
                part for part in inputs_of(parse_equation(text)) if isinstance(part, FunctionCall)
            ]
        else:
            call = parse_call(text)
            if call is not None:
                found.append(call)
    return found


def _filters(node: Node) -> list[Filter]:
    match node:
        case And(items) | Or(items):
            return [found for item in items for found in _filters(item)]
        case Filter():
            return [node]
        case _:
            return []


def _about_releases(one: Filter) -> bool:
    if one.key.kind != "name":
        return False

    values = one.items if one.items is not None else (one.value,)
    return one.key.name in _RELEASE_PARTS or (one.key.name == "release" and "latest" in values)


def _uses_threshold(call: FunctionCall) -> bool:
    at = _THRESHOLD_AT.get(call.name)
    return at is not None and (len(call.args) <= at or call.args[at] in {"0", "0.0"})


__all__ = ["Has", "needs_of"]
