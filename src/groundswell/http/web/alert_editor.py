"""/organizations/<org>/alerts/rules/…/edit/: the editor of a rule with a live preview."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath

from groundswell.alerts import desk
from groundswell.alerts.charts import fired_words, preview_chart
from groundswell.alerts.preview import preview
from groundswell.errors import UserError
from groundswell.http.api.alert_rules import READ, WRITE, read_rule, rule_of, user_of
from groundswell.http.charting import look_of
from groundswell.http.failures import FieldErrors
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web import alert_form as form
from groundswell.http.web.alert_frame import base_of
from groundswell.http.web.drawn import drawn
from groundswell.http.web.forms import fields_of, first
from groundswell.http.web.frame import fragment, go, page
from groundswell.model.alerts import Rule
from groundswell.model.tenancy import Scope
from groundswell.store.metadata import tenancy

_ORG = "/organizations/{org:str}/alerts"


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
    fields = await fields_of(request)
    try:
        rule = await read_rule(request, scope, form.body_of(fields))
    except FieldErrors as error:
        return await _editor(request, scope, fields, error.errors, status=400)

    made = await services_of(request).metadata.run(desk.create, rule)
    return go(f"{base_of(scope)}rules/details/{made.id}/")


@post(f"{_ORG}/rules/{{rule_id:int}}/edit/", opt={"access": "alerts:write"}, status_code=200)
async def save_changed(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[int]
) -> Response[bytes]:
    """Change a rule from the editor."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, str(rule_id))
    fields = await fields_of(request)
    try:
        rule = await read_rule(request, scope, form.body_of(fields), before=found.rule)
    except FieldErrors as error:
        return await _editor(request, scope, fields, error.errors, found.rule, status=400)

    slug = scope.organization.slug
    await services_of(request).metadata.run(desk.change, found, rule, slug, now(), user_of(scope))
    return go(f"{base_of(scope)}rules/details/{rule.id}/")


@get(f"{_ORG}/preview/", opt={"access": "org:read"})
async def preview_part(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the part of the editor that shows what a rule would have done."""
    scope = await caller_scope(request, org, needs=READ)
    fields = multi(request)
    address = f"{base_of(scope)}preview/chart/?{urlencode(fields, doseq=True)}"
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
    return drawn(chart, look.theme, f"In the last 14 days this rule {times}.")


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
        base=base_of(scope),
        rule=rule,
        errors=errors,
        fields=fields,
        first=lambda name: first(fields, name),
        windows=form.WINDOWS,
        deltas=form.DELTAS,
        datasets=form.DATASETS,
        channels=form.CHANNELS,
        levels=form.LEVELS,
        teams=teams,
        projects=scope.projects,
    )


ROUTES = [new_rule, edit_rule, save_new, save_changed, preview_part, preview_drawn]
