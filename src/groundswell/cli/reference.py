"""Pages of the docs that are made from registries: `python -m groundswell.cli.reference docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from groundswell.config import SETTINGS, Setting

_HEAD = """\
# Settings

Every setting is an environment variable and a flag of `groundswell serve` (`--base-url` for
`GROUNDSWELL_BASE_URL`). A secret may also come from a file, for example
`GROUNDSWELL_SECRET_KEY_FILE=/run/secrets/key`. An unknown `GROUNDSWELL_*` variable stops the start
and names the nearest one. `groundswell config` shows the effective values and where each came
from. `PORT` is honoured when `GROUNDSWELL_PORT` is not set.

This page is made from the table in `config.py` by `make docs`.

| setting | default | meaning |
|---|---|---|
"""


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


if __name__ == "__main__":
    (Path(sys.argv[1]) / "settings.md").write_text(settings_page())
