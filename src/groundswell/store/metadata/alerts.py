"""Alert rules, what the evaluator remembers of them, and leases of recurring work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from groundswell.model.alerts import Rule
from groundswell.model.tenancy import OrgId
from groundswell.store.metadata.alert_tables import alert_rules, alert_states, leases
from groundswell.store.metadata.columns import insert_missing, upsert

MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule with what the evaluator remembers. last_end: unix seconds, 0 before the first."""

    rule: Rule
    revision: int
    last_end: int
    last_error: str | None
    evaluated_at: datetime | None


def create_rule(connection: Connection, rule: Rule) -> Rule:
    """Keep a new rule; give it with its id."""
    values = _values(rule) | {"org_id": rule.org_id, "revision": 1, "last_end": 0}
    values["created_at"] = rule.created_at
    made = connection.execute(insert(alert_rules).values(**values).returning(alert_rules.c.id))
    return replace(rule, id=int(made.scalar_one()))


def change_rule(connection: Connection, rule: Rule) -> None:
    """Replace a rule; an evaluation that began before is not written down."""
    values = _values(rule) | {"revision": alert_rules.c.revision + 1}
    connection.execute(update(alert_rules).where(alert_rules.c.id == rule.id).values(**values))


def forget_states(connection: Connection, rule_id: int) -> None:
    """Begin anew, as for a rule that was just made."""
    connection.execute(delete(alert_states).where(alert_states.c.rule_id == rule_id))
    connection.execute(
        update(alert_rules).where(alert_rules.c.id == rule_id).values(last_end=0, last_error=None)
    )


def delete_rule(connection: Connection, rule_id: int) -> None:
    """Drop a rule with its incidents."""
    connection.execute(delete(alert_rules).where(alert_rules.c.id == rule_id))


def find_rule(connection: Connection, org_id: OrgId, rule_id: int) -> Watched | None:
    match = (alert_rules.c.id == rule_id) & (alert_rules.c.org_id == org_id)
    row = connection.execute(select(alert_rules).where(match)).one_or_none()
    return None if row is None else _watched(row)


def list_rules(connection: Connection, org_id: OrgId | None = None) -> list[Watched]:
    """List the rules of an organization, or all, oldest first."""
    query = select(alert_rules).order_by(alert_rules.c.id)
    if org_id is not None:
        query = query.where(alert_rules.c.org_id == org_id)
    return [_watched(row) for row in connection.execute(query)]


def mute_rule(connection: Connection, rule_id: int, until: datetime | None) -> None:
    """Keep a rule silent until then; None lets it speak."""
    connection.execute(
        update(alert_rules).where(alert_rules.c.id == rule_id).values(muted_until=until)
    )


def states_of(
    connection: Connection, rule_ids: Iterable[int]
) -> dict[int, dict[str, Mapping[str, Any]]]:
    """Give what is remembered of each rule, by group."""
    found: dict[int, dict[str, Mapping[str, Any]]] = {id: {} for id in rule_ids}
    ids = list(found)
    for first in range(0, len(ids), 500):
        match = alert_states.c.rule_id.in_(ids[first : first + 500])
        for row in connection.execute(select(alert_states).where(match)):
            found[row.rule_id][row.group_key] = row.state
    return found


def keep_state(
    connection: Connection, rule_id: int, group: str, state: Mapping[str, Any] | None
) -> None:
    """Remember the state of a group; None forgets it."""
    key = {"rule_id": rule_id, "group_key": group[:255]}
    if state is not None:
        upsert(connection, alert_states, key, {"state": dict(state)})
        return

    match = (alert_states.c.rule_id == rule_id) & (alert_states.c.group_key == group[:255])
    connection.execute(delete(alert_states).where(match))


def advance(
    connection: Connection, watched: Watched, last_end: int, now: datetime, error: str | None
) -> bool:
    """Note that a rule was judged up to `last_end`; False when it changed or was judged meanwhile.

    Whoever gets False must not write anything else down.
    """
    row = alert_rules.c
    match = (row.id == watched.rule.id) & (row.revision == watched.revision)
    done = connection.execute(
        update(alert_rules)
        .where(match, row.last_end == watched.last_end)
        .values(last_end=last_end, evaluated_at=now, last_error=error and error[:MAX_ERROR])
    )
    return done.rowcount == 1


def take_lease(
    connection: Connection, name: str, holder: str, now: datetime, length: timedelta
) -> bool:
    """Take or keep a lease; False while another process holds it."""
    row = leases.c
    # A holder whose clock was far ahead must not keep everybody out.
    free = (row.holder == holder) | (row.until < now) | (row.until > now + 10 * length)
    taken = connection.execute(
        update(leases).where(row.name == name, free).values(holder=holder, until=now + length)
    )
    if taken.rowcount == 1:
        return True

    return insert_missing(
        connection, leases, {"name": name, "holder": holder, "until": now + length}
    )


def _values(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "body": msgspec.to_builtins(rule),
        "muted_until": rule.muted_until,
        "changed_at": rule.changed_at,
    }


def _watched(row: Any) -> Watched:
    rule = rule_of_body(row.body)
    rule = replace(rule, id=row.id, name=row.name, muted_until=row.muted_until)
    return Watched(rule, row.revision, row.last_end, row.last_error, row.evaluated_at)


def rule_of_body(body: Mapping[str, Any]) -> Rule:
    """Read a rule as it was kept."""
    return msgspec.convert(body, Rule)
