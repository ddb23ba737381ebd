"""The settings page of the docs is the table of settings."""

from __future__ import annotations

from pathlib import Path

from groundswell.cli.reference import settings_page
from groundswell.config import SETTINGS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == settings_page(), "run `make docs`"


def test_every_setting_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert [row.name for row in SETTINGS if f"`GROUNDSWELL_{row.name}`" not in page] == []
