"""`groundswell limit`: how much a key, a project or an organization may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import App, Parameter
from sqlalchemy import Connection

from groundswell.cli.options import AsJson, Data, metadata_of
from groundswell.cli.output import show, show_all
from groundswell.errors import UserError
from groundswell.ingest.limits import CATEGORIES
from groundswell.store.metadata import admission, tenancy

limit = App(name="limit", help="List rate limits of senders, set one or lift one.")
LONGEST_WINDOW_S = 31 * 86_400

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]
Project = Annotated[str | None, Parameter(help="Limit this project only, by slug.")]
Key = Annotated[str | None, Parameter(help="Limit this public key of the project only.")]
Category = Annotated[
    str, Parameter(help="What is counted: error, transaction, span, …; everything when not given.")
]


@dataclass(frozen=True, slots=True)
class _Owner:
    scope: str
    id: int
    name: str


@limit.command(name="list")
def list_limits(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List every limit of an organization, its projects and their keys."""
    rows = []
    with metadata_of(data) as connection:
        world = admission.load(connection)
        for owner in _owners(connection, org):
            rows += [_row(owner, *each) for each in world.limits.get((owner.scope, owner.id), ())]
            rows += [
                _row(owner, "", *key.rate_limit)
                for key in world.keys.values()
                if owner.scope == "key" and key.key_id == owner.id and key.rate_limit
            ]
    show_all(rows, json=json)


@limit.command(name="set")
def set_limit(
    org: Org,
    quantity: Annotated[int, Parameter(help="So many in one window; 0 lets nothing in.")],
    *,
    project: Project = None,
    key: Key = None,
    category: Category = "",
    window: Annotated[int, Parameter(help="Length of a window in seconds.")] = 60,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Set a limit, in force within a second. Beyond it SDKs get 429 and when to come back."""
    if quantity < 0:
        raise UserError("quantity must be 0 or more.", field="quantity")

    if not 1 <= window <= LONGEST_WINDOW_S:
        raise UserError(f"window must be 1 to {LONGEST_WINDOW_S} seconds.", field="window")

    with metadata_of(data) as connection:
        owner = _owner(connection, org, project, key)
        admission.set_rate_limit(
            connection, owner.scope, owner.id, _checked(category), quantity, window
        )
    show(_row(owner, category, quantity, window), json=json)


@limit.command
def lift(
    org: Org,
    *,
    project: Project = None,
    key: Key = None,
    category: Category = "",
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Lift a limit, in force within a second."""
    with metadata_of(data) as connection:
        owner = _owner(connection, org, project, key)
        admission.set_rate_limit(connection, owner.scope, owner.id, _checked(category), None)
        if owner.scope == "key" and not category:
            found = tenancy.key_by_public_key(connection, key or "")
            assert found is not None
            tenancy.set_key_rate_limit(connection, found.id, None, None)
    show({"scope": owner.scope, "of": owner.name, "category": category or "all"}, json=json)


def _owners(connection: Connection, org: str) -> list[_Owner]:
    found = tenancy.get_organization(connection, org)
    owners = [_Owner("organization", found.id, found.slug)]
    for project in tenancy.list_projects(connection, found.id):
        owners.append(_Owner("project", project.id, project.slug))
        owners += [
            _Owner("key", key.id, key.public_key)
            for key in tenancy.list_keys(connection, project.id)
        ]
    return owners


def _owner(connection: Connection, org: str, project: str | None, key: str | None) -> _Owner:
    found = tenancy.get_organization(connection, org)
    if project is None:
        if key is not None:
            raise UserError("--key needs --project: the project that it is of.", field="key")

        return _Owner("organization", found.id, found.slug)

    within = tenancy.get_project(connection, found.id, project)
    if key is None:
        return _Owner("project", within.id, within.slug)

    row = tenancy.key_by_public_key(connection, key)
    if row is None or row.project_id != within.id:
        raise UserError(f"project {within.slug} has no key {key}", field="key")

    return _Owner("key", row.id, row.public_key)


def _checked(category: str) -> str:
    known = sorted(CATEGORIES - {"internal"})
    if category and category not in known:
        raise UserError(
            f"category must be one of {', '.join(known)}, got {category!r}.", field="category"
        )

    return category


def _row(owner: _Owner, category: str, quantity: int, window_s: int) -> dict[str, object]:
    return {
        "scope": owner.scope,
        "of": owner.name,
        "category": category or "all",
        "quantity": quantity,
        "window_s": window_s,
    }
