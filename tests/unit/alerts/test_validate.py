"""What is wrong with a rule is said by field, all at once."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.alerts.validate import RuleErrors, rule_from
from groundswell.model.alerts import FOREVER, Action, Detection, Level, Side
from groundswell.model.tenancy import OrgId, ProjectId
from tests.unit.alerts.builders import BODY, BORN

PROJECTS = {"web": ProjectId(1), "1": ProjectId(1), "api": ProjectId(2)}


def read(**changes: Any) -> Any:
    body = {name: value for name, value in (BODY | changes).items() if value is not ...}
    return rule_from(body, org_id=OrgId(1), projects=PROJECTS, now=BORN)


def critical(**more: Any) -> list[dict[str, Any]]:
    return [{"label": "critical", "alertThreshold": 100, **more}]


def test_a_small_body_is_a_rule_with_defaults() -> None:
    rule = read()
    assert (rule.name, rule.window_min, rule.side) == ("High errors", 5, Side.ABOVE)
    assert (rule.periods, rule.detection, rule.event_types) == (1, Detection.STATIC, ("error",))
    assert rule.trigger(Level.CRITICAL).threshold == 100


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(RuleErrors) as caught:
        rule_from({}, org_id=OrgId(1), projects=PROJECTS, now=BORN)
    required = ["This field is required."]
    assert caught.value.errors == dict.fromkeys(
        ("name", "aggregate", "timeWindow", "thresholdType", "triggers", "projects"), required
    )


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": " "}, "name", "blank"),
        ({"name": "x" * 257}, "name", "256"),
        ({"dataset": "sessions"}, "dataset", "events, transactions"),
        ({"timeWindow": 0}, "timeWindow", "from 1 to 1440 minutes"),
        ({"timeWindow": 1441}, "timeWindow", "1441"),
        ({"timeWindow": "x"}, "timeWindow", "'x'"),
        ({"thresholdType": 3}, "thresholdType", "from 0 to 2"),
        ({"thresholdType": 2}, "thresholdType", "dynamic"),
        ({"thresholdPeriod": 21}, "thresholdPeriod", "from 1 to 20"),
        ({"comparisonDelta": 4}, "comparisonDelta", "from 5 to 43200"),
        ({"detectionType": "percent"}, "comparisonDelta", "look back"),
        ({"detectionType": "dynamic", "comparisonDelta": 60}, "comparisonDelta", "dynamic"),
        ({"projects": []}, "projects", "At least one"),
        ({"projects": ["nope"]}, "projects", "'nope'"),
        ({"owner": "x:1"}, "owner", "team:<id>"),
        ({"eventTypes": ["transaction"]}, "eventTypes", "transactions"),
        ({"triggers": []}, "triggers", "critical"),
        ({"triggers": [{"label": "bad", "alertThreshold": 1}]}, "triggers", "Trigger 1"),
        ({"triggers": [{"label": "warning", "alertThreshold": 1}]}, "triggers", "critical"),
        ({"triggers": [{"label": "critical"}]}, "triggers", "alertThreshold"),
        (
            {"triggers": [*critical(), {"label": "warning", "alertThreshold": 100}]},
            "triggers",
            "above that of warning",
        ),
        ({"resolveThreshold": 101}, "resolveThreshold", "100 or below is allowed"),
        ({"thresholdType": 1, "resolveThreshold": 99}, "resolveThreshold", "100 or above"),
        ({"triggers": critical(actions=[{"type": "pager"}])}, "triggers", "slack, email, webhook"),
        ({"triggers": critical(actions=[{"type": "slack"}])}, "triggers", "targetIdentifier"),
        (
            {"triggers": critical(actions=[{"type": "email", "targetIdentifier": "x"}])},
            "triggers",
            "id of a user",
        ),
        (
            {"triggers": critical(actions=[{"type": "webhook", "targetIdentifier": "ftp://x"}])},
            "triggers",
            "http(s)",
        ),
        ({"snooze": "yes"}, "snooze", "true or false"),
    ],
)
def test_refusals_name_the_field_and_what_is_allowed(
    changes: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(RuleErrors) as caught:
        read(**changes)
    assert list(caught.value.errors) == [field]
    assert text in " ".join(caught.value.errors[field])


def test_actions_keep_what_clients_send() -> None:
    action = {
        "type": "slack", "targetType": "specific", "targetIdentifier": "C123", "integrationId": 1
    }  # fmt: skip
    rule = read(triggers=critical(actions=[action]))
    assert rule.triggers[0].actions == (Action("slack", "specific", "C123", "1"),)


def test_a_comparison_makes_a_rule_about_a_change() -> None:
    assert read(comparisonDelta=60).detection is Detection.PERCENT


def test_a_snooze_has_no_end_unless_one_is_given() -> None:
    assert read(snooze=True).muted_until == FOREVER
    assert read(snooze=False).muted_until is None
    assert (read(snoozeMinutes=60).muted_until - BORN).total_seconds() == 3600
