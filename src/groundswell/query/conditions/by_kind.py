"""Filters whose values are names that a catalog knows (projects, issues, releases), and `has:`."""

from __future__ import annotations

from collections.abc import Callable

from groundswell.query.conditions import by_text
from groundswell.query.conditions.by_number import COMPARE, operator_of
from groundswell.query.question import Dataset
from groundswell.query.registry.fields import Field
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import TableReader
from groundswell.query.search.parser import refuse
from groundswell.query.search.suggest import did_you_mean
from groundswell.query.search.tree import Filter, Has
from groundswell.query.search.units import parse_number
from groundswell.query.search.versions import Version, newest, parse_prefix, parse_version
from groundswell.query.sql.expression import (
    FALSE,
    TRUE,
    Column,
    Expression,
    Number,
    Value,
    Word,
    call,
    negate,
    strings,
)
from groundswell.query.sql.patterns import is_pattern

LATEST = "latest"
STAGES = ("adopted", "low_adoption", "replaced")
_NO_UUID = "00000000-0000-0000-0000-000000000000"


def exists(frame: Frame, reader: TableReader, field: Field, node: Has) -> Expression:
    """Compile `has:`."""
    if field.role in {"project", "project_id"}:
        if node.negated:
            raise refuse("!has:project finds nothing, every event has a project", node.at)

        return TRUE

    if field.name == "transaction" and node.negated and frame.dataset is Dataset.TRANSACTIONS:
        raise refuse("!has:transaction finds nothing, every transaction has a name", node.at)

    found = _is_there(reader, field)
    return negate(found) if node.negated else found


def _is_there(reader: TableReader, field: Field) -> Expression:
    source = reader.source(field)
    if source is None:
        return FALSE

    match source.storage:
        case "plain" if field.role in {"issue", "issue_id"}:
            return call("notEquals", Column(source.column), Number(0))
        case "zero" if field.role in {"issue", "issue_id", "unhandled"}:
            return FALSE if field.role != "unhandled" else TRUE
        case "text" | "keyed_text" | "truth":
            stored = Column(source.column)
            raw = call("item", stored, Value(source.key)) if source.key else stored
            return call("notEquals", raw, Word(""))
        case "uuid":
            return call("notEquals", Column(source.column), Value(_NO_UUID, "UUID"))
        case "span":
            return call("notEquals", Column(source.column), Number(0))
        case "keyed":
            return call("mapContains", Column(source.column), Value(source.key))
        case "texts" | "numbers":
            return call("notEmpty", Column(source.column))
        case "handled":
            return reader.value(field)
        case "unhandled":
            return negate(reader.value(field))
        case "plain" if field.role == "message":
            return call("notEquals", Column(source.column), Word(""))
        case _:
            return call("isNotNull", reader.value(field)) if reader.nullable(field) else TRUE


def _values(node: Filter) -> tuple[tuple[str, ...], bool]:
    if node.items is not None:
        return node.items, node.negated

    value, negated = by_text.meant(node)
    return (value,), negated


