"""`equation|…` → tree. Operators are left-associative, `*` and `/` bind tighter than `+` and `-`.

expression := term { ("+" | "-") term }        term := part { ("*" | "/" | "÷") part }
part       := "(" expression ")" | number | function(args) | field
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from groundswell.errors import UserError
from groundswell.query.search.calls import FunctionCall, parse_call

PREFIX = "equation|"
MAX_OPERATORS = 10
_MAX_DEPTH = 32
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_CALL = re.compile(r'[A-Za-z0-9_]+\((?:"(?:\\"|[^"])*"|[^()"])*\)', re.ASCII)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_SPACE = re.compile(r"\s*")
_NAMES = {"+": "plus", "-": "minus", "*": "multiply", "/": "divide", "÷": "divide"}


@dataclass(frozen=True, slots=True)
class Literal:
    value: float | int


@dataclass(frozen=True, slots=True)
class Reference:
    """A field."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """plus, minus, multiply or divide."""

    name: str
    left: Equation
    right: Equation


Equation: TypeAlias = Literal | Reference | FunctionCall | Operation


def is_equation(text: str) -> bool:
    return text.startswith(PREFIX)


def parse_equation(text: str) -> Equation:
    """Read an equation (with or without its prefix). Raises UserError with its words."""
    source = text.removeprefix(PREFIX)
    parser = _Parser(source)
    tree = parser.expression(0)
    parser.skip()
    if parser.at < len(source):
        raise parser.unable()

    if not isinstance(tree, Operation):
        raise wrong(text, "needs at least two terms and an operator")

    if parser.operators > MAX_OPERATORS:
        raise wrong(text, f"has {parser.operators} operators, at most {MAX_OPERATORS} are allowed")

    inputs = tuple(inputs_of(tree))
    if not inputs:
        raise wrong(text, "needs a field or a function")

    calls = [part for part in inputs if isinstance(part, FunctionCall)]
    fields = [
        part
        for part in inputs
        if isinstance(part, Reference) and not part.name.startswith("total.")
    ]
    if calls and fields:
        raise wrong(
            text,
            f"mixes the field {fields[0].name} with the function {calls[0].text}; use one kind",
        )

    return tree


def inputs_of(tree: Equation) -> list[Reference | FunctionCall]:
    """List the fields and functions of an equation, from left to right."""
    match tree:
        case Operation(_, left, right):
            return [*inputs_of(left), *inputs_of(right)]
        case Literal():
            return []
        case _:
            return [tree]


def wrong(text: str, why: str) -> UserError:
    return UserError(
        f"equation: {text.removeprefix(PREFIX)!r} {why}", code="invalid_equation", field="field"
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.operators = 0

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def unable(self) -> UserError:
        return wrong(self.text, f"cannot be parsed near column {self.at + 1}")

    def expression(self, depth: int) -> Equation:
        left = self.term(depth)
        while (operator := self._operator("+-")) is not None:
            left = Operation(_NAMES[operator], left, self.term(depth))
        return left

    def term(self, depth: int) -> Equation:
        left = self.part(depth)
        while (operator := self._operator("*/÷")) is not None:
            right = self.part(depth)
            if _NAMES[operator] == "divide" and right == Literal(0):
                raise wrong(self.text, "divides by 0")

            left = Operation(_NAMES[operator], left, right)
        return left

    def _operator(self, wanted: str) -> str | None:
        self.skip()
        if self.at < len(self.text) and self.text[self.at] in wanted:
            self.at += 1
            self.operators += 1
            return self.text[self.at - 1]

        return None

    def part(self, depth: int) -> Equation:
        self.skip()
        if depth > _MAX_DEPTH:
            raise wrong(self.text, f"nests parentheses more than {_MAX_DEPTH} deep")

        if self.text.startswith("(", self.at):
            self.at += 1
            inner = self.expression(depth + 1)
            self.skip()
            if not self.text.startswith(")", self.at):
                raise self.unable()

            self.at += 1
            return inner

        call = self._take(_CALL)
        if call is not None:
            found = parse_call(call)
            assert found is not None
            return found

        number = self._take(_NUMBER)
        if number is not None:
            value = float(number)
            return Literal(int(value) if value.is_integer() and "." not in number else value)

        name = self._take(_FIELD)
        if name is None:
            raise self.unable()

        return Reference(name)

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None

        self.at = found.end()
        return found[0]
