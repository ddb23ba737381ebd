"""Pages of the docs that are made from registries: `python -m groundswell.cli.reference docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from groundswell.config import SETTINGS, Setting
from groundswell.query.question import Dataset
from groundswell.query.registry.datasets import functions_of
from groundswell.query.registry.fields import FIELDS, TABLE_LETTERS, Field
from groundswell.query.registry.functions import REQUIRED, Arg, Function

_HEAD = """\
# Settings

Every setting is an environment variable and a flag of `groundswell serve` (`--base-url` for
`GROUNDSWELL_BASE_URL`). A secret may also come from a file, for example
`GROUNDSWELL_SECRET_KEY_FILE=/run/secrets/key`. An unknown `GROUNDSWELL_*` variable stops the start
and names the nearest one. `groundswell config` shows the effective values and where each came
from.

The same names in small letters may stand in `groundswell.toml` in the working directory, or in the
file that `GROUNDSWELL_CONFIG` names. A flag beats the environment, which beats the file.
`PORT`, `DATABASE_URL`, `LOG_LEVEL` and `SENTRY_DSN` are honoured without the prefix too, and
`NO_COLOR` as everywhere. On `SIGHUP` the service reads `LOG_LEVEL` again.

This page is made from the table in `config.py` by `make docs`.

| setting | default | meaning |
|---|---|---|
"""

_REFERENCE_HEAD = """\
# Fields and functions

What can be selected, searched for and calculated; [the query language](query-language.md) says
how. Beside these fields there are `measurements.*` (numbers that SDKs measured), `spans.*` (time
in spans of an operation) and every tag by its name. This page is made from the registries of the
query compiler by `make docs`.

## Fields

In: **e**rrors, **t**ransactions, **s**pans, **p**rofile functions. A field that the rows of a
question do not have is absent from all of them.

| field | type | in | meaning |
|---|---|---|---|
"""
_TABLE_HEAD = "\n| function | gives | meaning |\n|---|---|---|\n"
_DATASETS = (
    ("errors and transactions", Dataset.DISCOVER),
    ("spans", Dataset.SPANS),
    ("profile functions", Dataset.FUNCTIONS),
)


def settings_page() -> str:
    """Write the page of the settings."""
    return _HEAD + "".join(f"{_row(row)}\n" for row in SETTINGS)


def _row(row: Setting) -> str:
    default = "" if row.default in {"", None} else f"`{row.default}`"
    unit = f" {row.unit}" if row.unit and default else ""
    choices = (
        f" One of {', '.join(f'`{choice}`' for choice in row.choices)}." if row.choices else ""
    )
    secret = " Secret." if row.secret else ""
    return f"| `GROUNDSWELL_{row.name}` | {default}{unit} | {row.help}{choices}{secret} |"


def query_reference() -> str:
    """Write the page of the fields and functions of the query language."""
    page = _REFERENCE_HEAD + "".join(_field(names, field) for names, field in _named_fields())
    for title, dataset in _DATASETS:
        rows = functions_of(dataset).values()
        page += f"\n## Functions of {title}\n" + _TABLE_HEAD
        page += "".join(map(_function, sorted(rows, key=lambda row: row.name)))
    return page


def _named_fields() -> list[tuple[list[str], Field]]:
    """Put the names of one field into one row."""
    found: dict[tuple[str, str], tuple[list[str], Field]] = {}
    for name, field in FIELDS.items():
        found.setdefault((field.doc, field.role), ([], field))[0].append(name)
    return list(found.values())


def _field(names: list[str], field: Field) -> str:
    unit = f", {field.unit}" if field.unit else ""
    letters = {table: letter for letter, table in TABLE_LETTERS.items()}
    places = " ".join(
        "p" if table == "functions" else letters[table].lower() for table in field.sources
    )
    shown = ", ".join(f"`{name}`" for name in names)
    return f"| {shown} | {field.type}{unit} | {places} | {field.doc} |\n"


def _function(row: Function) -> str:
    unit = f", {row.unit}" if row.unit else ""
    kind = "as its column" if row.type == "reflect" else row.type
    defaults = "; ".join(map(_default, (arg for arg in row.args if arg.default is not REQUIRED)))
    choices = "".join(
        f" {arg.name}: {', '.join(f'`{choice}`' for choice in arg.choices)}."
        for arg in row.args
        if arg.choices
    )
    tail = f" Default: {defaults}." if defaults else ""
    return f"| `{row.signature}` | {kind}{unit} | {row.doc}{choices}{tail} |\n"


def _default(arg: Arg) -> str:
    if arg.default == "COLUMN":
        return f"{arg.name} is the duration"

    if arg.default is None:
        return f"{arg.name} may be left out"

    return f"{arg.name} is `{arg.default}`"


if __name__ == "__main__":
    docs = Path(sys.argv[1])
    (docs / "settings.md").write_text(settings_page())
    (docs / "query-reference.md").write_text(query_reference())
