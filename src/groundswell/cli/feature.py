"""`feature`: what an organization has turned on. It works while the server runs."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from groundswell.cli.options import AsJson, Data, metadata_of
from groundswell.cli.output import show, show_all
from groundswell.errors import UserError
from groundswell.http import features
from groundswell.store.metadata import tenancy

_STATES = {"on": True, "off": False}


def feature(
    org: Annotated[str, Parameter(help="Organization, by slug or id.")],
    name: Annotated[str | None, Parameter(help="The switch; without it all are listed.")] = None,
    state: Annotated[str | None, Parameter(help="on or off.")] = None,
    *,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """List the feature switches of an organization, or turn one on or off."""
    if name is not None and name not in features.BY_NAME:
        names = ", ".join(features.BY_NAME)
        raise UserError(f"{name!r} is no feature; there are {names}", field="name")

    if state is not None and state not in _STATES:
        raise UserError(f"a feature is on or off, not {state!r}", field="state")

    with metadata_of(data) as connection:
        found = tenancy.get_organization(connection, org)
        if name is not None and state is not None:
            tenancy.set_feature(connection, found.id, name, _STATES[state])
        enabled = set(features.enabled(connection, found.id))
    if name is None:
        show_all(
            [
                {"name": each.name, "enabled": each.name in enabled, "help": each.help}
                for each in features.FEATURES
            ],
            json=json,
        )
    else:
        show({"name": name, "enabled": name in enabled}, json=json)
