"""/organizations/<org>/alerts/…: rules, their editor with a live preview, and incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.access import held
from groundswell.alerts import desk
from groundswell.alerts.charts import (
    chart_of,
    fired_words,
    measured,
    preview_chart,
    span_of_incident,
)
from groundswell.alerts.preview import preview
from groundswell.charts.hover import with_hover
from groundswell.charts.spec import Chart, vega_lite
from groundswell.charts.units import measure
from groundswell.errors import UserError
from groundswell.http.alert_shapes import People, discover_query, people_of
from groundswell.http.alerting import span_of_page
from groundswell.http.api.alert_rules import (
    READ,
    WRITE,
    fire_test,
    read_rule,
    rule_of,
    user_of,
)
from groundswell.http.charting import look_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web import alert_form as form
from groundswell.http.web.frame import fragment, page
from groundswell.model.alerts import FOREVER, Activity, Detection, Incident, Level, Rule, Side
from groundswell.model.tenancy import Scope
from groundswell.store.metadata import alerts as rule_rows
from groundswell.store.metadata import incidents as rows
from groundswell.store.metadata import notify, tenancy

_ORG = "/organizations/{org:str}/alerts"
MAX_INCIDENTS = 50
PERIODS = (("1d", "Day"), ("7d", "Week"), ("30d", "Month"))
DISCOVER = {"transactions": "transaction-like", "events": "error-events"}


@get([f"{_ORG}/rules/", f"{_ORG}/"], opt={"access": "org:read"})
async def rules(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List rules with how they stand, and the latest incidents."""
    scope = await caller_scope(request, org, needs=READ)

    def read(connection: Connection) -> tuple[list[Any], dict[Any, Incident], list[Incident]]:
        found = [
            one
            for one in rule_rows.list_rules(connection, scope.organization.id)
            if desk.is_visible(one.rule, scope)
        ]
        ids = [one.rule.id for one in found]
        open_now = rows.open_incidents(connection, ids)
        latest = rows.list_incidents(
            connection, scope.organization.id, rule_ids=ids, limit=MAX_INCIDENTS
        )
        return found, open_now, latest

    found, open_now, latest = await services_of(request).metadata.run(read)
    slugs = {project.id: project.slug for project in scope.projects}
    by_rule: dict[int, list[Incident]] = {}
    for (rule_id, _), incident in open_now.items():
        by_rule.setdefault(rule_id, []).append(incident)
    at = now()
    return await page(
        request,
        "alerts/rules.html",
        scope,
        here="alerts",
        base=_base(scope),
        rules=[
            {
                "rule": one.rule,
                "status": _status(by_rule.get(one.rule.id, [])),
                "open": len(by_rule.get(one.rule.id, [])),
                "watches": sentence(one.rule),
                "projects": [slugs[id] for id in one.rule.projects if id in slugs],
                "muted": one.rule.is_muted(at),
                "error": one.last_error,
            }
            for one in sorted(found, key=lambda one: (one.rule.id not in by_rule, -one.rule.id))
        ],
        incidents=[_line(one, at) for one in latest],
        may_write=_may_write(scope),
    )


