"""Series → one Vega-Lite spec → PNG, SVG and the page."""
