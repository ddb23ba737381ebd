"""Settings: where values come from, what is refused, what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.config import SETTINGS, Origin, load
from groundswell.errors import StartupError


def test_a_flag_beats_the_environment_which_beats_the_default() -> None:
    environ = {"GROUNDSWELL_PORT": "9000", "GROUNDSWELL_HOST": "0.0.0.0"}
    settings = load({"PORT": 7000, "HOST": None}, environ)
    assert (settings.integer("PORT"), settings.origins["PORT"]) == (7000, Origin.FLAG)
    assert (settings.text("HOST"), settings.origins["HOST"]) == ("0.0.0.0", Origin.ENVIRONMENT)
    assert settings.origins["RETENTION_DAYS"] is Origin.DEFAULT
    assert settings.integer("RETENTION_DAYS") == 90


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-1\n")
    settings = load({}, {"GROUNDSWELL_SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.text("SLACK_BOT_TOKEN") == "xoxb-1"
    assert settings.origins["SLACK_BOT_TOKEN"] is Origin.FILE


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"GROUNDSWELL_RETENTION_DAY": "1"}, "Did you mean GROUNDSWELL_RETENTION_DAYS?"),
        ({"GROUNDSWELL_HOST_FILE": "/x"}, "Unknown setting GROUNDSWELL_HOST_FILE"),
        ({"GROUNDSWELL_PORT": "http"}, "GROUNDSWELL_PORT must be a whole number, got 'http'"),
        ({"GROUNDSWELL_RETENTION_DAYS": "0"}, "must be at least 1, got '0'"),
        ({"GROUNDSWELL_SLACK_IMAGES": "jpg"}, "must be one of auto, url, file, none, got 'jpg'"),
        ({"GROUNDSWELL_WEBHOOK_ALLOW_PRIVATE": "maybe"}, "must be true or false, got 'maybe'"),
        ({"GROUNDSWELL_SECRET_KEY_FILE": "/nowhere/x"}, "cannot read /nowhere/x"),
        ({"GROUNDSWELL_CONFIG": "/nowhere/x"}, "Cannot read the settings in /nowhere/x"),
        ({"PORT": "99999"}, "PORT must be at most 65535, got '99999'"),
        ({"GROUNDSWELL_BASE_URL": "g.example.com"}, "must be an address that begins with http://"),
        ({"SENTRY_DSN": "ftp://secret@h/1"}, "http:// or https://, got ********"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(environ: dict[str, str], message: str) -> None:
    with pytest.raises(StartupError) as raised:
        load({}, environ)
    assert message in raised.value.message


def test_secrets_are_masked_and_absent_ones_are_empty() -> None:
    rows = {row["name"]: row for row in load({}, {"GROUNDSWELL_SECRET_KEY": "s"}).masked()}
    assert rows["SECRET_KEY"]["value"] == "********"
    assert rows["SLACK_BOT_TOKEN"]["value"] == ""
    assert len(rows) == len(SETTINGS)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"GROUNDSWELL_HOST": "0.0.0.0", "GROUNDSWELL_PORT": "80"}, "http://127.0.0.1:80"),
        ({"GROUNDSWELL_BASE_URL": "https://g.example.com/"}, "https://g.example.com"),
    ],
)
def test_base_url(environ: dict[str, str], url: str) -> None:
    assert load({}, environ).base_url == url


def test_plain_names_of_the_environment_are_honoured_after_our_own() -> None:
    environ = {"PORT": "9", "DATABASE_URL": "postgresql://h/n", "LOG_LEVEL": "WARNING"}
    settings = load({}, environ | {"GROUNDSWELL_PORT": "8"})
    assert settings.integer("PORT") == 8
    assert settings.text("DATABASE_URL") == "postgresql://h/n"
    assert settings.text("LOG_LEVEL") == "warning"
    assert settings.origins["LOG_LEVEL"] is Origin.ENVIRONMENT


def test_a_file_of_settings_stands_between_environment_and_default(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('port = 7\nhost = "::1"\nwebhook_allow_private = true\n')
    settings = load({"CONFIG": str(path)}, {"GROUNDSWELL_PORT": "8"})
    assert (settings.integer("PORT"), settings.text("HOST")) == (8, "::1")
    assert settings.flag("WEBHOOK_ALLOW_PRIVATE")
    assert settings.origins["HOST"] is Origin.CONFIG

    path.write_text('log_level = "debug"\n')
    assert settings.reread().text("LOG_LEVEL") == "debug"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retention_day = 1", "Did you mean retention_days?"),
        ("port = ", "Cannot read the settings in"),
        ("port = 70000", "port must be at most 65535, got 70000"),
    ],
)
def test_a_file_of_settings_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(text)
    with pytest.raises(StartupError) as raised:
        load({}, {"GROUNDSWELL_CONFIG": str(path)})
    assert message in raised.value.message
