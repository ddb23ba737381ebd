"""The address of a Discover page ↔ what the page shows. Pure; the address holds everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from groundswell.model.tenancy import Scope
from groundswell.slack.requests import ChartRequest, is_aggregate

Params = Mapping[str, tuple[str, ...]]

DEFAULT_FIELDS = ("title", "event.type", "project", "user.display", "timestamp")
PERIODS = MappingProxyType(
    {
        "1h": "Last hour",
        "24h": "Last 24 hours",
        "7d": "Last 7 days",
        "14d": "Last 14 days",
        "30d": "Last 30 days",
        "90d": "Last 90 days",
    }
)
DISPLAYS = MappingProxyType(
    {
        "default": "Total, as area",
        "line": "Total, as lines",
        "bar": "Total, as bars",
        "daily": "Total per day",
        "previous": "With the period before",
        "top5": "Top 5 groups",
        "dailytop5": "Top 5 groups per day",
    }
)
# Parameters that no control of the page shows, but that stay in the address.
CARRIED = ("id", "name", "dataset", "queryDataset", "sort", "topEvents", "interval", "projectSlug")


@dataclass(frozen=True, slots=True)
class State:
    """What a Discover page shows, read from its address."""

    params: Params
    asked: ChartRequest
    project_choices: tuple[tuple[str, str, bool], ...]
    known_environments: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        return (self.asked.params.get("query") or [""])[0]

    @property
    def name(self) -> str:
        return self.asked.name or ""

    @property
    def axes(self) -> Sequence[str]:
        return self.asked.axes

    @property
    def display(self) -> str:
        wanted = (self.params.get("display") or (self.asked.display.value,))[0]
        wanted = {"top5line": "top5"}.get(wanted, wanted)
        return wanted if wanted in DISPLAYS else "default"

    @property
    def displays(self) -> Iterable[tuple[str, str]]:
        return DISPLAYS.items()

    @property
    def periods(self) -> Iterable[tuple[str, str]]:
        return PERIODS.items()

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of the table."""
        return tuple(dict.fromkeys(self.asked.params.get("field") or ())) or DEFAULT_FIELDS

    @property
    def has_default_fields(self) -> bool:
        """Whether nobody chose the columns: then they are not part of the address."""
        return not any(self.params.get("field", ()))

    @property
    def sort(self) -> tuple[str, ...]:
        """The order of the table: as asked, else by the first number, else the latest first."""
        named = {_alias(field): field for field in self.fields}
        kept = [
            "-" * part.startswith("-") + named[_alias(part.removeprefix("-"))]
            for part in self.asked.params.get("sort") or ()
            if _alias(part.removeprefix("-")) in named
        ]
        if kept:
            return tuple(kept)

        numbers = [field for field in self.fields if is_aggregate(field)]
        if numbers:
            return (f"-{numbers[0]}",)

        return ("-timestamp",) if "timestamp" in self.fields else ()

    @property
    def period(self) -> str:
        """The chosen period; "" where the time is given by its ends."""
        if self.start or self.end:
            return ""

        return (self.asked.params.get("statsPeriod") or ["90d"])[0]

    @property
    def start(self) -> str:
        return self._instant("start")

    @property
    def end(self) -> str:
        return self._instant("end")

    @property
    def time_label(self) -> str:
        if self.period:
            return PERIODS.get(self.period, f"Last {self.period}")

        return f"{self.start.replace('T', ' ')} – {self.end.replace('T', ' ')}"

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(self.asked.params.get("environment") or ())

    @property
    def environment_choices(self) -> tuple[tuple[str, str, bool], ...]:
        names = dict.fromkeys((*self.environments, *self.known_environments))
        return tuple((name, name, name in self.environments) for name in names)

    @property
    def project_names(self) -> tuple[str, ...]:
        return tuple(name for _, name, chosen in self.project_choices if chosen)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the form sends along unseen."""
        return [(name, value) for name in CARRIED for value in self.params.get(name, ())]

    def table_params(self) -> dict[str, list[str]]:
        """Write the parameters of the table that goes with the chart."""
        shared = ("project", "projectSlug", "environment", "query", "dataset")
        dates = ("statsPeriod", "statsPeriodStart", "statsPeriodEnd", "start", "end")
        found = {
            name: list(self.asked.params[name])
            for name in (*shared, *dates)
            if self.asked.params.get(name)
        }
        return {**found, "field": list(self.fields), "sort": list(self.sort)}

    def address(self, **changes: str | Sequence[str] | None) -> str:
        """Write the query string of this state with changes; None takes a parameter out."""
        pairs: dict[str, Sequence[str]] = dict(self.params)
        for name, value in changes.items():
            pairs[name] = (value,) if isinstance(value, str) else value or ()
        return urlencode([(name, value) for name, values in pairs.items() for value in values])

    def _instant(self, name: str) -> str:
        return (self.asked.params.get(name) or [""])[0].removesuffix("Z")[:16]


def _alias(field: str) -> str:
    """Older addresses sort by `-count` and `-p95_transaction_duration`."""
    return re.sub(r"\W+", "_", field).rstrip("_") if "(" in field else field


def project_choices(params: Params, scope: Scope) -> tuple[tuple[str, str, bool], ...]:
    """List id, slug and whether it is chosen for each project that the caller sees."""
    ids, slugs = set(params.get("project", ())), set(params.get("projectSlug", ()))
    return tuple(
        (str(project.id), project.slug, str(project.id) in ids or project.slug in slugs)
        for project in scope.projects
    )
