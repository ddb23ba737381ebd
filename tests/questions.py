"""Questions of a few words for the tests of the compiler: two projects, two days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.question import Dataset, Question
from groundswell.timeframe import TimeRange

WEB, API = ProjectId(1), ProjectId(2)
START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2024, 1, 3, tzinfo=UTC)
CATALOG = Catalog(
    projects={WEB: "web", API: "api"},
    all_projects={"web": WEB, "api": API, "other": ProjectId(3)},
    issues={"WEB-1": 11, "WEB-2": 12},
    releases={
        WEB: ("web@1.10.0", "web@1.9.0", "web@1.9.0-beta", "web@1.2.3+45"),
        API: ("deadbeef", "cafe"),
    },
    measurement_units={"size": "byte", "wait": "second", "foo": ""},
)


def question(
    *select: str, search: str = "", dataset: Dataset = Dataset.DISCOVER, **rest: Any
) -> Question:
    window = rest.pop("window", TimeRange(START, END))
    projects = rest.pop("projects", (WEB, API))
    return Question(dataset, window, projects, select or ("count()",), search, **rest)
