"""What the watch over trends is told, and what it found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from groundswell.errors import UserError
from groundswell.model.tenancy import OrgId, ProjectId, UserId

OPTION = "trend_watch"
MAX_FUNCTIONS, LONGEST_FUNCTION, MAX_TARGETS = 10, 200, 20
MAX_QUESTIONS, MAX_FIELDS, LONGEST_QUERY = 10, 5, 2_000
CHANNELS = ("slack", "email", "webhook")


class Status(StrEnum):
    """Where a trend stands: found, seen by a person, gone by itself, of no interest."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    DISMISSED = "dismissed"

    @property
    def is_open(self) -> bool:
        return self in {Status.NEW, Status.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class Subject:
    """Which events are watched, and which columns group them."""

    dataset: str = "transactions"
    fields: tuple[str, ...] = ("transaction",)
    query: str = ""


@dataclass(frozen=True, slots=True)
class WatchQuestion:
    """Functions that are watched of the groups of a subject."""

    subject: Subject
    functions: tuple[str, ...]


_QUESTIONS = (
    WatchQuestion(Subject("profileFunctions", ("package", "function")), ("p95()",)),
    WatchQuestion(Subject("errors", ("issue",)), ("count()",)),
)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What is watched in a project.

    functions: of transactions; questions: what is watched besides. every_min: between two scans.
    min_events: of a group within the scanned week, fewer are not looked at. min_change: 0.1 is
    10 %, of the level in either direction. digest: a document each week. targets: who hears of it,
    (channel, address).
    """

    enabled: bool = True
    functions: tuple[str, ...] = ("p95()", "failure_rate()")
    every_min: int = 60
    min_events: int = 500
    min_change: float = 0.15
    digest: bool = True
    targets: tuple[tuple[str, str], ...] = ()
    questions: tuple[WatchQuestion, ...] = _QUESTIONS

    @property
    def watched(self) -> tuple[WatchQuestion, ...]:
        """Give everything that is asked, transactions first."""
        return (WatchQuestion(Subject(), self.functions), *self.questions)


@dataclass(frozen=True, slots=True)
class Trend:
    """One change of the level of one function of one group, as it was found.

    group: name of the transaction, or what else groups events. direction: +1 up, -1 down; change:
    what that means, "regression" or "improvement". at: when the level changed. before, after: the
    levels. evidence: the row that the trends endpoints give, and which group it is. announced_at:
    when people were told.
    """

    id: int
    org_id: OrgId
    project_id: ProjectId
    group: str
    function: str
    direction: int
    change: str
    at: datetime
    before: float | None
    after: float | None
    ratio: float | None
    p_value: float
    found_at: datetime
    seen_at: datetime
    status: Status = Status.NEW
    changed_at: datetime | None = None
    changed_by: UserId | None = None
    recovered_at: datetime | None = None
    announced_at: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> Subject:
        """Give the events that it was found in; of an older record those were transactions."""
        usual = Subject()
        return Subject(
            self.evidence.get("dataset", usual.dataset),
            tuple(self.evidence.get("field", usual.fields)),
            self.evidence.get("query", usual.query),
        )

    @property
    def cells(self) -> tuple[Any, ...]:
        """Give the values of the subject's columns as people see them."""
        return tuple(self.evidence.get("cells", (self.group,)))

    @property
    def raw(self) -> tuple[object, ...]:
        """Give the values of the subject's columns as the store knows them."""
        given = self.evidence.get("raw", (self.group,))
        return tuple(tuple(cell) if isinstance(cell, list) else cell for cell in given)

    @property
    def series(self) -> tuple[Subject, str, str]:
        return self.subject, self.group, self.function


def parse_settings(given: Any) -> WatchSettings:
    """Check what somebody wants as a project's `trend_watch` option. Raises UserError."""
    if not isinstance(given, Mapping):
        raise _refused('must be an object, for example {"enabled": true, "functions": ["p95()"]}')

    known = {name: getattr(WatchSettings(), name) for name in WatchSettings.__slots__}
    if unknown := sorted(set(given) - set(known)):
        raise _refused(f"has no {', '.join(unknown)}; there are {', '.join(known)}")

    for name in ("enabled", "digest"):
        if not isinstance(given.get(name, True), bool):
            raise _refused(f"{name} must be true or false")

    numbers = (("every_min", 5, 10_080, int), ("min_events", 1, 10**9, int))
    for name, least, most, kind in (*numbers, ("min_change", 0.01, 100.0, (int, float))):
        value = given.get(name, known[name])
        if not isinstance(value, kind) or isinstance(value, bool) or not least <= value <= most:
            whole = "a whole number" if kind is int else "a number"
            raise _refused(f"{name} must be {whole} from {least} to {most}, got {value!r}")

    return WatchSettings(
        **{
            **{name: given[name] for name in given},
            "functions": _functions(given.get("functions", known["functions"])),
            "targets": _targets(given.get("targets", ())),
            "questions": _questions(given["questions"]) if "questions" in given else _QUESTIONS,
        }
    )


def settings_of(options: Mapping[str, Any]) -> WatchSettings:
    """Give what is watched in a project by its options; the default where nothing was chosen."""
    try:
        return parse_settings(options.get(OPTION, {}))
    except UserError:
        # Kept by a version that allowed more.
        return WatchSettings()


def _functions(given: Any) -> tuple[str, ...]:
    is_list = isinstance(given, list | tuple) and 1 <= len(given) <= MAX_FUNCTIONS
    if not is_list or not all(_is_function(each) for each in given):
        raise _refused(
            f"functions must be a list of 1 to {MAX_FUNCTIONS} functions such as p50(), p95(), "
            "p99(), epm() or failure_rate()"
        )

    return tuple(dict.fromkeys(each.strip() for each in given))


def _questions(given: Any) -> tuple[WatchQuestion, ...]:
    if not isinstance(given, list | tuple) or len(given) > MAX_QUESTIONS:
        raise _refused(f"questions must be a list of at most {MAX_QUESTIONS} objects")

    return tuple(_question(each) for each in given)


def _question(given: Any) -> WatchQuestion:
    names = {"dataset", "field", "functions", "query"}
    if not isinstance(given, Mapping) or not set(given) <= names:
        raise _refused(
            'questions must be objects such as {"dataset": "errors", "field": ["issue"], '
            '"functions": ["count()"], "query": ""}'
        )

    usual = Subject()
    dataset, query = given.get("dataset", usual.dataset), given.get("query", "")
    fields = given.get("field", usual.fields)
    if not isinstance(dataset, str) or not isinstance(query, str) or len(query) > LONGEST_QUERY:
        raise _refused("dataset and query of questions must be text")

    is_list = isinstance(fields, list | tuple) and 1 <= len(fields) <= MAX_FIELDS
    if not is_list or not all(isinstance(each, str) and each.strip() for each in fields):
        raise _refused(f"field of questions must be a list of 1 to {MAX_FIELDS} columns")

    subject = Subject(dataset, tuple(each.strip() for each in fields), query.strip())
    return WatchQuestion(subject, _functions(given.get("functions")))


def _is_function(text: Any) -> bool:
    return isinstance(text, str) and "(" in text and len(text) <= LONGEST_FUNCTION


def _targets(given: Any) -> tuple[tuple[str, str], ...]:
    pairs: Any = given if isinstance(given, list | tuple) and len(given) <= MAX_TARGETS else [None]
    for pair in pairs:
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        if not is_pair or pair[0] not in CHANNELS or not isinstance(pair[1], str) or not pair[1]:
            raise _refused(
                f"targets must be a list of at most {MAX_TARGETS} pairs of a channel "
                f"({', '.join(CHANNELS)}) and an address"
            )

    return tuple((str(channel), str(address)) for channel, address in pairs)


def _refused(why: str) -> UserError:
    return UserError(f"{OPTION} {why}.", code="bad_trend_watch", field=OPTION)
