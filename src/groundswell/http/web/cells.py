"""Rows of an answer → cells of a page: words for people, and what a click on a value asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from groundswell.charts.units import measure
from groundswell.http.web.state import State
from groundswell.model.series import Cell, TableAnswer
from groundswell.query.sql.patterns import quoted
from groundswell.slack.requests import is_aggregate

NUMBERS = frozenset({"integer", "number", "duration", "percentage", "rate", "size"})
_PLAIN_VALUE = re.compile(r"[\w.:/@-]+")


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; `address` sorts by it, or turns the order round."""

    name: str
    address: str
    is_number: bool
    sorted: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell; `address` narrows the search to its value."""

    text: str
    is_number: bool = False
    is_none: bool = False
    address: str = ""


def columns_of(state: State, answer: TableAnswer) -> list[Column]:
    """Make the heads of the columns that were asked for."""
    current = state.sort[0] if state.sort else ""
    heads = []
    for name in state.fields:
        is_down, is_up = current == f"-{name}", current == name
        turned = name if is_down else f"-{name}"
        heads.append(
            Column(
                name=name.removeprefix("equation|"),
                address="?" + state.address(sort=turned, cursor=None),
                is_number=_type(answer, name)[0] in NUMBERS,
                sorted="descending" if is_down else "ascending" if is_up else "",
            )
        )
    return heads


def cells_of(state: State, answer: TableAnswer, row: Mapping[str, Cell]) -> list[Shown]:
    """Make the cells of one row."""
    return [_cell(state, answer, name, row.get(name)) for name in state.fields]


def plain(answer: TableAnswer, name: str, value: Cell) -> Shown:
    """Tell one value in words, without a link."""
    kind, unit = _type(answer, name)
    if value is None or value == "":
        return Shown("(none)", kind in NUMBERS, is_none=True)

    return Shown(_text(kind, unit, value), kind in NUMBERS)


def term(name: str, value: Cell) -> str:
    """Write the search term that keeps rows with this value."""
    if value is None or value == "":
        return f"!has:{name}"

    text = str(value)
    if _PLAIN_VALUE.fullmatch(text):
        return f"{name}:{text}"

    return f"{name}:{quoted(text)}"


def _cell(state: State, answer: TableAnswer, name: str, value: Cell) -> Shown:
    shown = plain(answer, name, value)
    can_narrow = _type(answer, name)[0] in {"string", "boolean"} and not is_aggregate(name)
    if not can_narrow or isinstance(value, list) or "\n" in str(value):
        return shown

    query = f"{state.query} {term(name, value)}".strip()
    return replace(shown, address="?" + state.address(query=query, cursor=None))


def _text(kind: str, unit: str | None, value: Cell) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"

    if isinstance(value, list):
        return ", ".join(str(part) for part in value)

    if kind == "date" and isinstance(value, str):
        return value[:19].replace("T", " ")

    if isinstance(value, (int, float)) and kind in NUMBERS:
        if kind == "integer" or (kind == "number" and float(value).is_integer()):
            return f"{value:,.0f}"

        return measure(kind, unit).text(value)

    return str(value)


def _type(answer: TableAnswer, name: str) -> tuple[str, str | None]:
    return answer.columns.get(name, ("string", None))
