"""alert-rules, combined-rules and incidents over a real service: shapes, refusals, paging."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.serving import Tenant, eventually
from tests.unit.alerts.builders import BODY

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ACTION = {
    "type": "slack", "targetType": "specific", "targetIdentifier": "C123", "integrationId": 1
}  # fmt: skip

TO_TEAM = {
    "label": "critical", "alertThreshold": 1,
    "actions": [{"type": "email", "targetType": "team", "targetIdentifier": 999999}],
}  # fmt: skip


def ask(tenant: Tenant, method: str, path: str, body: Any = None) -> httpx.Response:
    return httpx.request(
        method,
        f"{tenant.service.url}/api/0/organizations/{tenant.org}/{path}",
        json=body,
        headers={"Authorization": f"Bearer {tenant.token}"},
        timeout=30,
    )


def make(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    body = BODY | {"projects": [tenant.project]} | changes
    answer = ask(tenant, "POST", "alert-rules/", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_rule_is_answered_in_the_shape_that_clients_read(tenant: Tenant) -> None:
    trigger = {"label": "critical", "alertThreshold": 100, "actions": [ACTION]}
    made = make(tenant, triggers=[trigger], eventTypes=["error"], thresholdPeriod=1)
    for name in ("dateCreated", "dateModified"):
        assert INSTANT.fullmatch(made.pop(name))
    (told,) = made.pop("triggers")
    id = made.pop("id")
    assert id.isdigit()
    assert {name: made[name] for name in _RULE} == _RULE | {"projects": [tenant.project]}
    assert (told["label"], told["alertThreshold"], told["alertRuleId"]) == ("critical", 100, id)
    (action,) = told["actions"]
    assert {name: action[name] for name in ACTION} == ACTION


_RULE: dict[str, Any] = {
    "name": "High errors", "status": 0, "queryType": 0, "dataset": "events",
    "query": "level:error", "aggregate": "count()", "thresholdType": 0, "resolveThreshold": None,
    "timeWindow": 5.0, "environment": None, "resolution": 1.0, "thresholdPeriod": 1,
    "projects": [], "owner": None, "comparisonDelta": None, "createdBy": None, "description": "",
    "detectionType": "static", "snooze": False, "eventTypes": ["error"],
}  # fmt: skip


def test_a_rule_is_read_changed_and_dropped(tenant: Tenant) -> None:
    made = make(tenant)
    path = f"alert-rules/{made['id']}/"
    assert ask(tenant, "GET", path).json() == made
    changed = ask(tenant, "PUT", path, {"name": "Other", "comparisonDelta": 60}).json()
    assert (changed["name"], changed["comparisonDelta"]) == ("Other", 60.0)
    assert changed["detectionType"] == "percent"
    assert changed["triggers"] == made["triggers"]
    assert ask(tenant, "PUT", path, {"comparisonDelta": None}).json()["detectionType"] == "static"
    assert ask(tenant, "DELETE", path).status_code == 204
    assert ask(tenant, "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": None}, "name", "This field is required."),
        ({"aggregate": "nope()"}, "aggregate", "nope"),
        ({"aggregate": "transaction"}, "aggregate", "transaction"),
        ({"aggregate": "count() count()"}, "aggregate", "count() count()"),
        ({"triggers": [TO_TEAM]}, "triggers", "no team 999999"),
        ({"query": "level:error ("}, "query", "parenthesis"),
        ({"timeWindow": 0}, "timeWindow", "1440"),
        ({"projects": ["no-such"]}, "projects", "no-such"),
        ({"groupBy": "count()"}, "groupBy", "count()"),
        ({"owner": "team:999999"}, "owner", "999999"),
        ({"triggers": []}, "triggers", "critical"),
    ],
)
def test_refusals_are_told_by_field(
    tenant: Tenant, changes: dict[str, Any], field: str, text: str
) -> None:
    answer = ask(tenant, "POST", "alert-rules/", BODY | {"projects": [tenant.project]} | changes)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert text in " ".join(answer.json()[field])


def test_a_body_that_is_no_object_is_refused(tenant: Tenant) -> None:
    assert ask(tenant, "POST", "alert-rules/", [1]).status_code == 400


def test_combined_rules_are_paged_and_filtered(tenant: Tenant) -> None:
    names = [f"{tenant.project} {n}" for n in range(3)]
    for name in names:
        make(tenant, name=name)
    answer = tenant.get("combined-rules/", name=tenant.project, per_page=2)
    assert [one["name"] for one in answer.json()] == [names[2], names[1]]
    assert {one["type"] for one in answer.json()} == {"alert_rule"}
    assert 'rel="next"; results="true"' in answer.headers["link"]
    assert tenant.get("combined-rules/", alertType="uptime").json() == []
    assert len(tenant.get("alert-rules/").json()) == 3


def test_rules_are_sorted_and_carry_their_latest_incident_when_asked(tenant: Tenant) -> None:
    for name in ("b", "C", "a"):
        make(tenant, name=name)

    def names(**params: Any) -> list[str]:
        return [one["name"] for one in tenant.get("combined-rules/", **params).json()]

    assert names(sort="name", asc=1) == ["a", "b", "C"]
    assert names(sort="name") == ["C", "b", "a"]
    assert names(sort=["incident_status", "date_triggered"]) == ["a", "C", "b"]
    assert names(team="unassigned") == ["a", "C", "b"]
    assert names(team="999999") == []
    assert tenant.get("combined-rules/", sort="nope").status_code == 400
    (first, *_) = tenant.get("combined-rules/", expand="latestIncident").json()
    assert first["latestIncident"] is None


def test_rules_are_found_below_their_project_too(tenant: Tenant) -> None:
    path = f"../../projects/{tenant.org}/{tenant.project}/alert-rules/"
    body = {name: value for name, value in BODY.items() if name != "projects"}
    answer = ask(tenant, "POST", path, body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["projects"] == [tenant.project]
    assert ask(tenant, "GET", path).json() == [made]
    one = f"{path}{made['id']}/"
    assert ask(tenant, "PUT", one, {"name": "Other"}).json()["name"] == "Other"
    assert ask(tenant, "GET", f"{path}999999/").status_code == 404
    assert ask(tenant, "DELETE", one).status_code == 204
    assert ask(tenant, "GET", one).status_code == 404


@pytest.mark.parametrize("path", ["alert-rules/999999/", "incidents/999999/", "incidents/x/"])
def test_what_is_not_there_is_404(tenant: Tenant, path: str) -> None:
    assert ask(tenant, "GET", path).status_code == 404


def test_a_rule_can_be_snoozed(tenant: Tenant) -> None:
    path = f"alert-rules/{make(tenant)['id']}/"
    assert ask(tenant, "POST", f"{path}snooze/", {"minutes": 60}).status_code == 201
    assert ask(tenant, "GET", path).json()["snooze"] is True
    assert ask(tenant, "DELETE", f"{path}snooze/").status_code == 204
    assert ask(tenant, "GET", path).json()["snooze"] is False


def test_a_preview_tells_how_often_a_rule_would_have_fired(tenant: Tenant) -> None:
    body = BODY | {"projects": [tenant.project], "timeWindow": 60, "thresholdType": 1}
    answer = ask(tenant, "POST", "alert-rules/preview/", body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["fired"] == 1
    assert found["incidents"][0]["end"] is None
    assert len(found["data"]) == 14 * 24
    assert "layer" in found["spec"]
    assert tenant.get("alert-rules/").json() == []


def test_an_incident_opens_and_is_acknowledged_and_ended(tenant: Tenant) -> None:
    rule = make(tenant, timeWindow=1, thresholdType=1)
    (listed,) = eventually(lambda: tenant.get("incidents/").json(), timeout_s=40)
    assert listed["alertRule"]["id"] == rule["id"]
    expected = {"status": 20, "type": 2, "title": "High errors", "activities": None}
    assert {name: listed[name] for name in expected} == expected
    path = f"incidents/{listed['identifier']}/"
    one = ask(tenant, "GET", path + "?expand=activities").json()
    assert one["discoverQuery"] == "event.type:error level:error"
    assert [a["type"] for a in one["activities"]] == [4, 2]
    closed = ask(tenant, "PUT", path, {"acknowledged": True, "status": 2}).json()
    assert (closed["status"], closed["statusMethod"]) == (2, 2)
    assert "acknowledged" in {a["comment"] for a in closed["activities"]}
