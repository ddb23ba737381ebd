"""`groundswell alert`: list rules, send a test, show the secret of webhooks."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.alerts.telling import EXPIRES, test_notice
from groundswell.cli.options import AsJson, Data, metadata_of, settings_for
from groundswell.cli.output import show, show_all
from groundswell.errors import NotFound
from groundswell.notify.webhooks import secret_of
from groundswell.store.data_directory import DataDirectory
from groundswell.store.metadata import alerts, notify, tenancy

alert = App(name="alert", help="List alert rules, and test whom they tell.")

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]


@alert.command(name="list")
def list_rules(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """List the rules of an organization."""
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = alerts.list_rules(connection, owner.id)
    rows = [
        {"id": str(one.rule.id), "name": one.rule.name, "error": one.last_error} for one in found
    ]
    show_all(rows, json=json)


@alert.command(name="test")
def fire(
    org: Org,
    rule: Annotated[int, Parameter(help="Id of the rule.")],
    *,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Tell everybody whom a rule would tell that this is a test; the running service delivers."""
    now = datetime.now(UTC)
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
        found = alerts.find_rule(connection, owner.id, rule)
        if found is None:
            raise NotFound(f"There is no rule {rule} in {owner.slug}.")

        key = f"test:{rule}:{uuid.uuid4().hex}"
        notice = test_notice(connection, found.rule, owner.slug, now, key)
        notify.enqueue(connection, notice, now, now + EXPIRES)
    told = [f"{channel} {target}" for channel, target in notice.targets]
    show({"rule": str(rule), "told": ", ".join(told) or "nobody"}, json=json)


@alert.command(name="secret")
def secret(org: Org, *, data: Data = None, json: AsJson = False) -> None:
    """Show what the webhooks of an organization are signed with."""
    settings = settings_for(data)
    shared = settings.text("DATABASE_URL").startswith("postgres")
    keys = DataDirectory(settings.data).secret_keys(
        settings.text("SECRET_KEY"), shared_database=shared
    )
    with metadata_of(data) as connection:
        owner = tenancy.get_organization(connection, org)
    show({"org": owner.slug, "secret": secret_of(keys[0], owner.id)}, json=json)
