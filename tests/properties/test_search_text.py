"""Printing a search and reading it again gives the same tree; no text breaks the scanner."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import UserError
from groundswell.query.search.parser import parse
from groundswell.query.search.parser import print as show
from groundswell.query.search.tree import And, Filter, Has, Key, Node, Or, Text

_NAMES = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=8).filter(
    lambda name: name not in {"has"}
)
_COLON_NAMES = st.builds("{}:{}".format, _NAMES, _NAMES)
_ARGS = st.lists(st.text(string.ascii_letters + "._", min_size=1, max_size=6), max_size=3).map(
    tuple
)
_KEYS = st.one_of(
    st.builds(Key, _NAMES),
    st.builds(Key, _COLON_NAMES),
    st.builds(
        lambda name, typed: Key(name, "tag", (), typed),
        _NAMES,
        st.sampled_from(["", "number", "string"]),
    ),
    st.builds(lambda name, args: Key(name, "call", args), _NAMES, _ARGS),
)
_ANY = st.text(max_size=12).filter(lambda text: not text.endswith("\\"))
_BARE = st.text(string.ascii_letters + string.digits + ":,.*-[]", min_size=1, max_size=8).filter(
    lambda text: not text.startswith("[")
)
_OPERATORS = st.sampled_from(["", "=", "!=", "<", "<=", ">", ">="])


@st.composite
def filters(draw: st.DrawFn) -> Node:
    key, negated = draw(_KEYS), draw(st.booleans())
    match draw(st.integers(0, 4)):
        case 0:
            return Filter(key, draw(_OPERATORS), draw(_ANY), None, True, negated)
        case 1:
            return Filter(key, draw(_OPERATORS), draw(_BARE), None, False, negated)
        case 2:
            items = draw(st.lists(_ANY, min_size=1, max_size=3))
            return Filter(key, "", "", tuple(items), False, negated)
        case 3:
            return Text(draw(_ANY))
        case _:
            return Has(Key(draw(_NAMES)), negated)


@st.composite
def trees(draw: st.DrawFn, depth: int = 0) -> Node:
    if depth == 3 or draw(st.booleans()):
        return draw(filters())

    kind = draw(st.sampled_from([And, Or]))
    return kind(tuple(draw(st.lists(trees(depth + 1), min_size=2, max_size=3))))


@settings(max_examples=300, deadline=None)
@given(trees())
def test_printed_tree_parses_to_itself(tree: Node) -> None:
    assert parse(show(tree)) == tree


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*'()[]!:,"\\*<>= \t\n', "a", "or", "AND", "has:", "tags[", "count(", "b:1", "%", "ä"]
        ),
        max_size=30,
    )
)
def test_any_text_is_read_or_refused(tokens: list[str]) -> None:
    text = "".join(tokens)
    try:
        tree = parse(text)
    except UserError:
        return

    assert parse(show(tree)) == tree
