"""The search of an issue list: words about issues go to the metadata, the rest to the events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.query.sql.instants import DATE_FORMS, parse_iso, parse_relative
from groundswell.store.metadata import issues
from groundswell.store.metadata.issue_search import IssueFilter

STATUSES = ("unresolved", "resolved", "ignored")
SUBSTATUSES = ("new", "ongoing", "escalating", "regressed")
_SYNONYMS = {"archived": "ignored", "muted": "ignored"}
# Words that are true of every issue here: there are no bookmarks, subscriptions or links.
_ALWAYS = {"for_review", "linked", "unlinked"}
_TIMES = {"firstseen": "first_seen", "lastseen": "last_seen", "age": "first_seen"}
_CATEGORIES = {"issue.category", "issue.type", "issue.priority", "issue.seer_actionability"}
_SHORT_ID = re.compile(r"[\w-]+-[0-9A-Za-z]+", re.ASCII)
_EVENT_ID = re.compile(r"[0-9a-fA-F]{32}")
_WORD = re.compile(r"""(?:[^\s"\[]|"(?:\\.|[^"\\])*"|\[[^\]]*\])+""")
_COMPARISON = re.compile(r"(>=|<=|>|<|=)?(.+)", re.DOTALL)
_KEYED = re.compile(r"(!?)([\w.]+):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class IssueSearch:
    """`wanted` of the issues themselves, `search` of their events (empty: every event)."""

    wanted: IssueFilter
    search: str


def read_issue_search(
    text: str, scope: Scope, wanted: IssueFilter, actors: Mapping[str, str], now: datetime
) -> IssueSearch:
    """Split a search. actors: names of people and teams as typed → "user:1", "team:2".

    Raises UserError that names the word.
    """
    rest: list[str] = []
    for word in _WORD.findall(text):
        match = _KEYED.fullmatch(word)
        taken = None
        if match is not None:
            key, value = match[2].lower(), match[3].strip('"')
            taken = _about_issues(wanted, bool(match[1]), key, value, scope, actors, now)
        elif _SHORT_ID.fullmatch(word):
            taken = _numbered(wanted, word, scope)
        elif _EVENT_ID.fullmatch(word):
            word = f"id:{word}"
        if taken is None:
            rest.append(word)
        else:
            wanted = taken
    return IssueSearch(wanted, " ".join(rest))


def _about_issues(
    wanted: IssueFilter, negated: bool, key: str, value: str,
    scope: Scope, actors: Mapping[str, str], now: datetime,
) -> IssueFilter | None:  # fmt: skip
    """Add one condition; None where it is one of events."""
    match key:
        case "is":
            return _is(wanted, negated, value.lower())
        case "assigned" | "assigned_or_suggested":
            return _assigned(wanted, negated, value, actors)
        case "bookmarks" | "subscribed" | "first_release" | "firstrelease" | "has_seen":
            return None if key.endswith("release") else wanted
        case "timesseen":
            return _bound(wanted, "times_seen", negated, value, _whole(key, value))
        case "issue" if not negated and _SHORT_ID.fullmatch(value):
            return _numbered(wanted, value, scope)
        case _ if key in _TIMES:
            return _instant(wanted, _TIMES[key], key, value, now)
        case _ if key in _CATEGORIES:
            if key.endswith(("category", "type")) and not negated and "error" not in value:
                return replace(wanted, statuses=())
            return wanted
    return None


def _is(wanted: IssueFilter, negated: bool, value: str) -> IssueFilter:
    value = _SYNONYMS.get(value, value)
    if value in STATUSES:
        if negated:
            return replace(wanted, not_statuses=(*wanted.not_statuses, value))

        kept = (value,) if wanted.statuses is None else tuple({value} & {*wanted.statuses})
        return replace(wanted, statuses=kept)

    if value in SUBSTATUSES and not negated:
        return replace(wanted, substatuses=(value,))

    if value in {"assigned", "unassigned"}:
        nobody = (value == "unassigned") != negated
        return replace(wanted, assigned=()) if nobody else replace(wanted, not_assigned=())

    if value in _ALWAYS:
        return wanted

    allowed = ", ".join((*STATUSES, "archived", *SUBSTATUSES, "assigned", "unassigned"))
    raise UserError(f"is:{value} is not known; is: takes {allowed}", code="bad_is", field="query")


def _assigned(
    wanted: IssueFilter, negated: bool, value: str, actors: Mapping[str, str]
) -> IssueFilter:
    names = [part.strip().strip('"') for part in value.strip("[]").split(",")]
    if "none" in names:
        return replace(wanted, not_assigned=()) if negated else replace(wanted, assigned=())

    found = tuple(actors.get(name.lower(), "unknown") for name in names)
    return replace(wanted, not_assigned=found) if negated else replace(wanted, assigned=found)


def _numbered(wanted: IssueFilter, short_id: str, scope: Scope) -> IssueFilter | None:
    slug, _, digits = short_id.rpartition("-")
    number = issues.parse_number(digits)
    for project in scope.projects:
        if project.slug.upper() == slug.upper() and number is not None:
            return replace(wanted, numbers=((int(project.id), number),))
    return None


def _bound(wanted: IssueFilter, column: str, negated: bool, value: str, limit: int) -> IssueFilter:
    match = _COMPARISON.fullmatch(value)
    assert match is not None
    operator = match[1] or ("!=" if negated else "=")
    return replace(wanted, bounds=(*wanted.bounds, (column, operator, limit)))


def _whole(key: str, value: str) -> int:
    digits = value.lstrip("<>=")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise UserError(f"{key} takes a whole number, got {value!r}", code="bad_number", field=key)

    return int(digits)


def _instant(wanted: IssueFilter, column: str, key: str, value: str, now: datetime) -> IssueFilter:
    relative = parse_relative(value, now)
    if relative is not None:
        return replace(wanted, bounds=(*wanted.bounds, (column, *relative)))

    match = _COMPARISON.fullmatch(value)
    at = parse_iso(match[2]) if match else None
    if match is None or at is None:
        raise UserError(f"{key} takes a date ({DATE_FORMS}), got {value!r}", field=key)

    if match[1] in {None, "="}:
        day = timedelta(days=1)
        return replace(wanted, bounds=(*wanted.bounds, (column, ">=", at), (column, "<", at + day)))

    return replace(wanted, bounds=(*wanted.bounds, (column, match[1], at)))
