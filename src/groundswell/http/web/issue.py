"""/organizations/<org>/issues/<id>/: one issue, how often it comes, and one of its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath

from groundswell.access import held
from groundswell.errors import NotFound, UserError
from groundswell.http.api.issues import issue_of
from groundswell.http.event_shapes import error_event
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.cells import term
from groundswell.http.web.forms import WRITE, fields_of, first
from groundswell.http.web.frame import go, page
from groundswell.http.web.issues import ago
from groundswell.model.tenancy import Project, Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats import parameters
from groundswell.stats.facets import Tag, facets
from groundswell.stats.issue_list import IssueRequest, Sightings, sightings
from groundswell.store.events import read_events
from groundswell.store.metadata.issue_search import IssueChange, change_issues
from groundswell.store.metadata.issues import Issue, short_id
from groundswell.timeframe import TimeRange

ACTS = MappingProxyType(
    {
        "resolve": IssueChange("resolved", ""),
        "archive": IssueChange("ignored", "archived_until_escalating"),
        "reopen": IssueChange("unresolved", "ongoing"),
    }
)
TAGS_SHOWN, VALUES_SHOWN = 12, 4
_ONE = "/organizations/{org:str}/issues/{issue:str}/"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a stack, the newest first."""

    place: str
    function: str
    is_ours: bool
    lines: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One exception of a chain, the outermost first."""

    type: str
    value: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Common:
    """A tag with its most frequent values: text, share in percent, search."""

    name: str
    values: tuple[tuple[str, int, str], ...]


@get([_ONE, _ONE + "events/{event:str}/"], opt={"access": "event:read"})
async def issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """Show an issue with its latest event, or with the one that the address names."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    project = next(each for each in scope.projects if each.id == found.project_id)
    services, at = services_of(request), now()
    window = TimeRange(at - services.statistics.retention, at)
    asked = IssueRequest(scope, (project,), window, parameters.FIRST_PAGE, "", "date", now=at)
    seen = (await sightings(services.statistics, asked, [found.id])).get(found.id, Sightings())
    tags = await facets(
        services.statistics, services.engine, scope, (project,), window,
        dataset=Dataset.ERRORS, issue_id=found.id,
    )  # fmt: skip
    named = str(request.path_params.get("event", "latest"))
    event = await _event(request, scope, project, found, named)
    org_base = f"/organizations/{scope.organization.slug}/"
    question = {
        "project": project.id, "query": f"issue.id:{found.id}", "dataset": "errors",
        "yAxis": "count()", "display": "bar", "statsPeriod": "14d",
    }  # fmt: skip
    columns = [("field", each) for each in ("id", "title", "release", "user.display", "timestamp")]
    discover = f"{org_base}discover/"
    return await page(
        request,
        "issue.html",
        scope,
        here="issues",
        issue=found,
        project=project,
        short=short_id(project.slug, found.number),
        base=f"{org_base}issues/",
        events=f"{seen.count:,}",
        users=f"{seen.users:,}",
        first_seen=ago(found.first_seen, at),
        last_seen=ago(found.last_seen, at),
        chart=f"{discover}chart/?{urlencode({**question, 'name': 'Events'})}",
        discover=f"{discover}results/?{urlencode([*question.items(), *columns])}",
        tags=[common(tag, found.id, org_base) for tag in tags.tags if tag.key != "project"]
        [:TAGS_SHOWN],
        event=event,
        problems=problems_of(event) if event else [],
        message=_message(event) if event else "",
        may_write=any(scope in WRITE for scope in held(scope)),
    )  # fmt: skip


@post(_ONE, opt={"access": "event:write"}, status_code=303)
async def change(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """Resolve, archive or reopen an issue."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await issue_of(request, scope, issue)
    act = first(await fields_of(request), "act")
    if act not in ACTS:
        raise UserError(f"act must be one of {', '.join(ACTS)}", field="act")

    await services_of(request).metadata.run(change_issues, [found.id], ACTS[act])
    return go(f"/organizations/{scope.organization.slug}/issues/{found.id}/", 303)


def common(tag: Tag, issue_id: int, org_base: str) -> Common:
    """Tell the most frequent values of a tag with their shares."""
    values = []
    for name, value, count in tag.top[:VALUES_SHOWN]:
        asked = {"query": f"issue.id:{issue_id} {term(tag.key, value)}", "dataset": "errors"}
        share = round(100 * count / tag.seen) if tag.seen else 0
        values.append((name or "(none)", share, f"{org_base}discover/results/?{urlencode(asked)}"))
    return Common(tag.key, tuple(values))


def problems_of(event: Mapping[str, Any]) -> list[Problem]:
    """Read the exceptions of an event, the outermost first, each with its newest call first."""
    found = []
    for entry in event["entries"]:
        if entry["type"] == "exception":
            found += [_problem(each, each["stacktrace"]) for each in entry["data"]["values"]]
        elif entry["type"] == "stacktrace":
            found.append(_problem({"type": "", "value": ""}, entry["data"]))
    return found[::-1]


def _problem(sent: Mapping[str, Any], stack: Mapping[str, Any] | None) -> Problem:
    frames = tuple(_frame(each) for each in reversed(stack["frames"])) if stack else ()
    return Problem(sent["type"] or "", sent["value"] or "", frames)


def _frame(sent: Mapping[str, Any]) -> Frame:
    number = sent["lineNo"]
    file = str(sent["filename"] or sent["module"] or sent["package"] or "?")
    return Frame(
        f"{file}:{number}" if number else file,
        str(sent["function"] or "?"),
        sent["inApp"],
        tuple((at, text, at == number) for at, text in sent["context"]),
    )


def _message(event: Mapping[str, Any]) -> str:
    for entry in event["entries"]:
        if entry["type"] == "message":
            return str(entry["data"]["formatted"] or "")

    return ""


async def _event(
    request: Request[Any, Any, Any], scope: Scope, project: Project, issue: Issue, named: str
) -> dict[str, Any] | None:
    services, at = services_of(request), now()
    id = named.replace("-", "").lower()
    is_named = named not in {"latest", "oldest", "recommended"}
    if is_named and (len(id) != 32 or set(id) - _HEX):
        raise NotFound

    if not is_named:
        question = Question(
            dataset=Dataset.ERRORS,
            window=TimeRange(at - services.statistics.retention, at),
            projects=(project.id,),
            select=("id", "timestamp"),
            search=f"issue.id:{issue.id}",
            order_by=("timestamp" if named == "oldest" else "-timestamp",),
            limit=1,
            now=at,
        )
        ids = await services.statistics.records(question, scope)
        if not ids:
            return None

        id = str(ids[0]["id"]).replace("-", "")
    rows = await read_events(services.engine, "errors", [int(project.id)], [id])
    if not rows or rows[0]["group_id"] != issue.id:
        if is_named:
            raise NotFound
        return None

    return error_event(rows[0], project, services.settings.base_url)


ROUTES = [issue, change]
