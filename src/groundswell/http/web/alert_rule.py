"""/organizations/<org>/alerts/rules/details/<rule>/: a rule, its chart and its incidents."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.alerts.charts import chart_of
from groundswell.charts.spec import Chart
from groundswell.http.alert_shapes import People, people_of
from groundswell.http.alerting import span_of_page
from groundswell.http.api.alert_rules import READ, WRITE, fire_test, rule_of, user_of
from groundswell.http.charting import look_of
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.alert_frame import base_of, discover_address, later, may_write
from groundswell.http.web.alert_words import line_of, muted_text, sentence, standing, value_text
from groundswell.http.web.drawn import drawn
from groundswell.http.web.forms import fields_of, first
from groundswell.http.web.frame import go, page
from groundswell.model.alerts import Incident, Rule
from groundswell.store.metadata import incidents as rows
from groundswell.store.metadata import notify

_ORG = "/organizations/{org:str}/alerts"
MAX_INCIDENTS = 50
PERIODS = (("1d", "Day"), ("7d", "Week"), ("30d", "Month"))


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
        base=base_of(scope),
        rule=rule,
        watches=sentence(rule),
        judged=found.evaluated_at,
        error=found.last_error,
        standing=standing([one for one in known if one.is_open]),
        incidents=[line_of(one, at) for one in known],
        chosen=chosen,
        told=sorted(told, key=lambda one: one.id, reverse=True)[:30],
        chart=f"{base_of(scope)}rules/details/{rule.id}/chart/?{urlencode(kept, doseq=True)}",
        discover=discover_address(scope, rule),
        muted=muted_text(rule.muted_until, at),
        author=people.get(rule.created_by) if rule.created_by is not None else None,
        projects=[p.slug for p in scope.projects if p.id in rule.projects],
        periods=PERIODS,
        period=next(iter(params.get("period", ())), ""),
        may_write=may_write(scope),
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
    return drawn(chart, look.theme, _told(chart, found.rule))


@post(f"{_ORG}/rules/details/{{rule_id:int}}/", opt={"access": "alerts:write"}, status_code=302)
async def act_on_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Mute, test or drop a rule."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, str(rule_id))
    fields = await fields_of(request)
    act, at, metadata = first(fields, "act"), now(), services_of(request).metadata
    if act == "delete":
        await metadata.run(desk.delete, found.rule)
        return go(f"{base_of(scope)}rules/")

    if act == "test":
        await metadata.run(fire_test, found.rule, scope.organization.slug, at)
    elif act in {"mute", "unmute"}:
        until = later(fields, at) if act == "mute" else None
        await metadata.run(desk.mute_rule, found.rule, until, user_of(scope), at)
    return go(f"{base_of(scope)}rules/details/{rule_id}/")


@get("/organizations/{org:str}/issues/alerts/rules/details/{rule_id:int}/",
     opt={"access": "public"})  # fmt: skip
async def newer_form(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Lead the newer form of the address to the page."""
    query = f"?{request.url.query}" if request.url.query else ""
    return go(f"/organizations/{org}/alerts/rules/details/{rule_id}/{query}")


def _told(chart: Chart, rule: Rule) -> str:
    values = [v for line in chart.lines for v in line.values if v is not None]
    if not values:
        return "No data in this period."

    said = f"Last {value_text(rule, values[-1])}, highest {value_text(rule, max(values))}"
    count = len(chart.bands)
    return f"{said}; {count} incident{'' if count == 1 else 's'} in this time."


ROUTES = [details, details_chart, act_on_rule, newer_form]
