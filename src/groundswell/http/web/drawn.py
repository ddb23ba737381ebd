"""A chart on a page: its specification, and its words for those who do not see it."""

from __future__ import annotations

from litestar import Response

from groundswell.charts.hover import with_hover
from groundswell.charts.spec import Chart, vega_lite
from groundswell.charts.theme import ThemeName
from groundswell.http.failures import json_response


def drawn(chart: Chart, theme: ThemeName, sentence: str) -> Response[bytes]:
    """Answer with a chart and the sentence under it."""
    spec = with_hover(vega_lite(chart, theme=theme), chart, theme=theme)
    return json_response({"spec": spec, "sentence": sentence, "alt": f"{chart.title}: {sentence}"})
