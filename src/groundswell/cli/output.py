"""What commands print: data on standard output (JSON or a plain table), talk on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import msgspec


def show(value: Mapping[str, object], *, json: bool) -> None:
    """Print one thing."""
    if json:
        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
        # What goes on running after it has told this must not keep it to itself.
        sys.stdout.flush()
        return

    width = max((len(name) for name in value), default=0)
    for name, item in value.items():
        sys.stdout.write(f"{name:<{width}}  {_cell(item)}\n")


def show_all(rows: Sequence[Mapping[str, object]], *, json: bool) -> None:
    """Print many things of one kind."""
    if json:
        sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
        return

    if not rows:
        say("none")
        return

    names = list(rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [
        max(len(name), *(len(line[index]) for line in cells)) for index, name in enumerate(names)
    ]
    for line in [names, *cells]:
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(text.rstrip() + "\n")


def say(text: str) -> None:
    """Talk to the person at the terminal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(value: Mapping[str, object]) -> None:
    """Tell a script what went wrong."""
    say(msgspec.json.encode(value).decode())


def _cell(value: object) -> str:
    if value is None:
        return "-"

    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)

    return str(value)
