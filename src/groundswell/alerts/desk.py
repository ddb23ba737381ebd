"""What people do to rules and incidents, wherever they do it: API, pages, Slack, command line."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from groundswell.alerts.book import close_by_hand
from groundswell.alerts.questions import between, question, selected, subject_of
from groundswell.alerts.validate import RuleErrors
from groundswell.errors import NotFound, UserError
from groundswell.model.alerts import Ending, Incident, Rule
from groundswell.model.tenancy import OrgId, Scope, UserId
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import alerts, incidents, notify
from groundswell.store.metadata.alerts import Watched

MAX_RULES = 2000
# Changing these does not make a rule another rule.
_ABOUT = frozenset(
    ("id", "name", "created_at", "changed_at", "owner", "description", "muted_until", "created_by")
)


async def check_question(statistics: Statistics, rule: Rule, scope: Scope, now: datetime) -> None:
    """See whether the statistics understand a rule. Raises RuleErrors for aggregate and query."""
    subject, end = subject_of(rule), int(now.timestamp())
    window = between(end - rule.window_s, end)
    plain = replace(subject, search="", group_by=None)
    try:
        statement = await statistics.compile(
            question(plain, scope, window, selected([rule])), scope
        )
    except UserError as error:
        raise RuleErrors({"aggregate": [error.message]}) from None

    output = next(o for o in statement.outputs if o.name == rule.aggregate)
    if (
        not _is_one(rule.aggregate)
        or not output.is_aggregate
        or output.type in {"string", "date", "array"}
    ):
        raise RuleErrors(
            {"aggregate": [f"{rule.aggregate!r} is not a number of many events, such as count()."]}
        )

    for field, select, searched in (
        ("query", (rule.aggregate,), subject),
        ("groupBy", (*filter(None, [rule.group_by]), rule.aggregate), plain),
    ):
        try:
            statement = await statistics.compile(question(searched, scope, window, select), scope)
        except UserError as error:
            raise RuleErrors({field: [error.message]}) from None

    if rule.group_by and any(
        one.is_aggregate for one in statement.outputs if one.name == rule.group_by
    ):
        raise RuleErrors(
            {"groupBy": [f"{rule.group_by!r} is a function; a field is needed, as transaction."]}
        )

    if rule.delta_min is not None:
        reach = timedelta(minutes=rule.delta_min + rule.window_min)
        if reach > statistics.retention:
            raise RuleErrors({"comparisonDelta": [
                f"Reaches back more than the {statistics.retention.days} days that are kept."
            ]})  # fmt: skip


def create(connection: Connection, rule: Rule) -> Rule:
    """Keep a new rule. Raises RuleErrors when there are too many."""
    if len(alerts.list_rules(connection, rule.org_id)) >= MAX_RULES:
        raise RuleErrors({"nonFieldErrors": [f"There are {MAX_RULES} rules already."]})

    return alerts.create_rule(connection, rule)


def change(
    connection: Connection,
    before: Watched,
    rule: Rule,
    org_slug: str,
    now: datetime,
    user_id: UserId | None,
) -> Rule:
    """Replace a rule. One that watches something else begins anew, and what was open ends."""
    if _watches(before.rule) != _watches(rule):
        for incident in _open(connection, rule.org_id, rule.id):
            close_by_hand(
                connection, before.rule, incident, org_slug, now,
                ending=Ending.RULE_CHANGED, user_id=user_id,
            )  # fmt: skip
        alerts.forget_states(connection, rule.id)
    alerts.change_rule(connection, rule)
    return rule


def delete(connection: Connection, rule: Rule) -> None:
    """Drop a rule, its incidents, and what was about to be told of them."""
    for incident in _open(connection, rule.org_id, rule.id):
        notify.cancel(connection, f"incident:{rule.org_id}:{incident.number}:")
    alerts.delete_rule(connection, rule.id)


def mute_rule(
    connection: Connection,
    rule: Rule,
    until: datetime | None,
    user_id: UserId | None,
    now: datetime,
) -> None:
    """Keep a rule silent until then; None ends the silence."""
    alerts.mute_rule(connection, rule.id, until)
    said = (
        "ended the mute of the rule" if until is None else f"muted the rule until {_shown(until)}"
    )
    for incident in _open(connection, rule.org_id, rule.id):
        _comment(connection, incident, now, user_id, said)


def acknowledge(
    connection: Connection, incident: Incident, user_id: UserId | None, now: datetime
) -> Incident:
    """Note who looks after an incident; the first one stays."""
    if incident.acknowledged_at is not None or not incident.is_open:
        return incident

    known = replace(incident, acknowledged_by=user_id, acknowledged_at=now)
    incidents.change_incident(connection, known)
    _comment(connection, incident, now, user_id, "acknowledged")
    return known


def mute_incident(
    connection: Connection,
    incident: Incident,
    until: datetime | None,
    user_id: UserId | None,
    now: datetime,
) -> Incident:
    """Tell nobody of an incident until then."""
    muted = replace(incident, muted_until=until)
    incidents.change_incident(connection, muted)
    said = "ended the mute" if until is None else f"muted until {_shown(until)}"
    _comment(connection, incident, now, user_id, said)
    return muted


def resolve(
    connection: Connection,
    rule: Rule,
    incident: Incident,
    org_slug: str,
    user_id: UserId | None,
    now: datetime,
) -> Incident:
    """End an incident by hand; the rule may open another when it is still bad."""
    return close_by_hand(
        connection, rule, incident, org_slug, now, ending=Ending.BY_HAND, user_id=user_id
    )


def comment(
    connection: Connection, incident: Incident, text: str, user_id: UserId | None, now: datetime
) -> None:
    """Write down what somebody says about an incident."""
    _comment(connection, incident, now, user_id, text[:5000])


def find(connection: Connection, scope: Scope, rule_id: int) -> Watched:
    """Give a rule of which the asker may see a project. Raises NotFound."""
    found = None
    if 0 < rule_id < 2**53:
        found = alerts.find_rule(connection, scope.organization.id, rule_id)
    if found is None or not is_visible(found.rule, scope):
        raise NotFound

    return found


def find_incident(connection: Connection, scope: Scope, number: int) -> tuple[Incident, Watched]:
    """Give an incident by its number, and its rule. Raises NotFound."""
    found = None
    if 0 < number < 2**31:
        found = incidents.find_incident(connection, scope.organization.id, number)
    if found is None:
        raise NotFound

    return found, find(connection, scope, found.rule_id)


def is_visible(rule: Rule, scope: Scope) -> bool:
    """Say whether somebody may see a rule: one who sees a project of it.

    A rule whose projects are all gone is seen by who sees everything.
    """
    visible = {project.id for project in scope.projects}
    return bool(visible.intersection(rule.projects)) or scope.role is None


def _open(connection: Connection, org_id: OrgId, rule_id: int) -> list[Incident]:
    return incidents.list_incidents(
        connection, org_id, rule_ids=[rule_id], is_open=True, limit=1000
    )


def _is_one(aggregate: str) -> bool:
    """Say whether a text is one function, or an equation: `count() count()` has words too many."""
    if aggregate.startswith("equation|"):
        return True

    depth = 0
    for place, letter in enumerate(aggregate, 1):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return place == len(aggregate)

    return False


def _watches(rule: Rule) -> tuple[object, ...]:
    found: list[object] = []
    for field in fields(Rule):
        if field.name == "triggers":
            found.append(tuple((t.level, t.threshold) for t in rule.triggers))
        elif field.name not in _ABOUT:
            found.append(getattr(rule, field.name))
    return tuple(found)


def _comment(
    connection: Connection, incident: Incident, now: datetime, user_id: UserId | None, text: str
) -> None:
    incidents.add_activity(connection, incident.id, "comment", now, user_id=user_id, comment=text)


def _shown(until: datetime) -> str:
    return "it is ended by hand" if until.year >= 9999 else f"{until:%Y-%m-%d %H:%M} UTC"
