"""What the pages of alerts share: addresses, rights and the hours of a silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from groundswell.access import held
from groundswell.http.alert_shapes import discover_query
from groundswell.http.api.alert_rules import WRITE
from groundswell.http.requests import now
from groundswell.http.web.forms import Fields, first
from groundswell.model.alerts import FOREVER, Rule
from groundswell.model.tenancy import Scope

_DATASETS = {"transactions": "transaction-like", "events": "error-events"}
_TIME = "%Y-%m-%dT%H:%M:%S"


def base_of(scope: Scope) -> str:
    """Give the address under which all pages of alerts are."""
    return f"/organizations/{scope.organization.slug}/alerts/"


def may_write(scope: Scope) -> bool:
    """Say whether the caller may change rules and incidents."""
    return bool(set(WRITE).intersection(held(scope)))


def later(fields: Fields, at: datetime) -> datetime:
    """Give the moment until which a form silences; without hours, there is none."""
    hours = first(fields, "hours")
    if hours.isascii() and hours.isdigit() and 0 < int(hours[:5]) <= 8760:
        return at + timedelta(hours=int(hours))

    return FOREVER


def discover_address(scope: Scope, rule: Rule, start: int = 0, end: int = 0) -> str:
    """Give the address of Discover with what a rule watches; without a time, of two weeks."""
    query: dict[str, Any] = {
        "query": discover_query(rule),
        "yAxis": rule.aggregate,
        "project": [str(id) for id in rule.projects],
        "queryDataset": _DATASETS.get(rule.dataset, "transaction-like"),
    }
    if rule.environment:
        query["environment"] = rule.environment
    if start:
        query["start"] = datetime.fromtimestamp(start, tz=now().tzinfo).strftime(_TIME)
        query["end"] = datetime.fromtimestamp(end, tz=now().tzinfo).strftime(_TIME)
    else:
        query["statsPeriod"] = "14d"
    path = f"/organizations/{scope.organization.slug}/discover/results/"
    return f"{path}?{urlencode(query, doseq=True)}"
