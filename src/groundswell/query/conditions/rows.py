"""Tree of a search → condition on rows of one table; a filter is read by the role of its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from groundswell.query.conditions import by_kind, by_number, by_text, by_time
from groundswell.query.question import Dataset
from groundswell.query.registry.fields import FIELDS, FUNCTIONS, Field
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import TableReader
from groundswell.query.search.parser import refuse
from groundswell.query.search.suggest import did_you_mean
from groundswell.query.search.tree import And, Filter, Has, Key, Node, Or, Text
from groundswell.query.sql.expression import FALSE, TRUE, Expression, all_of, any_of, call
from groundswell.query.sql.patterns import contains, contains_pattern, is_pattern

Rule: TypeAlias = Callable[[Frame, TableReader, Field, Filter], Expression]

_RULES: Mapping[str, Rule] = {
    "text": by_text.text,
    "environment": by_text.text,
    "message": by_text.message,
    "array": by_text.array,
    "uuid": by_text.uuid,
    "span": by_text.span_id,
    "domain": by_text.domain,
    "status": by_text.status,
    "device_class": by_text.device_class,
    "http_status": by_text.http_status,
    "truth": by_text.truth,
    "number": by_number.number,
    "duration": by_number.number,
    "size": by_number.number,
    "array_number": by_number.array_number,
    "array_boolean": by_number.array_boolean,
    "boolean": by_number.boolean,
    "handled": by_number.boolean,
    "unhandled": by_number.boolean,
    "project_id": by_number.number,
    "issue_id": by_number.number,
    "fingerprint": by_number.number,
    "timestamp": by_time.timestamp,
    "date": by_time.timestamp,
    "project": by_kind.project,
    "issue": by_kind.issue,
    "ids": by_kind.no_rows,
    "release": by_kind.release,
    "release.version": by_kind.release_version,
    "release.package": by_kind.release_package,
    "release.build": by_kind.release_build,
    "release.stage": by_kind.release_stage,
}


def field_of(frame: Frame, key: Key, at: int) -> Field:
    """Find the field of a key. Raises UserError where the dataset has none of that name."""
    if key.name == "is" and key.kind == "name":
        raise refuse("is: is not supported here, it searches issues", at)

    text = key.text
    found = frame.field(text if key.kind != "name" else key.name)
    if found is not None and found.role == "total":
        found = frame.field(f"tags[{key.name}]")
    if found is None:
        known = [name for name, row in FIELDS.items() if FUNCTIONS in row.sources]
        hint = did_you_mean(key.name, known) if frame.dataset is Dataset.FUNCTIONS else ""
        raise refuse(f"{text} is not a field of this dataset.{hint}", at)

    return found


def condition(frame: Frame, reader: TableReader, node: Node) -> Expression:
    """Compile the row filters of a tree."""
    match node:
        case And(items):
            return all_of(tuple(condition(frame, reader, item) for item in items))
        case Or(items):
            return any_of(tuple(condition(frame, reader, item) for item in items))
        case Filter(key):
            field = field_of(frame, key, node.at)
            if field.name == "function.duration":
                raise refuse(
                    "function.duration can only be filtered by inside a function, like "
                    "p95(function.duration):>5",
                    node.at,
                )

            if field.role == "ignored":
                return TRUE

            return _RULES[field.role](frame, reader, field, node)
        case Text(value):
            return _free_text(reader, frame, value)
        case Has(key):
            return by_kind.exists(frame, reader, field_of(frame, key, node.at), node)


def _free_text(reader: TableReader, frame: Frame, value: str) -> Expression:
    if not value:
        return TRUE

    field = frame.field("function" if frame.dataset is Dataset.FUNCTIONS else "message")
    assert field is not None
    if not reader.has(field):
        return FALSE

    column = reader.raw(field)
    return contains_pattern(column, value) if is_pattern(value) else contains(column, value)


__all__ = ["call", "condition", "field_of"]
