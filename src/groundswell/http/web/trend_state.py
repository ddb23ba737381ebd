"""What the pages about trends read from a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request

from groundswell.errors import UserError
from groundswell.http import features
from groundswell.http.api.trends import FEATURE
from groundswell.http.requests import caller_scope, services_of
from groundswell.http.web.state import State
from groundswell.model.tenancy import Scope

PERIOD = "14d"
FUNCTION = "p95(transaction.duration)"
# What groups events: a label, and the parameters to begin with.
SUBJECTS: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    ("Transactions", {"dataset": (), "field": (), "trendFunction": ()}),
    (
        "Functions",
        {
            "dataset": ("profileFunctions",),
            "field": ("package", "function"),
            "trendFunction": ("p95()",),
        },
    ),
    (
        "Spans",
        {
            "dataset": ("spans",),
            "field": ("span.op", "span.description"),
            "trendFunction": ("p95(span.duration)",),
        },
    ),
    ("Issues", {"dataset": ("errors",), "field": ("issue",), "trendFunction": ("count()",)}),
)
_KEPT = ("project", "projectSlug", "environment", "dataset", "field", "interval")


async def scope_of(request: Request[Any, Any, Any], org: str) -> Scope:
    scope = await caller_scope(request, org)
    await services_of(request).metadata.run(features.require, scope.organization.id, FEATURE)
    return scope


def questions(params: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Write the parameters of trends for what the page shows."""
    dates = ("statsPeriod", "statsPeriodStart", "statsPeriodEnd", "start", "end")
    found = {
        name: [value for value in params[name] if value]
        for name in (*_KEPT, *dates, "query")
        if any(params.get(name, ()))
    }
    return {**found, "trendFunction": [function_of(params)]}


def subjects_of(state: State, base: str) -> list[tuple[str, str, bool]]:
    """List what trends can be of: label, address, and whether it is shown."""
    here = next(iter(state.params.get("dataset", ())), "") or "transactions"
    fields = tuple(value for value in state.params.get("field", ()) if value) or ("transaction",)
    return [
        (
            label,
            f"{base}?{state.address(**asked, query=None, offset=None)}",
            (asked["dataset"] or ("transactions",), asked["field"] or ("transaction",))
            == ((here,), fields),
        )
        for label, asked in SUBJECTS
    ]


def function_of(params: Mapping[str, tuple[str, ...]]) -> str:
    return next((value for value in params.get("trendFunction", ()) if value), FUNCTION)


def offset_of(params: Mapping[str, tuple[str, ...]]) -> int:
    text = next(iter(params.get("offset", ())), "0")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UserError(f"offset must be a whole number, got {text!r}", field="offset")

    return int(text)
