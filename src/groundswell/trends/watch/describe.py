"""A recorded trend → what clients and messages read of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from groundswell.model.tenancy import Project
from groundswell.model.trends import Subject, Trend
from groundswell.query.sql.patterns import quoted
from groundswell.trends.panel import title_of
from groundswell.trends.rows import Row

_AROUND = timedelta(days=7)
_INNER = frozenset({"cells", "raw"})
_WORDS = {"regression": "regressed", "improvement": "improved"}


def described(trend: Trend, project: Project) -> Row:
    """Give a trend as the API shows it; instants are unix seconds, ids are text."""
    subject = trend.subject
    shown = {name: value for name, value in trend.evidence.items() if name not in _INNER}
    return {
        **shown,
        "dataset": subject.dataset,
        "field": list(subject.fields),
        "query": subject.query,
        "id": str(trend.id),
        "project": str(project.id),
        "projectSlug": project.slug,
        "transaction": trend.group,
        "trendFunction": trend.function,
        "change": trend.change,
        "status": trend.status.value,
        "breakpoint": _unix(trend.at),
        "aggregate_range_1": trend.before,
        "aggregate_range_2": trend.after,
        "trend_percentage": trend.ratio,
        "p_value": trend.p_value,
        "found": _unix(trend.found_at),
        "lastSeen": _unix(trend.seen_at),
        "recovered": _unix(trend.recovered_at),
        "statusChanged": _unix(trend.changed_at),
        "statusChangedBy": None if trend.changed_by is None else str(trend.changed_by),
    }


def name_of(trend: Trend) -> str:
    """Name the group for people."""
    return title_of(trend.subject.fields, trend.cells)


def headline(trend: Trend) -> str:
    """Say in a few words what happened: `p95() of /checkout regressed by 38 %`."""
    return f"{trend.function} of {name_of(trend)} {_WORDS[trend.change]}{_by(trend.ratio)}"


def page_of(trend: Trend, org_slug: str) -> str:
    """Give the path of the page about a trend: a week on either side, which stays as it is."""
    query: dict[str, Any] = {
        "project": int(trend.project_id),
        "query": _search(trend),
        "trendFunction": trend.function,
        "start": f"{trend.at - _AROUND:%Y-%m-%dT%H:%M:%S}",
        "end": f"{trend.at + _AROUND:%Y-%m-%dT%H:%M:%S}",
        "breakpoint": _unix(trend.at),
    }
    if trend.subject.dataset != Subject().dataset:
        query["dataset"] = trend.subject.dataset
    if trend.subject.fields != Subject().fields:
        query["field"] = list(trend.subject.fields)
    return f"/organizations/{org_slug}/trends/details/?{urlencode(query, doseq=True)}"


def _search(trend: Trend) -> str:
    terms = [
        f"!has:{name}" if cell is None or cell == "" else f"{name}:{quoted(str(cell))}"
        for name, cell in zip(trend.subject.fields, trend.cells, strict=True)
    ]
    words = trend.subject.query
    return " ".join([*terms, f"({words})" if words else ""]).strip()


def notice_body(trends: Sequence[Trend], project: Project, org_slug: str, base_url: str) -> Row:
    """Give the plain data of a notice about one change, seen in one function or in several."""
    leading = trends[0]
    also = [each.function for each in trends[1:]]
    text = f"In {project.slug}, since {leading.at:%Y-%m-%d %H:%M} UTC"
    return {
        "org": org_slug,
        "project": project.slug,
        "project_id": str(project.id),
        "trend_id": str(leading.id),
        "title": headline(leading),
        "text": f"{text}; also {', '.join(also)}" if also else text,
        "url": base_url + page_of(leading, org_slug),
        "transaction": name_of(leading),
        "dataset": leading.subject.dataset,
        "function": leading.function,
        "also": also,
        "change": leading.change,
        "at": _unix(leading.at),
        "before": leading.before,
        "after": leading.after,
        "ratio": leading.ratio,
        "confidence": leading.evidence.get("confidence"),
    }


def _by(ratio: float | None) -> str:
    if ratio is None or not isfinite(ratio):
        return ""

    return f" by {abs(ratio - 1) * 100:.0f} %"


def _unix(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
