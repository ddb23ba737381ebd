"""Search text → tree, and tree → search text. The whole grammar is this module.

    query     := { item }                         separated by spaces, tabs or new lines
    item      := ("AND" | "OR") | group | filter | free text          the first that fits
    group     := "(" item { item } ")"
    filter    := ["!"] key ":" ( list | [operator] value )            no spaces in between
    key       := name | '"' name with ":" '"' | tags[name] | tags[name,number] | function(args)
    operator  := >= | <= | > | < | = | !=
    list      := "[" element { "," element } "]"
    value     := "quoted" | anything without spaces and parentheses
    free text := "quoted" | words, with balanced parentheses

AND binds tighter than OR; neighbours are joined by AND.
"""

from __future__ import annotations

import re

from groundswell.errors import UserError
from groundswell.query.question import Limits
from groundswell.query.search.tree import EVERYTHING, And, Filter, Has, Key, Node, Or, Text

_NAME = r"[A-Za-z0-9_.\-]+"
_QUOTED = r'"(?:\\"|[^"\\]|\\(?!"))*+"'
_ARG = r'(?:"(?:\\"|[^"\\\t\n]|\\(?!"))*+"|[^()\t\n, "]+)'
_ELEMENT = rf"(?:{_QUOTED}|[^(),\s\"][^(),\s]*|\")"

_SPACE = re.compile(r"\s*", re.ASCII)
_BOOLEAN = re.compile(r"(?:OR|AND)(?=[\s)]|\Z)", re.IGNORECASE | re.ASCII)
_KEY = re.compile(
    rf"(?P<space>tags|flags)\[(?:(?P<tag>{_NAME})|\"(?P<qtag>[A-Za-z0-9_.:\-]+)\")"
    rf"(?:[ ]*,[ ]*(?P<type>string|number))?\]"
    rf"|(?P<call>{_NAME})\([ ]*+(?P<args>{_ARG}(?:[ ]*+,(?![ ]*+,)[ ]*+(?:{_ARG})?)*+)?[ ]*+\)"
    rf"|(?P<name>{_NAME})"
    rf"|\"(?P<qname>[A-Za-z0-9_.:\-]+)\"",
    re.ASCII,
)
_ARGUMENT = re.compile(rf"[ ]*(?P<arg>{_ARG})?[ ]*(?:,|\Z)")
_LIST = re.compile(
    rf"\[[ ]*+{_ELEMENT}(?:[ ]*+,(?![ ]*+,)[ ]*+(?:{_ELEMENT})?)*?[ ]*+\](?=[\s)]|\Z)"
)
_ITEM = re.compile(rf"[ ]*(?P<item>{_QUOTED}|[^(),\s]*)[ ]*(?P<more>,|\Z)")
_OPERATOR = re.compile(r">=|<=|!=|>|<|=")
_STRING = re.compile(_QUOTED)
_RUN = re.compile(r"[^()\s]*", re.ASCII)
_BARE_QUOTE = re.compile(r'(?<!\\)"')

_MIN_PHRASE = 2


def refuse(message: str, at: int | None = None, *, code: str = "invalid_query") -> UserError:
    """Make the error of a bad search, with the 1-based column where it is known."""
    where = f" (column {at})" if at is not None else ""
    return UserError(f"{message}{where}", code=code, field="query")


_DEFAULT_LIMITS = Limits()


def parse(text: str, limits: Limits = _DEFAULT_LIMITS) -> Node:
    """Read a search. Raises UserError that says where, what was wrong and what would be right."""
    if len(text) > limits.max_length:
        raise refuse(
            f"query: the search is {len(text)} characters long, at most {limits.max_length} "
            "are allowed",
            code="query_too_long",
        )

    scanner = _Scanner(text, limits)
    node = scanner.sequence(0, 0, inside=False)
    if scanner.at < len(text):
        raise scanner.stuck(scanner.at)

    return node


