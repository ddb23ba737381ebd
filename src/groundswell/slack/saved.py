"""The saved question that a link is built on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from groundswell.errors import NotFound
from groundswell.model.tenancy import Scope, User
from groundswell.slack.links import Kind, Link
from groundswell.store.metadata.saved_queries import (
    SavedQuery,
    find_homepage,
    get_saved_query,
)

HOMEPAGE = "homepage"
_MAX_ID = 2**63 - 1
# What a person chose to look at; with none of these the homepage shows what they saved.
_CHOICES = ("yAxis", "field", "query", "display", "sort", "dataset", "queryDataset", "topEvents")


def saved_question(
    connection: Connection, scope: Scope, link: Link, user: User
) -> Mapping[str, Any] | None:
    """Find the question that a link names by `id`, or a person's homepage; None where it is gone.

    What is gone is no reason to say nothing: the address holds enough.
    """
    if link.kind is not Kind.DISCOVER:
        return None

    id = link.first("id")
    if id is not None:
        found = _by_id(connection, scope, id)
    elif link.item == HOMEPAGE and not any(name in link.params for name in _CHOICES):
        found = find_homepage(connection, scope.organization.id, user.id)
    else:
        return None

    return None if found is None else {**found.body, "name": found.name}


def _by_id(connection: Connection, scope: Scope, id: str) -> SavedQuery | None:
    if not (id.isascii() and id.isdigit()) or int(id) > _MAX_ID:
        return None

    try:
        return get_saved_query(connection, scope.organization.id, int(id))
    except NotFound:
        return None
