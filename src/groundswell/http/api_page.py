"""The description of the API as one page without scripts."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined, Template

TEMPLATE = "api_page.html"


def api_page(described: dict[str, Any]) -> str:
    """Write the page of an OpenAPI description: its operations by tag, with their examples."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            status, answer = next(iter(operation["responses"].items()))
            example = answer.get("content", {}).get("application/json", {}).get("example")
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation["summary"],
                    "description": operation["description"],
                    "parameters": operation["parameters"],
                    "status": status,
                    "example": "" if example is None else _pretty(example),
                }
            )
    return _template().render(info=described["info"], groups=sorted(groups.items()))


@cache
def _template() -> Template:
    text = (resources.files("groundswell.http") / TEMPLATE).read_text()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _pretty(example: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