@get([f"{_ORG}/rules/new/", f"{_ORG}/wizard/"], opt={"access": "alerts:write"})
async def new_rule(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show an empty editor; the address may fill it."""
    scope = await caller_scope(request, org, needs=WRITE)
    given = {name: list(values) for name, values in multi(request).items()}
    fields = {name: [value] for name, value in form.DEFAULTS.items()} | given
    if "projects" not in fields and scope.projects:
        fields["projects"] = [scope.projects[0].slug]
    return await _editor(request, scope, fields, {})


@get(f"{_ORG}/rules/{{rule_id:int}}/edit/", opt={"access": "alerts:write"})
async def edit_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Show the editor with a rule in it."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, str(rule_id))
    return await _editor(request, scope, form.fields_of(found.rule, scope), {}, found.rule)


@post(f"{_ORG}/rules/new/", opt={"access": "alerts:write"}, status_code=200)
async def save_new(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Make a rule from the editor."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await _form(request)
    try:
        rule = await read_rule(request, scope, form.body_of(fields))
    except FieldErrors as error:
        return await _editor(request, scope, fields, error.errors, status=400)

    made = await services_of(request).metadata.run(desk.create, rule)
    return _go(f"{_base(scope)}rules/details/{made.id}/")


@post(f"{_ORG}/rules/{{rule_id:int}}/edit/", opt={"access": "alerts:write"}, status_code=200)
async def save_changed(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Change a rule from the editor."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, str(rule_id))
    fields = await _form(request)
    try:
        rule = await read_rule(request, scope, form.body_of(fields), before=found.rule)
    except FieldErrors as error:
        return await _editor(request, scope, fields, error.errors, found.rule, status=400)

    slug = scope.organization.slug
    await services_of(request).metadata.run(desk.change, found, rule, slug, now(), user_of(scope))
    return _go(f"{_base(scope)}rules/details/{rule.id}/")


@get(f"{_ORG}/preview/", opt={"access": "org:read"})
async def preview_part(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the part of the editor that shows what a rule would have done."""
    scope = await caller_scope(request, org, needs=READ)
    fields = multi(request)
    address = f"{_base(scope)}preview/chart/?{urlencode(fields, doseq=True)}"
    try:
        await read_rule(request, scope, {"name": "Preview"} | form.body_of(fields))
    except UserError as error:
        errors = error.errors if isinstance(error, FieldErrors) else {"": [error.message]}
        lines = [f"{name}: {' '.join(said)}" for name, said in errors.items()]
        return fragment(request, "alerts/preview.html", address="", problems=lines)

    return fragment(request, "alerts/preview.html", address=address, problems=[])


@get(f"{_ORG}/preview/chart/", opt={"access": "org:read"})
async def preview_drawn(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the chart of the preview."""
    scope = await caller_scope(request, org, needs=READ)
    fields = multi(request)
    rule = await read_rule(request, scope, {"name": "Preview"} | form.body_of(fields))
    look = look_of({name: fields.get(name, []) for name in ("theme", "width", "height")})
    found = await preview(services_of(request).statistics, rule, scope, now())
    chart = preview_chart(rule, found, width=look.width, height=look.height)
    times = fired_words(len(found.episodes))
    return _drawn(chart, look.theme, f"In the last 14 days this rule {times}.")


@get(f"{_ORG}/rules/details/{{rule_id:int}}/", opt={"access": "org:read"})
async def details(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Show a rule: its chart, its incidents, whom it told. `alert` chooses an incident."""
    scope = await caller_scope(request, org, needs=READ)
    found = await rule_of(request, scope, str(rule_id))
    params = multi(request)
    chosen = next((v for v in params.get("alert", ()) if v.isascii() and v.isdigit()), "")
    kept = {k: v for k, v in params.items() if k in {"alert", "period", "start", "end"}}

    def read(connection: Connection) -> tuple[list[Incident], list[Any], People]:
        known = rows.list_incidents(
            connection, scope.organization.id, rule_ids=[rule_id], limit=MAX_INCIDENTS
        )
        told = []
        for one in known[:10]:
            prefix = f"incident:{one.org_id}:{one.number}:"
            told += notify.records(
                connection, scope.organization.id, subject_prefix=prefix, limit=20
            )
        told += notify.records(
            connection, scope.organization.id, subject_prefix=f"test:{rule_id}:", limit=5
        )
        return known, told, people_of(connection, scope)

    known, told, people = await services_of(request).metadata.run(read)
    at = now()
    rule = found.rule
    return await page(
        request,
        "alerts/details.html",
        scope,
        here="alerts",
        base=_base(scope),
        rule=rule,
        watches=sentence(rule),
        judged=found.evaluated_at,
        error=found.last_error,
        standing=_status([one for one in known if one.is_open]),
        incidents=[_line(one, at) for one in known],
        chosen=chosen,
        told=sorted(told, key=lambda one: one.id, reverse=True)[:30],
        chart=f"{_base(scope)}rules/details/{rule.id}/chart/?{urlencode(kept, doseq=True)}",
        discover=_discover(scope, rule),
        muted=_muted(rule.muted_until, at),
        author=people.get(rule.created_by) if rule.created_by is not None else None,
        projects=[p.slug for p in scope.projects if p.id in rule.projects],
        periods=PERIODS,
        period=next(iter(params.get("period", ())), ""),
        may_write=_may_write(scope),
    )


@get(f"{_ORG}/rules/details/{{rule_id:int}}/chart/", opt={"access": "org:read"})
async def details_chart(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Give the chart of a rule or of the chosen incident."""
    scope = await caller_scope(request, org, needs=READ)
    found = await rule_of(request, scope, str(rule_id))
    params = multi(request)
    look = look_of({name: params.get(name, []) for name in ("theme", "width", "height")})
    number = next((v for v in params.get("alert", ()) if v.isascii() and v.isdigit()), "")

    def read(connection: Connection) -> tuple[Incident | None, list[Incident]]:
        org_id = scope.organization.id
        one = rows.find_incident(connection, org_id, int(number[:9])) if number else None
        known = rows.list_incidents(connection, org_id, rule_ids=[rule_id], limit=200)
        return (one if one and one.rule_id == rule_id else None), known

    chosen, known = await services_of(request).metadata.run(read)
    span = span_of_page(found.rule, chosen, now(), params)
    group = chosen.group if chosen else ""
    shown = [one for one in known if not group or one.group == group]
    statistics = services_of(request).statistics
    chart = await chart_of(
        statistics, found.rule, scope, span, shown, group=group,
        width=look.width, height=look.height,
    )  # fmt: skip
    return _drawn(chart, look.theme, _told(chart, found.rule))


@get(f"{_ORG}/incidents/{{number:int}}/", opt={"access": "org:read"})
async def incident(
    request: Request[Any, Any, Any], org: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Show one incident with its course."""
    scope = await caller_scope(request, org, needs=READ)

    def read(
        connection: Connection,
    ) -> tuple[Incident, Rule, list[Activity], list[Any], People]:
        one, watched = desk.find_incident(connection, scope, number)
        prefix = f"incident:{one.org_id}:{one.number}:"
        told = notify.records(connection, scope.organization.id, subject_prefix=prefix)
        course = rows.list_activities(connection, [one.id])
        return one, watched.rule, course, told, people_of(connection, scope)

    one, rule, course, told, people = await services_of(request).metadata.run(read)
    at = now()
    span = span_of_incident(rule, one, at)
    return await page(
        request,
        "alerts/incident.html",
        scope,
        here="alerts",
        base=_base(scope),
        incident=_line(one, at),
        rule=rule,
        watches=sentence(rule),
        course=[_step(each, people) for each in course],
        told=told,
        known=people.get(one.acknowledged_by) if one.acknowledged_by is not None else None,
        acknowledged_at=one.acknowledged_at,
        muted=_muted(one.muted_until, at),
        suspect=one.suspect,
        value=_value(rule, one.value),
        peak=_value(rule, one.peak),
        chart=f"{_base(scope)}rules/details/{rule.id}/chart/?alert={one.number}",
        discover=_discover(scope, rule, span.start, span.end),
        may_write=_may_write(scope),
    )


@post(f"{_ORG}/incidents/{{number:int}}/", opt={"access": "alerts:write"}, status_code=302)
async def act_on_incident(
    request: Request[Any, Any, Any], org: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Acknowledge, mute, comment or end an incident."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await _form(request)
    act, at = _first(fields, "act"), now()
    comment = _first(fields, "comment").strip()

    def work(connection: Connection) -> None:
        one, watched = desk.find_incident(connection, scope, number)
        user, slug = user_of(scope), scope.organization.slug
        if act == "acknowledge":
            desk.acknowledge(connection, one, user, at)
        elif act == "mute":
            desk.mute_incident(connection, one, _later(fields, at), user, at)
        elif act == "unmute":
            desk.mute_incident(connection, one, None, user, at)
        elif act == "resolve":
            desk.resolve(connection, watched.rule, one, slug, user, at)
        elif act == "comment" and comment:
            desk.comment(connection, one, comment, user, at)

    await services_of(request).metadata.run(work)
    return _go(f"{_base(scope)}incidents/{number}/")


@post(f"{_ORG}/rules/details/{{rule_id:int}}/", opt={"access": "alerts:write"}, status_code=302)
async def act_on_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Mute, test or drop a rule."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, str(rule_id))
    fields = await _form(request)
    act, at, metadata = _first(fields, "act"), now(), services_of(request).metadata
    if act == "delete":
        await metadata.run(desk.delete, found.rule)
        return _go(f"{_base(scope)}rules/")

    if act == "test":
        await metadata.run(fire_test, found.rule, scope.organization.slug, at)
    elif act in {"mute", "unmute"}:
        until = _later(fields, at) if act == "mute" else None
        await metadata.run(desk.mute_rule, found.rule, until, user_of(scope), at)
    return _go(f"{_base(scope)}rules/details/{rule_id}/")


@get("/organizations/{org:str}/issues/alerts/rules/details/{rule_id:int}/",
     opt={"access": "public"})  # fmt: skip
async def newer_form(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Lead the newer form of the address to the page."""
    query = f"?{request.url.query}" if request.url.query else ""
    return _go(f"/organizations/{org}/alerts/rules/details/{rule_id}/{query}")


def sentence(rule: Rule) -> str:
    """Say what a rule watches."""
    where = f" of {rule.query}" if rule.query else ""
    window = next((text for m, text in form.WINDOWS if m == rule.window_min), "")
    window = window or f"{rule.window_min} minutes"
    said = f"{rule.aggregate}{where} in {window}"
    if rule.group_by:
        said += f", by {rule.group_by}"
    if rule.detection is Detection.DYNAMIC:
        return f"{said} is unlikely at this time ({rule.sensitivity} sensitivity)"

    critical = rule.trigger(Level.CRITICAL)
    number = f"{critical.threshold:g}" if critical and critical.threshold is not None else "?"
    if rule.detection is Detection.PERCENT:
        delta = next((t for m, t in form.DELTAS if m == rule.delta_min), f"{rule.delta_min} min")
        word = "higher" if rule.side is Side.ABOVE else "lower"
        return f"{said} is {number}% {word} than {delta} before"

    return f"{said} is {'above' if rule.side is Side.ABOVE else 'below'} {number}"


async def _editor(
    request: Request[Any, Any, Any],
    scope: Scope,
    fields: form.Fields,
    errors: dict[str, list[str]],
    rule: Rule | None = None,
    *,
    status: int = 200,
) -> Response[bytes]:
    teams = await services_of(request).metadata.run(tenancy.list_teams, scope.organization.id)
    return await page(
        request,
        "alerts/editor.html",
        scope,
        here="alerts",
        status=status,
        base=_base(scope),
        rule=rule,
        errors=errors,
        fields=fields,
        first=lambda name: _first(fields, name),
        windows=form.WINDOWS,
        deltas=form.DELTAS,
        datasets=form.DATASETS,
        channels=form.CHANNELS,
        levels=form.LEVELS,
        teams=teams,
        projects=scope.projects,
    )


async def _form(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


def _first(fields: form.Fields, name: str) -> str:
    return next((value for value in fields.get(name, ()) if value), "")


def _later(fields: form.Fields, at: datetime) -> datetime:
    hours = _first(fields, "hours")
    if hours.isascii() and hours.isdigit() and 0 < int(hours[:5]) <= 8760:
        return at + timedelta(hours=int(hours))

    return FOREVER


def _base(scope: Scope) -> str:
    return f"/organizations/{scope.organization.slug}/alerts/"


def _may_write(scope: Scope) -> bool:
    return bool(set(WRITE).intersection(held(scope)))


def _status(open_now: list[Incident]) -> str:
    return max((one.level for one in open_now), default=Level.OK).word if open_now else "OK"


def _line(one: Incident, at: datetime) -> dict[str, Any]:
    end = one.closed_at or at
    return {
        "number": one.number,
        "title": one.title,
        "rule_id": one.rule_id,
        "status": one.level.word if one.is_open else "Resolved",
        "level": (one.worst or one.level).word,
        "started": f"{one.started_at:%b %d, %H:%M} UTC",
        "lasted": lasted(int((end - one.started_at).total_seconds())),
        "is_open": one.is_open,
        "is_known": one.acknowledged_at is not None,
        "is_muted": one.is_muted(at),
    }


def lasted(seconds: int) -> str:
    """Tell how long something took: `2 h 5 min`."""
    minutes = max(seconds, 0) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else ""]
    if not days:
        parts.append(f"{minutes} min" if minutes or not hours else "")
    return " ".join(part for part in parts if part)


def _step(activity: Activity, people: People) -> dict[str, Any]:
    who = people.get(activity.user_id) if activity.user_id is not None else None
    text = activity.comment or ""
    if activity.kind == "detected":
        text = "The rule noticed it"
    elif activity.kind == "status" and activity.value is not None:
        text = Level(int(activity.value)).word
    return {
        "at": f"{activity.at:%b %d, %H:%M} UTC",
        "who": who.email if who else "",
        "text": text,
        "kind": activity.kind,
    }


def _muted(until: datetime | None, at: datetime) -> str:
    if until is None or until <= at:
        return ""

    return "without an end" if until.year >= 9999 else f"until {until:%b %d, %H:%M} UTC"


def _value(rule: Rule, value: float | None) -> str:
    if value is None:
        return "–"

    if rule.delta_min is not None:
        return f"{value:,.0f}% of the other period"

    return measure(*measured(rule)).text(value)


def _discover(scope: Scope, rule: Rule, start: int = 0, end: int = 0) -> str:
    query: dict[str, Any] = {
        "query": discover_query(rule),
        "yAxis": rule.aggregate,
        "project": [str(id) for id in rule.projects],
        "queryDataset": DISCOVER.get(rule.dataset, "transaction-like"),
    }
    if rule.environment:
        query["environment"] = rule.environment
    if start:
        form_ = "%Y-%m-%dT%H:%M:%S"
        query["start"] = datetime.fromtimestamp(start, tz=now().tzinfo).strftime(form_)
        query["end"] = datetime.fromtimestamp(end, tz=now().tzinfo).strftime(form_)
    else:
        query["statsPeriod"] = "14d"
    path = f"/organizations/{scope.organization.slug}/discover/results/"
    return f"{path}?{urlencode(query, doseq=True)}"


def _told(chart: Chart, rule: Rule) -> str:
    values = [v for line in chart.lines for v in line.values if v is not None]
    if not values:
        return "No data in this period."

    said = f"Last {_value(rule, values[-1])}, highest {_value(rule, max(values))}"
    count = len(chart.bands)
    return f"{said}; {count} incident{'' if count == 1 else 's'} in this time."


def _drawn(chart: Chart, theme: Any, sentence: str) -> Response[bytes]:
    spec = with_hover(vega_lite(chart, theme=theme), chart, theme=theme)
    return json_response({"spec": spec, "sentence": sentence, "alt": f"{chart.title}: {sentence}"})


def _go(path: str) -> Response[bytes]:
    return Response(content=b"", status_code=302, headers={"Location": path})


ROUTES = [
    rules, new_rule, edit_rule, save_new, save_changed, preview_part, preview_drawn, details,
    details_chart, incident, act_on_incident, act_on_rule, newer_form,
]  # fmt: skip
