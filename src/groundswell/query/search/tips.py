"""Hints for a search that would be clearer in another form."""

from __future__ import annotations

from collections.abc import Mapping

from groundswell.query.search.tree import Filter, Node, Or


def tips_of(tree: Node) -> Mapping[str, str | None]:
    """Suggest a list where one field is compared with several values by OR."""
    suggestion = None
    if isinstance(tree, Or):
        filters = [
            item
            for item in tree.items
            if isinstance(item, Filter)
            and not item.negated
            and not item.operator
            and item.items is None
            and "*" not in item.value
            and item.key.kind != "call"
        ]
        keys = {item.key for item in filters}
        if len(filters) == len(tree.items) and len(keys) == 1:
            values = ", ".join(_shown(item.value) for item in filters)
            suggestion = f"{filters[0].key.text}:[{values}]"
    return {"query": suggestion, "columns": None}


def _shown(value: str) -> str:
    plain = value and not any(character in value for character in '(), "\t\n]')
    return value if plain else '"' + value.replace('"', '\\"') + '"'