class _Scanner:
    """One pass over the text. `at` is where the last successful rule ended."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.at = 0
        self.terms = 0

    def sequence(self, at: int, depth: int, *, inside: bool) -> Node:
        """Read items up to the end or to a closing parenthesis and join them."""
        parts: list[Node | str] = []
        places: list[int] = []
        text, length = self.text, len(self.text)
        while True:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if at >= length or (inside and text[at] == ")"):
                break

            start = at
            part = self.item(at, depth)
            if part is None:
                break

            parts.append(part)
            places.append(start)
            at = self.at

        self.at = at
        return _join(parts, places)

    def item(self, at: int, depth: int) -> Node | str | None:
        text = self.text
        match = _BOOLEAN.match(text, at)
        if match is not None:
            self.at = match.end()
            return match[0]

        if text[at] == "(":
            group = self.group(at, depth)
            if group is not None:
                return group

        if text.startswith("!(", at):
            raise refuse(
                "A group in parentheses cannot be negated with !; negate each filter inside it",
                at + 1,
            )

        found = self.filter(at)
        if found is None:
            found = self.phrase(at)
        if found is not None:
            self.terms += 1
            if self.terms > self.limits.max_terms:
                raise refuse(
                    f"query: more than {self.limits.max_terms} conditions in one search",
                    at + 1,
                    code="query_too_many_terms",
                )

        return found

    def group(self, at: int, depth: int) -> Node | None:
        if depth >= self.limits.max_depth:
            raise refuse(
                f"query: parentheses nested more than {self.limits.max_depth} deep",
                at + 1,
                code="query_too_deep",
            )

        terms = self.terms
        inner = _SPACE.match(self.text, at + 1).end()  # type: ignore[union-attr]
        if self.text.startswith(")", inner) or inner >= len(self.text):
            return None

        node = self.sequence(inner, depth + 1, inside=True)
        if not self.text.startswith(")", self.at):
            self.terms = terms
            return None

        self.at += 1
        return node

    def filter(self, at: int) -> Node | None:
        text = self.text
        negated = text.startswith("!", at)
        match = _KEY.match(text, at + negated)
        if match is None or not text.startswith(":", match.end()):
            return None

        key = _key(match, at + 1)
        after = match.end() + 1
        if match["name"] == "has":
            return self._has(after, negated, at)

        listed = _LIST.match(text, after) if text.startswith("[", after) else None
        if listed is not None:
            self.at = listed.end()
            items = _items(listed[0][1:-1], key, at + 1)
            return Filter(key, "", "", items, False, negated, at + 1)

        operator = _OPERATOR.match(text, after)
        if operator is not None:
            after = operator.end()
        op = operator[0] if operator is not None else ""
        value, quoted = self._value(key, after, at)
        return Filter(key, op, value, None, quoted, negated, at + 1)

    def _has(self, after: int, negated: bool, at: int) -> Node:
        match = _KEY.match(self.text, after)
        if match is None or match["call"]:
            raise refuse('has: needs a field or tag, like has:user or has:"foo:bar"', after + 1)

        self.at = match.end()
        return Has(_key(match, after + 1), negated, at + 1)

    def _value(self, key: Key, after: int, at: int) -> tuple[str, bool]:
        quoted = _STRING.match(self.text, after)
        if quoted is not None:
            self.at = quoted.end()
            return quoted[0][1:-1].replace('\\"', '"'), True

        run = _RUN.match(self.text, after)
        assert run is not None
        value = run[0]
        if not value:
            raise refuse(
                f"Empty string after '{key.text}:'; write {key.text}:\"\" for an empty value",
                at + 1,
            )

        if _BARE_QUOTE.search(value):
            raise refuse(
                f'Invalid quote in the value of {key.text}: quote the whole value ("…") '
                'or write \\" for a quote inside it',
                after + 1,
            )

        self.at = run.end()
        return value.replace('\\"', '"'), False

    def phrase(self, at: int) -> Node | None:
        """Read free text: a quoted phrase, or words up to the next filter or operator."""
        quoted = _STRING.match(self.text, at)
        if quoted is not None:
            self.at = quoted.end()
            return Text(quoted[0][1:-1].replace('\\"', '"'), at + 1)

        end = self._words(at, 0)
        if end is None:
            return None

        self.at = end
        return Text(self.text[at:end].rstrip(), at + 1)

    def _words(self, at: int, depth: int) -> int | None:
        if depth > self.limits.max_depth:
            raise refuse(
                f"query: parentheses nested more than {self.limits.max_depth} deep", at + 1
            )

        text, length, end = self.text, len(self.text), None
        while at < length:
            start = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if start >= length or self._is_next_item(start, first=end is None and depth == 0):
                break

            if text[start] == "(":
                inner = self._parenthesis(start, depth)
                if inner is None:
                    break

                at = end = inner
                continue

            run = _RUN.match(text, start)
            assert run is not None
            if run.end() == start:
                break

            at = end = run.end()

        return end

    def _parenthesis(self, at: int, depth: int) -> int | None:
        quoted = _STRING.match(self.text, at + 1)
        inner = quoted.end() if quoted is not None else self._words(at + 1, depth + 1)
        end = at + 1 if inner is None else inner
        end = _SPACE.match(self.text, end).end()  # type: ignore[union-attr]
        return end + 1 if self.text.startswith(")", end) else None

    def _is_next_item(self, at: int, *, first: bool) -> bool:
        if first:
            return False

        if _BOOLEAN.match(self.text, at):
            return True

        match = _KEY.match(self.text, at + self.text.startswith("!", at))
        return match is not None and self.text.startswith(":", match.end())

    def stuck(self, at: int) -> UserError:
        near = self.text[max(at - 5, 0) : at + 5]
        return refuse(
            f"Parse error at '{near}': usually an unmatched parenthesis; put text that holds "
            "parentheses into quotes",
            at + 1,
        )


def _key(match: re.Match[str], at: int) -> Key:
    if match["name"] is not None:
        return Key(match["name"])

    if match["call"] is not None:
        return Key(match["call"], "call", _arguments(match["args"] or "", match["call"], at))

    if match["qname"] is not None:
        return Key(match["qname"])

    kind = "tag" if match["space"] == "tags" else "flag"
    return Key(match["tag"] or match["qtag"], kind, (), match["type"] or "")  # type: ignore[arg-type]


def _arguments(text: str, name: str, at: int) -> tuple[str, ...]:
    if not text:
        return ()

    args, position = [], 0
    while position < len(text):
        match = _ARGUMENT.match(text, position)
        assert match is not None
        if match["arg"] is None:
            raise refuse(f"{name}(): empty parameter", at)

        args.append(match["arg"])
        position = match.end()
        if position >= len(text) and text.endswith(","):
            raise refuse(f"{name}(): empty parameter after the last comma", at)

    return tuple(args)


def _items(text: str, key: Key, at: int) -> tuple[str, ...]:
    items, position = [], 0
    while position <= len(text):
        match = _ITEM.match(text, position)
        assert match is not None
        item = match["item"]
        if not item:
            raise refuse(f"{key.text}: lists cannot have empty values", at)

        if len(item) >= _MIN_PHRASE and item[0] == '"' == item[-1]:
            item = item[1:-1]
        items.append(item.replace('\\"', '"'))
        position = match.end()
        if not match["more"]:
            break

    return tuple(items)


def _join(parts: list[Node | str], places: list[int]) -> Node:
    if not parts:
        return EVERYTHING

    alternatives: list[list[Node]] = [[]]
    previous: str | None = "start"
    for part, place in zip(parts, places, strict=True):
        if isinstance(part, str):
            _check_neighbours(part, previous, place)
            previous = part
            if part.upper() == "OR":
                alternatives.append([])
        else:
            previous = None
            alternatives[-1].append(part)

    if previous is not None:
        raise refuse(f"Condition missing to the right of the {previous} operator", places[-1] + 1)

    joined = [items[0] if len(items) == 1 else And(tuple(items)) for items in alternatives]
    return joined[0] if len(joined) == 1 else Or(tuple(joined))


def _check_neighbours(operator: str, previous: str | None, place: int) -> None:
    if previous == "start":
        raise refuse(f"Condition missing to the left of the {operator} operator", place + 1)

    if previous is not None:
        raise refuse(
            f"Condition missing between the {previous} and {operator} operators", place + 1
        )


def print(node: Node) -> str:
    """Write a tree as search text that parses to the same tree."""
    match node:
        case And(items):
            return " ".join(_inner(item) for item in items)
        case Or(items):
            return " OR ".join(_inner(item) for item in items)
        case Text(value):
            return f"({value})" if value.endswith("\\") else _quote(value)
        case Has(key, negated):
            return f"{'!' if negated else ''}has:{key.text}"
        case Filter(key, operator, value, listed, quoted, negated):
            sign = "!" if negated else ""
            if listed is not None:
                return f"{sign}{key.text}:[{','.join(_quote(item) for item in listed)}]"

            shown = _quote(value) if quoted else value.replace('"', '\\"')
            return f"{sign}{key.text}:{operator}{shown}"


def _inner(node: Node) -> str:
    return f"({print(node)})" if isinstance(node, And | Or) else print(node)


def _quote(value: str) -> str:
    if value.endswith("\\"):  # a backslash would escape the closing quote
        return value.replace('"', '\\"')

    return '"' + value.replace('"', '\\"') + '"'