def project(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare slugs of the selected projects; a slug that is not among them is refused."""
    values, negated = _values(node)
    ids = {slug: number for number, slug in frame.catalog.projects.items()}
    unknown = [slug for slug in values if slug not in ids]
    if unknown and not negated:
        names = ", ".join(unknown)
        raise refuse(
            f"project: {names} does not exist or is not selected.{did_you_mean(unknown[0], ids)}",
            node.at,
        )

    found = tuple(sorted(ids[slug] for slug in values if slug in ids))
    if not found:
        return TRUE

    bound = Value(found, "Array(UInt64)")
    return call("notIn" if negated else "in", Column("project_id"), bound)


def issue(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare short ids of issues."""
    values, negated = _values(node)
    ids = []
    for value in values:
        number = 0 if value in {"", "unknown"} else frame.catalog.issues.get(value.upper())
        if number is None:
            number = frame.catalog.issues.get(value)
        if number is None:
            raise refuse(f"issue: {value} is not the short id of an issue you can see", node.at)

        ids.append(number)
    if reader.table != "errors":
        return TRUE if (0 in ids) != negated else FALSE

    return call("notIn" if negated else "in", reader.raw(field), Value(tuple(ids), "Array(UInt64)"))


def no_rows(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare a field that no event has."""
    for value in _values(node)[0]:
        if parse_number(value) is None:
            raise refuse(f"Invalid number for {field.name}: {value!r}", node.at)

    return TRUE if node.negated or node.operator == "!=" else FALSE


def release(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare releases; `latest` is the newest one of each project."""
    values, negated = _values(node)
    if node.items is None and (is_pattern(values[0]) or LATEST not in values):
        return by_text.text(frame, reader, field, node)

    meant: list[str] = []
    for value in values:
        if value == LATEST:
            newest_ones = (newest(known) for known in frame.catalog.releases.values())
            meant += [found for found in newest_ones if found is not None]
        else:
            meant.append(value)
    return _among(reader, field, meant, negated)


def _among(reader: TableReader, field: Field, names: list[str], negated: bool) -> Expression:
    unique = tuple(dict.fromkeys(names))
    if not unique:
        return TRUE if negated else FALSE

    return call("notIn" if negated else "in", reader.raw(field), strings(unique))


def release_version(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare versions: major, minor, patch, revision, final before pre-release, its text."""
    if node.items is not None:
        raise refuse("release.version does not take a list; use release:[…]", node.at)

    value = node.value
    prefix = parse_prefix(value)
    operator = operator_of(node)
    if prefix is not None:
        if operator not in {"=", "!="}:
            raise refuse(f"release.version: {value} cannot be used with {operator}", node.at)

        size = len(prefix)
        return _releases(
            frame, reader, field, lambda found: found.numbers[:size] == prefix, operator == "!="
        )

    wanted = parse_version(value)
    if wanted is None:
        raise refuse(
            f"release.version: {value!r} is not a semantic version such as 1.2.3 or 1.2.3-beta",
            node.at,
        )

    def fits(found: Version) -> bool:
        if wanted.package and found.package != wanted.package:
            return False

        left, right = found.order, wanted.order
        match operator:
            case ">":
                return left > right
            case ">=":
                return left >= right
            case "<":
                return left < right
            case "<=":
                return left <= right
            case _:
                return left == right

    return _releases(frame, reader, field, fits, operator == "!=")


def _releases(
    frame: Frame,
    reader: TableReader,
    field: Field,
    fits: Callable[[Version], bool],
    negated: bool,
) -> Expression:
    names = []
    for known in frame.catalog.releases.values():
        for name in known:
            version = parse_version(name)
            if version is not None and fits(version):
                names.append(name)
    return _among(reader, field, names, negated)


def release_package(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare the package part."""
    values, negated = _values(node)
    return _releases(frame, reader, field, lambda found: found.package in values, negated)


def release_build(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare the build part: as numbers where an operator is given."""
    operator = operator_of(node)
    if operator in {"=", "!="} or node.items is not None:
        values, negated = _values(node)
        return _releases(frame, reader, field, lambda found: found.build in values, negated)

    wanted = parse_number(node.value)
    if wanted is None or operator not in COMPARE:
        raise refuse(f"Invalid number for release.build: {node.value!r}", node.at)

    def fits(found: Version) -> bool:
        if not found.build.isdecimal():
            return False

        build = int(found.build)
        return {">": build > wanted, ">=": build >= wanted, "<": build < wanted}.get(
            operator, build <= wanted
        )

    return _releases(frame, reader, field, fits, False)


def release_stage(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Adoption needs sessions, which are not recorded: every release counts as adopted."""
    values, negated = _values(node)
    for value in values:
        if value not in STAGES:
            raise refuse(
                f"release.stage must be one of {', '.join(STAGES)}; got {value!r}", node.at
            )

    frame.note("release.stage: sessions are not kept, so every release counts as adopted")
    return TRUE if ("adopted" in values) != negated else FALSE
