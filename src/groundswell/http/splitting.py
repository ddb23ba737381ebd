"""Requests of widgets and saved questions that may be about errors or transactions: what to ask,
and where the decision is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http import features
from groundswell.http.services import Services
from groundswell.model.series import SeriesAnswer, TableAnswer
from groundswell.model.tenancy import Scope
from groundswell.stats import split
from groundswell.stats.parameters import Params, first, texts
from groundswell.stats.split import Decision, Source, Split, Variants
from groundswell.store.metadata import dashboards, saved_queries
from groundswell.store.metadata.dashboards import Widget
from groundswell.store.metadata.saved_queries import SavedQuery
from groundswell.telemetry import logger

T = TypeVar("T", SeriesAnswer, TableAnswer)
log = logger("split")

SELECTOR = "performance-discover-dataset-selector"


async def widget_decision(
    services: Services, scope: Scope, params: Params, variants: Variants,
    ask: Callable[[Params], Awaitable[T]],
) -> Decision[T] | None:  # fmt: skip
    """Answer a request of a widget; None where it is not one, or nothing could be decided.

    Raises UserError where the question itself is refused.
    """
    if not split.is_split_asked(params):
        return None

    metadata = services.metadata
    widget = await metadata.run(_widget, scope, first(params, "dashboardWidgetId") or "")
    if widget is None:
        return None

    try:
        known = widget.split or _chosen(widget)
        if known is not None:
            return await split.follow(ask, params, known, variants)

        has_selector = await metadata.run(_is_on, scope)
        made = await split.decide(ask, params, variants, has_selector=has_selector)
        if made.split is not None:
            await metadata.run(
                dashboards.split_widget, widget.id, made.split.value, made.source.value
            )
        return made
    except UserError:
        raise
    except Exception as error:
        log.warning("widget_split_failed", widget=widget.id, exc_info=error)
        return None


async def saved_decision(
    services: Services, scope: Scope, params: Params, ask: Callable[[Params], Awaitable[T]]
) -> Decision[T] | None:
    """Answer a request of a saved question of all events, from its words or by asking both."""
    text = first(params, "discoverSavedQueryId") or ""
    if not text or first(params, "dataset") not in {None, "", "discover"}:
        return None

    metadata = services.metadata
    saved = await metadata.run(_saved, scope, text)
    if saved is None:
        return None

    variants = split.table_variants(params)
    known = saved.split or saved.body.get("queryDataset")
    if known in {Split.ERRORS.value, Split.TRANSACTIONS.value}:
        chosen = variants.errors if known == Split.ERRORS.value else variants.transactions
        return Decision(await ask(chosen), Split(known), Source.SAVED, f"decided before: {known}")

    inferred = split.infer(first(params, "query") or "", texts(params, "field"))
    if inferred is not None:
        chosen = variants.errors if inferred is Split.ERRORS else variants.transactions
        made = Decision(
            await ask(chosen), inferred, Source.INFERRED, "its words speak of nothing else"
        )
    else:
        made = await split.decide(ask, variants.transactions, variants, has_selector=True)
    assert made.split is not None
    await metadata.run(saved_queries.split_saved_query, saved.id, made.split.value)
    return made


def metas(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Find every `meta` of an answer of series."""
    for name, value in body.items():
        if name == "meta":
            yield value
        elif isinstance(value, dict):
            yield from metas(value)


def _chosen(widget: Widget) -> str | None:
    """What a person chose when the widget was made."""
    chosen = widget.widget_type
    return chosen if chosen in {Split.ERRORS.value, Split.TRANSACTIONS.value} else None


def _widget(connection: Connection, scope: Scope, text: str) -> Widget | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None

    return dashboards.find_widget(connection, scope.organization.id, int(text))


def _saved(connection: Connection, scope: Scope, text: str) -> SavedQuery | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None

    try:
        return saved_queries.get_saved_query(connection, scope.organization.id, int(text))
    except NotFound:
        return None


def _is_on(connection: Connection, scope: Scope) -> bool:
    return SELECTOR in features.enabled(connection, scope.organization.id)
