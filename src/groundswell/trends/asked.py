"""What every question about trends begins with: the window, the projects, the rows that answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.model.tenancy import Project, Scope
from groundswell.stats import parameters
from groundswell.stats.datasets import source_of
from groundswell.stats.parameters import Params
from groundswell.stats.request import Asking
from groundswell.timeframe import TimeRange, parse_range

DATASET = "transactions"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks about which projects in which window."""

    params: Params
    scope: Scope
    window: TimeRange
    projects: tuple[Project, ...]
    now: datetime
    retention: timedelta

    @property
    def search(self) -> str:
        return parameters.first(self.params, "query") or ""

    def asking(
        self, columns: tuple[str, ...], *, dataset: str | None = None, search: str | None = None
    ) -> Asking:
        """Choose the rows that answer; transactions where nothing is said. Raises UserError."""
        words = self.search if search is None else search
        name = dataset or parameters.first(self.params, "dataset") or DATASET
        source = source_of(name, words, columns)
        return Asking(
            self.scope,
            source,
            self.window,
            self.projects,
            environments=parameters.environments(self.params),
            search=source.narrowed(words),
            retention=self.retention,
            now=self.now,
        )


def read_asked(params: Params, scope: Scope, now: datetime, retention: timedelta) -> Asked | None:
    """Read what every question says; None where no project is left to ask about.

    Raises UserError that names the parameter and what is allowed, NotAllowed.
    """
    window = parse_range(params, now=now, retention=retention)
    projects = parameters.projects(params, scope)
    return Asked(params, scope, window, projects, now, retention) if projects else None
