"""Feature switches: a registry of what an organization can turn off, and how."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection

from groundswell.errors import NotFound
from groundswell.model.tenancy import OrgId
from groundswell.store.metadata import tenancy


@dataclass(frozen=True, slots=True)
class Feature:
    """One switch. `name` is what clients see in an organization's `features`."""

    name: str
    help: str
    default: bool = True


FEATURES: tuple[Feature, ...] = (
    Feature("discover-basic", "Questions over events: tables and series."),
    Feature("discover-query", "Saved questions."),
    Feature("performance-view", "Transactions and spans."),
    Feature("performance-new-trends", "Trends of transactions."),
    Feature("profiling", "Profiles and their functions."),
    Feature("profiling-global-suspect-functions", "Trends of functions."),
    Feature("dashboards-basic", "Dashboards."),
    Feature("dashboards-edit", "Changing dashboards."),
    Feature("incidents", "Metric alerts and incidents."),
    Feature("global-views", "Questions over several projects."),
    Feature("performance-discover-dataset-selector", "Errors and transactions as datasets."),
    Feature("slack-metric-alert-description", "A rule's notes in its Slack message."),
)
BY_NAME = MappingProxyType({feature.name: feature for feature in FEATURES})


def enabled(connection: Connection, org_id: OrgId) -> list[str]:
    """List the features of an organization that are on, in the order of the registry."""
    chosen = tenancy.list_features(connection, org_id)
    return [each.name for each in FEATURES if chosen.get(each.name, each.default)]


def require(connection: Connection, org_id: OrgId, name: str) -> None:
    """Answer 404 where a feature is off."""
    if not tenancy.list_features(connection, org_id).get(name, BY_NAME[name].default):
        raise NotFound
